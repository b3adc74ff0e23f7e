"""What comes to rest at the end of a `with`."""

from typing import Self


class Closes:
    """Gives a class with `close()` its place in a `with`."""

    def close(self) -> None:
        """Come to rest. May be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
