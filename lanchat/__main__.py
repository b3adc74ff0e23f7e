"""The command `lanchat`, also as `python -m lanchat`: loads the program, in which all else happens."""

try:
    from lanchat.cli.main import main
except KeyboardInterrupt:  # loading takes a moment, too, and a person who mistyped presses Ctrl-C at once
    raise SystemExit(130) from None

__all__ = ["main"]

if __name__ == "__main__":
    main()
