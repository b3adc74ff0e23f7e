"""Building blocks of the layers that are not pure: a queue, a wake-up, a join that survives an interrupted start, and a
clock. What a pure layer needs of them is an argument there.
"""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, Self, TypeVar

T = TypeVar("T")

INBOX_LIMIT = 4096  # items; a reader that meets a full inbox waits, stops reading, and TCP slows its peer
START_LIMIT = 0.5  # s within which a thread whose start was interrupted begins, if it begins at all
_STEP = 0.01  # s between two checks of a thread that has not begun


class Closable:
    """Makes a class with a `close()` method usable in a `with` statement."""

    def close(self) -> None:
        """Release everything. May be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Inbox(Generic[T]):
    """A bounded queue that many threads put into and one thread empties at once. While it is full, those threads wait:
    the back-pressure of a busy owner.

    Args:
        limit: how much may wait before `put` waits.
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
        """Add an item; waits while the inbox is full. Items put after `close` are dropped."""
        self.put_all((item,))

    def put_all(self, items: Sequence[T]) -> None:
        """Add several items at once. This may exceed the limit by the weight of all but the first."""
        with self._filled:
            while self._load >= self._limit and not self._closed:
                self._blocked += 1
                self._emptied.wait()
                self._blocked -= 1
            for item in items:
                self._add(item)

    def put_now(self, item: T) -> None:
        """Add an item without waiting, even above the limit. Only for the few items that the owner's threads make."""
        with self._filled:
            self._add(item)

    def take(self, timeout: float | None = None) -> Sequence[T]:
        """Return all items, in order. If there are none, wait for the first, for at most `timeout` seconds.

        After `close` it returns the items that were left, and then none, without waiting. Owner thread only.
        """
        with self._filled:
            if not self._items and not self._closed:
                self._filled.wait(timeout)
            items, self._items, self._load = self._items, [], 0
            if self._blocked:
                self._emptied.notify_all()
            return items

    def close(self) -> None:
        """Drop every item that is put from now on, and wake all waiting threads. Any thread."""
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


class Wakeup(Closable):
    """Wakes a thread that waits in `select`. Any other thread may call `set`.

    The waiting thread registers this object in its selector for reading. The object becomes readable with `set` and
    stays so until `drain`: without a `drain`, every thread that waits for it is woken, now and later.

    Raises:
        OSError: this process has no file descriptors left.
    """

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._lock = threading.Lock()  # guards the sender: a descriptor that `close` gives back may be reused at once

    def fileno(self) -> int:
        return self._receiver.fileno()

    def set(self) -> None:
        """Make the object readable. Never waits; after `close` it does nothing. Any thread."""
        with self._lock:
            try:
                self._sender.send(b"!")
            except OSError:
                pass  # full: the object is readable already; closed: no thread waits for it

    def drain(self) -> None:
        """Make the object unreadable until the next `set`. Call it before looking for work, and no `set` is lost."""
        try:
            while self._receiver.recv(4096):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close both sockets. Call it when no thread waits any more. May be called twice."""
        with self._lock:
            self._sender.close()
        self._receiver.close()


def join_started(thread: threading.Thread) -> None:
    """Wait for a thread to end, even if its `start()` was interrupted, so that it may never begin."""
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            thread.join()
            return
        except RuntimeError:  # it has not begun
            if time.monotonic() > deadline:
                return
            time.sleep(_STEP)


def now_ms() -> int:
    """The time of this computer as logs and the wire have it: ms since 1970."""
    return time.time_ns() // 1_000_000
