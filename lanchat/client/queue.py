"""The queue between a member's reader thread and the thread that takes its items."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from lanchat.client.events import Closed, Item, weight
from lanchat.errors import ConnectionLost, LanchatError

QUEUE_LIMIT = 10_000  # short messages, or as much memory in other items

_log = logging.getLogger(__name__)


class EventQueue:
    """A bounded queue. When it is full, it blocks the reader, which is back-pressure until the host drops us, or it
    drops the oldest items.

    Args:
        drop_oldest: drop the oldest items instead of blocking.
        follow: called with each item that `next` returns or that is dropped, in order, one at a time.
        limit: how much may wait, as `weight` counts.

    Attributes:
        on_ready: called from the reader thread when there is something to take.
    """

    def __init__(
        self,
        *,
        drop_oldest: bool = False,
        follow: Callable[[Item], None] = lambda item: None,
        limit: int | None = None,
    ) -> None:
        self.lock = threading.RLock()  # guards all below, and everything that `follow` changes; memory work only
        self.dropped = 0  # items
        self._drop_oldest = drop_oldest
        self._follow = follow
        self.on_ready: Callable[[], None] = lambda: None
        self._limit = limit or QUEUE_LIMIT
        self._read = False  # whether `next` was ever called
        self._items: deque[Item] = deque()
        self._load = 0
        self._filled = threading.Condition(self.lock)
        self._emptied = threading.Condition(self.lock)
        self._last: Closed | None = None
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether the next item has to wait, or takes the place of the oldest. Any thread."""
        return self._load >= self._limit

    @property
    def ended(self) -> LanchatError | None:
        """Why nothing comes any more; None: something may. Any thread."""
        last = self._last
        return None if last is None else last.error

    def put(self, item: Item) -> None:
        self.put_all((item,))

    def put_all(self, items: Sequence[Item]) -> None:
        """Add items. Waits while the queue is full, unless it drops the oldest. Reader thread only."""
        with self.lock:
            while self.full and not self._drop_oldest and not self._closed:
                self._emptied.wait()
            if self._closed:
                return
            self._items.extend(items)
            self._load += sum(map(weight, items))
            while self._drop_oldest and self._load > self._limit:
                self._follow(self._pop())
                if self._read and not self.dropped:
                    _log.warning("events are dropped: this program does not take them fast enough")
                self.dropped += 1
            self._filled.notify()
        self.on_ready()

    def end(self, error: LanchatError) -> None:
        """Add the last item, which says why nothing comes any more."""
        with self.lock:
            self._last = Closed(error)
            self._items.append(self._last)
            self._filled.notify_all()
        self.on_ready()

    def close(self) -> None:
        """Drop all items, and wake every waiting thread: nothing is taken any more."""
        with self.lock:
            self._closed = True
            self._items.clear()
            self._load = 0
            self._last = self._last or Closed(ConnectionLost("You have left."))
            self._filled.notify_all()
            self._emptied.notify_all()

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        """Take all items, in order. If there are none, wait for the first, for at most `timeout` seconds.

        The last item is a `Closed`. After it, and after `close()`, each call returns that item again.
        """
        with self.lock:
            self._wait(timeout)
            items, self._items, self._load = self._items, deque(), 0
            self._emptied.notify_all()
            return items or ((self._last,) if self._last is not None else ())

    def next(self, timeout: float | None = None) -> Item | None:
        """Take one item and call `follow` with it; None: none came within `timeout` seconds. It ends as `take` does."""
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
