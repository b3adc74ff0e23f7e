"""How the program ends: by itself, by Ctrl-C, by a closed terminal or a polite kill, with its goodbyes said."""

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

GOODBYE_LIMIT = 3.0  # s; after that another Ctrl-C ends the program at once
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


def leave(code: int) -> NoReturn:
    """End, whatever still runs: an interrupt in the middle of a goodbye may have left a thread behind."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError, AttributeError):  # whoever read our output is gone: no reason for words
        os._exit(code)
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        os._exit(code)
    sys.exit(code)
