"""Unforeseen errors: whichever thread one happens in, it ends the program with words and exit code 1.

Without this, Python prints a traceback, and the program goes on without the thread: a host that admits nobody any more,
or a script that waits for ever.
"""

import _thread
import logging
import os
import signal
import threading
import traceback
from collections.abc import Callable

from lanchat.terminal.exit import GOODBYE_LIMIT

CRASHED = 1  # the exit code

_log = logging.getLogger(__name__)


class Crash:
    """The first unforeseen error of this process, if there is one. Any thread.

    Args:
        show: prints lines. Called once, by the main thread or, if that does not end in time, by another one.
    """

    def __init__(self, show: Callable[..., None]) -> None:
        self._show = show
        self._lines: list[str] = []
        self._lock = threading.Lock()  # guards the lines

    def end_with_threads(self) -> None:
        """From now on, an unforeseen error of any thread interrupts the main thread as a polite kill does.

        The main thread then says goodbye, puts the terminal in order and calls `report`. If that takes longer than
        GOODBYE_LIMIT, because it waits for the thread that is gone, the program ends without it.
        """
        threading.excepthook = self._thread_ended  # for all threads, also for those of other packages

    def _thread_ended(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            self._end(args.exc_value)

    def note(self, error: BaseException) -> None:
        """Keep an unforeseen error of this thread for `report`. Later ones often follow from it and are only logged."""
        name = threading.current_thread().name
        _log.critical("unforeseen error in thread %s", name, exc_info=error)
        with self._lock:
            self._lines = self._lines or _crash_lines(error, name)

    def report(self, code: int) -> int:
        """Show what has happened, if anything has.

        Args:
            code: the exit code without a crash.

        Returns:
            The exit code of the program.
        """
        with self._lock:
            if not self._lines:
                return code
            show, self._show = self._show, lambda *lines: None
        show(*self._lines)
        return CRASHED

    def _end(self, error: BaseException) -> None:
        self.note(error)
        watchdog = threading.Timer(GOODBYE_LIMIT, lambda: os._exit(self.report(CRASHED)))
        watchdog.daemon = True
        watchdog.start()
        _thread.interrupt_main(signal.SIGTERM)


def _crash_lines(error: BaseException, thread: str) -> list[str]:
    from lanchat.terminal.wording import error_text  # only a crash loads it

    what = error_text(
        f"An unforeseen error has ended lanchat: {type(error).__name__}: {error} (thread {thread})",
        "This is a fault of lanchat. Please report it, with these lines:",
    )
    return [*what, *"".join(traceback.format_exception(error)).splitlines()]
