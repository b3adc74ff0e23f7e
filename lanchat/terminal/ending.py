"""The last line of `--json`: how a run in a room ended."""

from collections.abc import Callable
from contextlib import suppress

from lanchat.errors import LanchatError
from lanchat.terminal.exit import INTERRUPTED
from lanchat.terminal.json_events import Ended, Line


def with_end(run: Callable[[], int], write: Callable[[Line], None]) -> int:
    """Run, and write how it ended, whatever that was. Returns the exit code, or raises what the run has raised.

    Args:
        write: writes a line at once; may raise OSError, since the reader may be gone.
    """
    code, reason = INTERRUPTED, "interrupted"
    try:
        code, reason = run(), ""
    except LanchatError as error:
        code, reason = error.exit_code, str(error)
        raise
    finally:
        with suppress(OSError):
            write(Ended(code, reason))
    return code
