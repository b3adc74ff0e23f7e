"""What was said in the rooms of an agent, bounded, with cursors. Any thread."""

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

from lanchat.agents.heard import Heard

MOST = 2000  # messages that are kept; an agent that reads nothing for longer misses the oldest
BURST = 1.5  # s; people send three lines where they mean one
LONGEST_BURST = 6.0  # s after the first line; who goes on is read the next time


class AgentInbox:
    """The last messages of all rooms, numbered in the order in which they came."""

    def __init__(self, limit: int = MOST) -> None:
        self.limit = limit
        self._run = secrets.token_hex(2)  # begins each cursor: one of an earlier run means nothing now
        self._changed = threading.Condition()  # guards all below
        self._heard: deque[Heard] = deque(maxlen=limit)
        self._number = 0
        self._closed = False

    def add(self, make: Callable[[int], Heard]) -> None:
        """Add a message, which is made with its number."""
        with self._changed:
            self._number += 1
            self._heard.append(make(self._number))
            self._changed.notify_all()

    def cursor(self, number: int) -> str:
        return f"{self._run}-{number}"

    def number_of(self, cursor: str) -> int:
        """The number that a cursor of this run means; 0, which is the beginning, for any other text."""
        run, _, number = cursor.partition("-")
        known = run == self._run and number.isascii() and number.isdigit() and len(number) < 16
        return min(int(number), self._number) if known else 0

    @property
    def last(self) -> int:
        """The number of the last message; 0: there is none."""
        return self._number

    def after(self, number: int, fits: Callable[[Heard], bool], limit: int) -> tuple[Sequence[Heard], bool]:
        """The first messages behind this number that fit.

        Returns:
            At most `limit` of them; and whether there are more, or some behind this number are gone.
        """
        with self._changed:
            lost = bool(self._heard) and self._heard[0].number > number + 1
            fitting = (one for one in self._heard if one.number > number and fits(one))
            found = list(islice(fitting, limit + 1))
        return found[:limit], lost or len(found) > limit

    def latest(self, fits: Callable[[Heard], bool], limit: int) -> tuple[Sequence[Heard], bool]:
        """The last messages that fit, as `after` returns them."""
        with self._changed:
            found = list(islice((one for one in reversed(self._heard) if fits(one)), limit + 1))
        return found[:limit][::-1], len(found) > limit

    def wait(self, number: int, wakes: Callable[[Heard], bool], seconds: float, cancelled: Callable[[], bool]) -> bool:
        """Wait for a message behind this number that wakes, and then until its author has finished.

        Args:
            cancelled: the wait is over for another reason; `wake` has it asked.

        Returns:
            Whether there is one.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self._any(number, wakes):
                left = deadline - time.monotonic()
                if left <= 0 or cancelled() or self._closed:
                    return False
                self._changed.wait(left)
            end = time.monotonic() + LONGEST_BURST
            last = self._number
            while (left := min(BURST, end - time.monotonic())) > 0 and not (cancelled() or self._closed):
                self._changed.wait_for(partial(self._grows, last, cancelled), left)
                if self._number == last:
                    break
                last = self._number
            return True

    @property
    def closed(self) -> bool:
        return self._closed

    def wake(self) -> None:
        """Have every wait look whether it is cancelled."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End every wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _grows(self, last: int, cancelled: Callable[[], bool]) -> bool:
        return self._number > last or cancelled() or self._closed

    def _any(self, number: int, wakes: Callable[[Heard], bool]) -> bool:
        """Requires holding the lock. The newest first: waits look at what has just come."""
        for one in reversed(self._heard):
            if one.number <= number:
                return False
            if wakes(one):
                return True
        return False
