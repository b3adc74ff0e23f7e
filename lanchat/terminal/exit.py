"""How the program ends: by itself, by Ctrl-C, by a closed terminal or a polite kill, with its goodbyes said."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from lanchat.errors import TimedOut

GOODBYE_LIMIT = 3.0  # s; after that another Ctrl-C ends the program at once
FLUSH_LIMIT = 0.5  # s for what is still to be written, where somebody wants an end; whoever reads it may stand still
WAKE_AGAIN = 0.1  # s; a person who pressed Ctrl-C does not notice
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def catch_signals() -> None:
    """A closed terminal or a polite kill ends the program the way Ctrl-C does: with goodbyes.

    The goodbyes are said in peace: what comes while they are said is ignored, unless they take too long. A closed
    terminal ends nothing where whoever started us wants it so (nohup). An ignored Ctrl-C says less: shells do that to
    all that they start with `&`.
    """
    first: list[float] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not first:
            first.append(now)
            raise KeyboardInterrupt
        if now - first[0] > GOODBYE_LIMIT:
            os._exit(INTERRUPTED)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and (name != "SIGHUP" or signal.getsignal(number) != signal.SIG_IGN):
            signal.signal(number, interrupt)
    if hasattr(signal, "pthread_kill"):
        _wake_for_signals(lambda: bool(first))


def write_any_letter() -> None:
    """What the encoding of a pipe or a terminal lacks (ASCII, cp1252) is named; it is no reason to end."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def end_within(seconds: float, code: int) -> None:
    """Whatever stands still, the program ends then: a goodbye, a write to somebody who does not read."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


def leave(code: int) -> NoReturn:
    """End, whatever still runs: an interrupt in the middle of a goodbye may have left a thread behind."""
    if code in (INTERRUPTED, TimedOut.exit_code) or _threads_left():
        end_within(FLUSH_LIMIT, code)
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):  # whoever read our output is gone: no reason for words
        os._exit(code)
    if _threads_left():
        os._exit(code)
    sys.exit(code)


def _threads_left() -> bool:
    return any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate())


def _wake_for_signals(heard: Callable[[], bool]) -> None:
    """Let a signal end a wait of the main thread, whichever thread the kernel hands it to, and whenever.

    A thread that is just starting another one takes signals meant for the process (Linux: clone() with a signal
    pending), and then nothing wakes the main thread from its lock: one SIGTERM in ten was lost while mDNS began. The
    same is so where the main thread was not waiting yet, only about to.
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
            while not heard():
                time.sleep(WAKE_AGAIN)
                signal.pthread_kill(main_thread, signal.SIGUSR2)

    threading.Thread(target=wake, name="signals", daemon=True).start()
