"""The queue between a member's reader thread and whoever takes what it heard."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from lanchat.client.events import Closed, Item, weight
from lanchat.errors import ConnectionLost, LanchatError

QUEUE_LIMIT = 10_000  # lines of talk that nobody has taken

_log = logging.getLogger(__name__)


class EventQueue:
    """Bounded. When it is full it blocks the reader, so that the host drops us in the end, or it drops the oldest.

    Args:
        drop_oldest: drop the oldest items rather than block.
        follow: called with each item that `next` gives out or that is dropped, in order, one at a time.
        on_ready: called from the reader thread when there is something to take.
        limit: how much may wait, as `weight` counts.
    """

    def __init__(
        self,
        *,
        drop_oldest: bool = False,
        follow: Callable[[Item], None] = lambda item: None,
        on_ready: Callable[[], None] = lambda: None,
        limit: int | None = None,
    ) -> None:
        self.lock = threading.RLock()  # guards all below, and whatever `follow` changes; memory work only
        self.dropped = 0  # items that nobody took
        self._drop_oldest = drop_oldest
        self._follow = follow
        self.on_ready = on_ready
        self._limit = limit or QUEUE_LIMIT
        self._read = False  # somebody has asked for the next item
        self._items: deque[Item] = deque()
        self._load = 0
        self._filled = threading.Condition(self.lock)
        self._emptied = threading.Condition(self.lock)
        self._last: Closed | None = None
        self._taken_all = False  # `close` was called: nobody takes anything more

    def put(self, item: Item) -> None:
        self.put_all((item,))

    def put_all(self, items: Sequence[Item]) -> None:
        """Add items. Waits while the queue is full, unless it drops the oldest. Reader thread only."""
        with self.lock:
            while self._load >= self._limit and not self._drop_oldest and not self._taken_all:
                self._emptied.wait()
            if self._taken_all:
                return
            self._items.extend(items)
            self._load += sum(map(weight, items))
            while self._drop_oldest and self._load > self._limit:
                self._follow(self._pop())
                if self._read and not self.dropped:
                    _log.warning("events are dropped: this program speaks, and does not look at what comes")
                self.dropped += 1
            self._filled.notify()
        self.on_ready()

    def end(self, error: LanchatError) -> None:
        """Add the last item: nothing comes any more, and why."""
        with self.lock:
            self._last = Closed(error)
            self._items.append(self._last)
            self._filled.notify_all()
        self.on_ready()

    def close(self) -> None:
        """Nobody takes anything more: let nobody wait."""
        with self.lock:
            self._taken_all = True
            self._items.clear()
            self._load = 0
            self._last = self._last or Closed(ConnectionLost("You have left."))
            self._filled.notify_all()
            self._emptied.notify_all()

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        """Everything that waits, in order; waits for a first item, at most `timeout` seconds.

        The last item is a `Closed`; after that, and after `close()`, there is nothing but the same again.
        """
        with self.lock:
            self._wait(timeout)
            items, self._items, self._load = self._items, deque(), 0
            self._emptied.notify_all()
            return items or ((self._last,) if self._last is not None else ())

    def next(self, timeout: float | None = None) -> Item | None:
        """The next item, which is followed then; None where nothing came within `timeout` seconds. As `take`."""
        with self.lock:
            self._read = True
            self._wait(timeout)
            if not self._items:
                return self._last
            item = self._pop()
            self._follow(item)
            self._emptied.notify_all()
            return item

    def _wait(self, timeout: float | None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._items and self._last is None:
            remaining = None if deadline is None else deadline - time.monotonic()
            if (remaining is not None and remaining <= 0) or not self._filled.wait(remaining):
                return

    def _pop(self) -> Item:
        item = self._items.popleft()
        self._load -= weight(item)
        return item
