"""Decides after which silence a host counts as lost. Pure.

A host that has standbys promises heartbeats. On a network that loses packets they come late, and the later they came
recently, the longer a harmless silence may be. A single late one says nothing about the network, because the host may
have been busy. So the second worst delay of the last minute counts.
"""

import heapq
from collections import deque

from lanchat.protocol.timing import Timing

_REMEMBERED = 60.0  # s; the last minute says most about the next one
_SLOW = (
    0.5  # s for TLS and the card, after which the way to the host counts as slow; a local network takes milliseconds
)
_LEAST, _FACTOR = 1.0, 4.0  # s; and how often the second worst delay


class Silence:
    """The heartbeats of one link.

    Args:
        took: s until the card of the host came.
    """

    def __init__(self, timing: Timing, took: float = 0.0) -> None:
        self._timing = timing
        self.took = took
        self._limit = 0.0  # s of the last heartbeat's answer
        self._slow_until: float | None = None
        self._heard_at: float | None = None
        self._late: deque[tuple[float, float]] = deque()  # in each second: when, and by how much at worst

    def heard(self, now: float, beat: float) -> float:
        """A heartbeat has come.

        Args:
            now: s, of any clock.
            beat: s, after which the next one is promised; 0: none is.

        Returns:
            The silence in s after which the host counts as lost.
        """
        if self._slow_until is None:
            self._slow_until = now + _REMEMBERED if self.took > _SLOW else now
        if not beat:
            self._heard_at = None
            return self._timing.dead_after
        if self._heard_at is not None:
            self._note(now, now - self._heard_at - beat)
        self._heard_at = now
        while self._late and self._late[0][0] < now - _REMEMBERED:
            self._late.popleft()
        worst = heapq.nlargest(2, (late for _, late in self._late))
        limit = _LEAST + _FACTOR * worst[1] if len(worst) > 1 else 0.0
        self._limit = min(max(self._timing.host_silence, limit), self._timing.longest_silence, self._timing.dead_after)
        return self._limit

    def is_rough(self, now: float) -> bool:
        """Whether this network is so bad that even such a silence may be harmless."""
        return self._limit > self._timing.host_silence or (self._slow_until is not None and now < self._slow_until)

    def _note(self, now: float, late: float) -> None:
        """Remember one delay for each second: a host can send any number of heartbeats."""
        if self._late and now - self._late[-1][0] < 1.0:
            now, worst = self._late.pop()
            late = max(late, worst)
        self._late.append((now, late))
