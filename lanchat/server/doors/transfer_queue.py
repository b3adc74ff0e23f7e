"""The queue of a room's file transfers: how many run at once, and which is next."""

import threading
from collections import Counter

from lanchat.protocol.limits import FileLimits

KEPT_FOR_SENDERS = 2  # places that no fetching link takes: else files that wait for their senders would keep them out


class TransferQueue:
    """Counts the transfers that run. Each takes a place; the others wait for one in order. Any thread."""

    def __init__(self, limits: FileLimits) -> None:
        self._limits = limits
        self._changed = threading.Condition()  # guards both
        self._queue: dict[object, tuple[str, bool]] = {}  # member and direction of those that wait, in order
        self._inside: dict[object, tuple[str, bool]] = {}

    def queue(self, key: object, member: str, *, up: bool) -> None:
        """Let this transfer of a member wait; `up`: the member sends a file."""
        with self._changed:
            self._queue[key] = member, up

    def enter(self, key: object, seconds: float) -> int:
        """Wait for a place, `seconds` at most. Returns 0 if it has one now, else its number in the queue, from 1."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._next() is key, seconds):
                return 1 + list(self._queue).index(key)
            self._inside[key] = self._queue.pop(key)
            self._changed.notify_all()
            return 0

    def leave(self, key: object) -> None:
        """Give the place of this transfer back, or its place in the queue."""
        with self._changed:
            self._queue.pop(key, None)
            self._inside.pop(key, None)
            self._changed.notify_all()

    def _next(self) -> object | None:
        """The first transfer that may run now."""
        members = Counter(member for member, _ in self._inside.values())
        for key, (member, up) in self._queue.items():
            most = self._limits.places if up else max(1, self._limits.places - KEPT_FOR_SENDERS)
            if len(self._inside) < most and members[member] < self._limits.places_of_member:
                return key
        return None
