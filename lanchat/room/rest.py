"""Waiting for a thread's end, whatever became of its start."""

import threading
import time

START_LIMIT = 0.5  # s within which a thread whose start was cut short begins, if it does at all
_STEP = 0.01  # s


def rest(thread: threading.Thread) -> None:
    """Join it. An interrupt may have come while it was being started, or before: then there may be none to wait for."""
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            thread.join()
            return
        except RuntimeError:  # it has not begun
            if time.monotonic() > deadline:
                return
            time.sleep(_STEP)
