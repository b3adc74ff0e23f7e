"""Ctrl-Z and `fg`: a stopped program gives the terminal back, and takes it again when it goes on.

A stop from outside (`kill -STOP`) leaves the terminal as it is, and shells then set it for
themselves. So it is set again whenever the program goes on.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from prompt_toolkit.application import Application, run_in_terminal

SIGTSTP: int | None = getattr(signal, "SIGTSTP", None)  # Windows has neither
SIGCONT: int | None = getattr(signal, "SIGCONT", None)


class Suspension:
    """Belongs to the thread of the application's event loop.

    Args:
        again: called when the program goes on after it was stopped from outside: nobody knows what the terminal shows.
    """

    def __init__(self, app: Application[Any], again: Callable[[], None]) -> None:
        self._app = app
        self._again = again
        self._handles = False

    def begin(self) -> None:
        """From now on. To be called in the event loop."""
        if threading.current_thread() is threading.main_thread() and SIGTSTP is not None:
            # Where nobody could continue the program, the signal is ignored from the start, and stays ignored.
            self._handles = signal.getsignal(SIGTSTP) != signal.SIG_IGN
            self._handle()

    def suspend(self) -> None:
        """Stop the program, and everything that was started with it by one command line. `fg` continues it."""
        if self._handles:
            run_in_terminal(self._stop)

    def _handle(self) -> None:
        if self._handles and SIGTSTP is not None and SIGCONT is not None:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(SIGTSTP, self.suspend)
            loop.add_signal_handler(SIGCONT, self._take_terminal)

    def _stop(self) -> None:
        """Stop here, with the terminal as it was found. When this returns, the application draws itself again."""
        loop = asyncio.get_running_loop()
        assert SIGTSTP is not None and SIGCONT is not None
        for number in (SIGTSTP, SIGCONT):
            loop.remove_signal_handler(number)
        os.kill(0, SIGTSTP)
        self._handle()

    def _take_terminal(self) -> None:
        if not self._app.is_done:
            self._app.input.raw_mode().__enter__()  # its end is that of the application's own
            self._app.renderer.reset()
            self._again()
