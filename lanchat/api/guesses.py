"""Tells the person who hosts that somebody has given a wrong password."""

import threading
import time
from collections.abc import Callable

PAUSE = 60.0  # s between two sentences; what comes meanwhile is told in the next one


class GuessNotices:
    """Tells of the first wrong password at once, and of further ones together. Any thread.

    Args:
        say: called with a sentence, in the thread of the stranger.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._number = 0  # since the last sentence; of two threads at once one may not be counted, which is harmless
        self._told_at = clock() - PAUSE
        self._saying = threading.Lock()  # held while it is said: the terminal may stand still, and only one has to wait

    def __call__(self, source: str) -> None:
        """Note a wrong password from this address; "": from this machine."""
        self._number += 1
        if not self._saying.acquire(blocking=False):
            return
        try:
            if self._clock() - self._told_at < PAUSE:
                return
            number, self._number = self._number, 0
            self._told_at = self._clock()
            where = source or "this machine"
            if number == 1:
                self._say(f"Somebody at {where} gave a wrong password.")
            else:
                self._say(f"{number} wrong passwords were given, the last one at {where}.")
        finally:
            self._saying.release()
