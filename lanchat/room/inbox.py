"""The queue in front of a thread that owns something: the hub its room, a screen what it shows."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

INBOX_LIMIT = 4096  # items; a reader that meets a full inbox waits, stops reading, and TCP slows its peer


class Inbox(Generic[T]):
    """Many threads put, one takes all that waits. Bounded.

    Args:
        weigh: how much of the limit an item takes up.
    """

    def __init__(self, limit: int = INBOX_LIMIT, weigh: Callable[[T], int] = lambda item: 1) -> None:
        self._limit = limit
        self._weigh = weigh
        self._load = 0
        self._items: list[T] = []
        lock = threading.Lock()  # guards _items and _closed
        self._filled = threading.Condition(lock)
        self._emptied = threading.Condition(lock)
        self._blocked = 0
        self._closed = False

    def put(self, item: T) -> None:
        """Add an item; waits while the inbox is full. After `close` it is thrown away."""
        self.put_all((item,))

    def put_all(self, items: Sequence[T]) -> None:
        """The same with what belongs together, e.g. came in one read; it may go over the limit by all but one of it."""
        with self._filled:
            while self._load >= self._limit and not self._closed:
                self._blocked += 1
                self._emptied.wait()
                self._blocked -= 1
            for item in items:
                self._add(item)

    def put_now(self, item: T) -> None:
        """The same without a bound and a wait: for the few items that the owner's own threads make."""
        with self._filled:
            self._add(item)

    def take(self, timeout: float | None = None) -> Sequence[T]:
        """All that waits, in order; waits for a first item, at most `timeout` seconds. Owner thread only.

        After `close`: what was left, then nothing, at once.
        """
        with self._filled:
            if not self._items and not self._closed:
                self._filled.wait(timeout)
            items, self._items, self._load = self._items, [], 0
            if self._blocked:
                self._emptied.notify_all()
            return items

    def close(self) -> None:
        """Throw away what is put from now on, and let nobody wait any more. Any thread."""
        with self._filled:
            self._closed = True
            self._emptied.notify_all()
            self._filled.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def _add(self, item: T) -> None:
        if self._closed:
            return
        self._items.append(item)
        self._load += self._weigh(item)
        if len(self._items) == 1:
            self._filled.notify()
