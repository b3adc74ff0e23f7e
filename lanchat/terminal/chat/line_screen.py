"""A screen for a terminal that knows no escape sequences: it reads lines and prints lines. It knows nothing of rooms.

TERM=dumb says so, as in the shells of editors and on the consoles of build servers. A screen reader reads such a screen
well, because nothing on it is drawn twice. The terminal itself edits the typed line, so nothing can be kept in it.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from lanchat.errors import LanchatError
from lanchat.storage.input_history import InputHistory
from lanchat.terminal.cells import Fragments
from lanchat.terminal.exit import HANGUP, handle_signals, signals_restored
from lanchat.terminal.keystream import RAW_LINES, only_text
from lanchat.terminal.piped import Line, LineSplitter, Overlong
from lanchat.terminal.stdio import columns_of, read_some
from lanchat.terminal.suspend import SIGTSTP

TOGETHER = 0.05  # s; lines that come within this time were pasted


class Silence:
    """Takes what is written to a terminal without text: nothing of it is understood here."""

    name: Callable[[], str]  # the bytes that name the window

    def send(self, sequence: str) -> None:
        pass


class LineScreen:
    """Does what `Screen` does, as far as lines can. Made and run by one thread: the main thread, so that signals work.

    Args:
        accept: takes a line, and says whether it would stay in the line that is typed; then an empty line repeats it.
        portion, may_leave, typed: as for `Screen`.
        file: the descriptor that lines come from.
        out: where lines go.
    """

    KEYS = (
        "An empty line repeats one that was not sent. Ctrl-U clears the line, Ctrl-C leaves.",
        "Lines that are pasted together are one message.",
    )
    colour = False
    typed = ""  # nobody knows what stands in the line

    def __init__(
        self,
        *,
        accept: Callable[[str], bool],
        portion: Callable[[int], tuple[Fragments, bool]],
        may_leave: Callable[[], bool],
        typed: InputHistory,
        file: int = 0,
        out: IO[str] | None = None,
    ) -> None:
        self._accept = accept
        self._portion = portion
        self._may_leave = may_leave
        self._history = typed
        self._file = file
        self._out = out or sys.stdout
        self._splitter = LineSplitter()
        self._lines: list[Line] = []  # that have come just now
        self._kept = ""  # the last line that would have stayed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Future[int | None] | None = None
        self._woken = False
        self.terminal = Silence()

    @property
    def columns(self) -> int:
        """0 if the terminal does not say how wide it is."""
        return columns_of(self._out)

    def run(self, begin: Callable[[], None]) -> int | None:
        """Read and print until `leave()`.

        Args:
            begin: called as soon as `wake()` works.

        Returns:
            SIGTERM or SIGHUP, if that was the end.
        """
        with signals_restored():
            return asyncio.run(self._run(begin))

    async def _run(self, begin: Callable[[], None]) -> int | None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.create_future()
        self._loop.set_exception_handler(self._fail)
        self._loop.add_reader(self._file, self._read)
        handle_signals(self.leave)
        if threading.current_thread() is threading.main_thread():
            self._loop.add_signal_handler(signal.SIGINT, self._interrupted)
            if SIGTSTP is not None and signal.getsignal(SIGTSTP) != signal.SIG_IGN:
                self._loop.add_signal_handler(SIGTSTP, self._stop_asked)
        try:
            begin()
            return await self._end
        finally:
            self._loop.remove_reader(self._file)
            self._loop = None

    def wake(self) -> None:
        """Print soon what there is to print. Any thread, also before `run()`."""
        loop = self._loop
        if self._woken or loop is None:
            return
        self._woken = True
        try:
            loop.call_soon_threadsafe(self._print)
        except RuntimeError:
            pass  # the event loop was closed in this very moment: we have left

    def redraw_in(self, seconds: float) -> None:
        """Print again after this time. Only for the thread of `run()`, and without effect before and after that."""
        if self._loop is not None:
            self._loop.call_later(seconds, self._print)

    def print_again(self) -> None:
        """Nothing: what was printed stays where it is."""

    def leave(self, number: int | None = None) -> None:
        """End `run()`."""
        if self._end is not None and not self._end.done():
            self._end.set_result(number)

    def _print(self) -> None:
        self._woken = False  # before looking at what there is: what comes from now on wakes again
        if self._loop is None:
            return
        fragments, more = self._portion(self.columns)
        try:
            self._out.write("".join(text for _, text in fragments))
            self._out.flush()
        except OSError:  # the terminal is gone
            self.leave(HANGUP)
        else:
            if more or fragments:  # asked once more, the portion knows that the last one was painted
                self._loop.call_soon(self._print)

    def _read(self) -> None:
        """Read what has come. The terminal gives a line at a time, also of a paste."""
        try:
            data = read_some(self._file)
        except LanchatError:  # the terminal is gone
            self.leave(HANGUP)
            return
        if not data:
            self._leave_asked()  # Ctrl-D
        elif lines := self._splitter.feed(data):
            if not self._lines and self._loop is not None:
                self._loop.call_later(TOGETHER, self._take)
            self._lines += lines

    def _take(self) -> None:
        """Carry out the lines that have come together."""
        lines, self._lines = self._lines, []
        self._out.writelines(f"-- {line}\n" for line in lines if isinstance(line, Overlong))
        texts = [only_text(line) for line in lines if isinstance(line, str)]
        if len(texts) >= RAW_LINES:
            texts = ["\n".join(texts).strip("\n")]
        for text in texts:
            if not text.strip():
                text = self._kept
            else:
                self._history.add(text)
            self._kept = text if text and self._accept(text) else ""
        self._print()

    def _interrupted(self) -> None:
        self._out.write("\n")  # ends the line with the terminal's ^C
        self._leave_asked()

    def _leave_asked(self) -> None:
        if self._may_leave():
            self.leave()
        self._print()

    def _stop_asked(self) -> None:
        """Ctrl-Z: stop the program, and everything that was started with it by one command line."""
        if self._may_leave() and self._loop is not None and SIGTSTP is not None:
            self._loop.remove_signal_handler(SIGTSTP)
            os.kill(0, SIGTSTP)
            self._loop.add_signal_handler(SIGTSTP, self._stop_asked)
        self._print()

    def _fail(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End `run()` with the error of a callback."""
        error = context.get("exception")
        if error is None or self._end is None or self._end.done():
            loop.default_exception_handler(context)
        else:
            self._end.set_exception(error)
