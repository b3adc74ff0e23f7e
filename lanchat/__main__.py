"""The command `lanchat`, also as `python -m lanchat`: loads the program, in which all else happens."""

import sys

import lanchat


def main() -> None:
    """The `lanchat` command."""
    try:
        if _prints_version():
            return
        from lanchat.cli.main import main as run
    except (KeyboardInterrupt, RuntimeError) as error:
        from lanchat.errors import is_interrupt

        if not is_interrupt(error):
            raise
        raise SystemExit(130) from None  # loading takes a moment, too, and who mistyped presses Ctrl-C at once
    run()


def _prints_version() -> bool:
    """Print the version, if nothing else is asked for: scripts ask often, and need not wait until a program is loaded.

    Returns:
        Whether it is printed. If stdout takes nothing, the program says so.
    """
    if sys.argv[1:] not in (["--version"], ["-V"]) or sys.stdout is None:
        return False
    try:
        sys.stdout.write(f"lanchat {lanchat.__version__}\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
