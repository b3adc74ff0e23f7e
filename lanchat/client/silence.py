"""How long a host may be silent until it counts as lost. Pure.

A host that has standbys promises a sign of life after each pause. On a network that loses packets they come late, and
the longer the latest ones were late, the longer is the silence that means nothing.
"""

from collections import deque

from lanchat.protocol.timing import Timing

_REMEMBERED = 60.0  # s; the last minute says most about the next one
_LEAST, _FACTOR = 1.0, 4.0  # s; and how often the worst delay


class Silence:
    """The heartbeats of one link."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
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
        if not beat:
            self._heard_at = None
            return self._timing.dead_after
        if self._heard_at is not None:
            self._note(now, now - self._heard_at - beat)
        self._heard_at = now
        while self._late and self._late[0][0] < now - _REMEMBERED:
            self._late.popleft()
        worst = max((late for _, late in self._late), default=0.0)
        return min(max(self._timing.host_silence, _LEAST + _FACTOR * worst), self._timing.dead_after)

    def _note(self, now: float, late: float) -> None:
        """Remember one delay for each second: a host can send any number of heartbeats."""
        if self._late and now - self._late[-1][0] < 1.0:
            now, worst = self._late.pop()
            late = max(late, worst)
        self._late.append((now, late))
