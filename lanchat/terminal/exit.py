"""Ends the program after it has said goodbye: by itself, by Ctrl-C, by a closed terminal or a polite kill.

`catch_signals` serves the program as a whole; `handle_signals` and `signals_restored` serve a screen, whose event loop
takes the signals over while it runs.
"""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from lanchat.errors import TimedOut

GOODBYE_LIMIT = 3.0  # s; after that another Ctrl-C ends the program at once
FLUSH_LIMIT = 0.5  # s to write the last output after an interrupt or a timeout; its reader may have stopped reading
WAKE_EVERY = 0.1  # s; a person who pressed Ctrl-C does not notice
INTERRUPTED = 130  # 128 + SIGINT, as in shells
HANGUP: int | None = getattr(signal, "SIGHUP", None)  # Windows has none
_ENDING = [signal.SIGTERM, *([signal.Signals(HANGUP)] if HANGUP else [])]
_ends_since: list[float] = []  # when the program began to end, in s; the first one counts
_STOPPING = [getattr(signal, name) for name in ("SIGTSTP", "SIGCONT") if hasattr(signal, name)]


def catch_signals() -> None:
    """Make a closed terminal or a polite kill end the program the way Ctrl-C does: with goodbyes.

    Further signals are ignored while goodbyes are said, unless these take too long. A closed terminal ends nothing if
    SIGHUP was ignored from the start, as nohup does it. An ignored SIGINT means less: shells ignore it for everything
    that is started with `&`.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not _ends_since:
            end_uninterrupted()
            raise KeyboardInterrupt
        if time.monotonic() - _ends_since[0] > GOODBYE_LIMIT:
            os._exit(INTERRUPTED)

    for number in (signal.SIGINT, *_ENDING):
        if number != HANGUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)
    _heed_what_was_swallowed()
    if sys.platform != "win32":
        _wake_main_thread(lambda: bool(_ends_since))


def _heed_what_was_swallowed() -> None:
    """Interrupt once more where an interrupt came to nothing.

    Python only reports, and then drops, what is raised while it collects an object; so it does in the middle of an
    import. Without this the program would run on, deaf to every further Ctrl-C.
    """
    report = sys.unraisablehook

    def hook(dropped: "sys.UnraisableHookArgs") -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            report(dropped)
            return
        _ends_since.clear()
        again = threading.Timer(WAKE_EVERY, _thread.interrupt_main)  # by then the object is gone
        again.daemon = True
        again.start()

    sys.unraisablehook = hook


def end_uninterrupted() -> None:
    """The program ends anyway: no signal interrupts that any more, unless it takes too long."""
    _ends_since.append(time.monotonic())


def handle_signals(end: Callable[[int], None]) -> None:
    """From now on, call this with the number of a polite kill or a closed terminal, in the event loop that runs."""
    import asyncio  # not at the top: most commands do without it

    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            try:
                asyncio.get_running_loop().add_signal_handler(number, end, number)
            except NotImplementedError:  # Windows
                return


@contextmanager
def signals_restored() -> Iterator[None]:
    """Put the signal handlers back after an event loop, which leaves the default behind for each that it has used."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_ENDING, *_STOPPING)}
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)


def exit_after(seconds: float, code: int) -> None:
    """End the program after this time, even if it still says goodbye or writes to a reader who has stopped reading."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


def leave(code: int) -> NoReturn:
    """End the program, whatever still runs: an interrupt in the middle of a goodbye may have left a thread behind."""
    if code in (INTERRUPTED, TimedOut.exit_code) or _threads_left():
        exit_after(FLUSH_LIMIT, code)
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError, AttributeError):  # its reader is gone, which is no error: Python would end with 120
        os._exit(code)
    if _threads_left():
        os._exit(code)
    sys.exit(code)


def _threads_left() -> bool:
    return any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate())


if sys.platform != "win32":

    def _wake_main_thread(handled: Callable[[], bool]) -> None:
        """Let a signal end a wait of the main thread, whichever thread the kernel hands it to, and whenever.

        A thread that is just starting another one takes signals meant for the process (Linux: clone() with a signal
        pending), and then nothing wakes the main thread from its lock: one SIGTERM in ten was lost while mDNS began.
        The same happens if the main thread was not waiting yet, only about to.
        """
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.signal(signal.SIGUSR2, lambda number, frame: None)  # it only wakes
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        main_thread = threading.main_thread().ident
        assert main_thread is not None

        def wake() -> None:
            while number := os.read(reading, 1):
                if number[0] == signal.SIGUSR2:
                    continue
                signal.pthread_kill(main_thread, signal.SIGUSR2)
                while not handled():
                    time.sleep(WAKE_EVERY)
                    signal.pthread_kill(main_thread, signal.SIGUSR2)

        threading.Thread(target=wake, name="signals", daemon=True).start()
