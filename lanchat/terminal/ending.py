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

GOODBYE_LIMIT = 3.0  # s; after that another Ctrl-C ends the program at once
WAKE_AGAIN = 0.1  # s; a person who pressed Ctrl-C does not notice
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def catch_signals() -> None:
    """A closed terminal or a polite kill ends the program the way Ctrl-C does: with goodbyes.

    The goodbyes are said in peace: what comes while they are said is ignored, unless they take too long.
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
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), interrupt)
    if hasattr(signal, "pthread_kill"):
        _wake_for_signals(lambda: bool(first))


def write_any_letter() -> None:
    """What the encoding of a pipe or a terminal lacks (ASCII, cp1252) is named; it is no reason to end."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def leave(code: int) -> NoReturn:
    """End, whatever still runs: an interrupt in the middle of a goodbye may have left a thread behind."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):  # whoever read our output is gone: no reason for words
        os._exit(code)
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        os._exit(code)
    sys.exit(code)


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
