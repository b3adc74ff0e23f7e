"""Cases of a test that needs no fixture: all of them are one test, since each test of its own costs 5 ms of CPU."""

from collections.abc import Callable, Iterable, Sequence


def cases(names: str | Sequence[str], values: Iterable[object]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """As `pytest.mark.parametrize`. What fails is noted with the error."""
    keys = names.replace(",", " ").split() if isinstance(names, str) else list(names)
    rows = [value if len(keys) > 1 else (value,) for value in values]

    def decorate(test: Callable[..., None]) -> Callable[[], None]:
        def run_all() -> None:
            assert rows, "there is no case"
            for row in rows:
                assert isinstance(row, tuple) and len(row) == len(keys)
                try:
                    test(**dict(zip(keys, row, strict=True)))
                except BaseException as error:
                    error.add_note(f"The case: {row!r}")
                    raise

        run_all.__name__, run_all.__qualname__ = test.__name__, test.__qualname__
        run_all.__module__, run_all.__doc__ = test.__module__, test.__doc__
        return run_all

    return decorate
