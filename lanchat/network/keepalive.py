"""Keepalive of one link: when to ping the peer, and when it counts as dead. Pure."""

import math

from lanchat.protocol.timing import Timing


class Keepalive:
    """The timers of one link. Its reader calls `received`, its flusher `due_ping`. Plain stores, so there is no lock.

    Args:
        now: s of a monotonic clock, as in every method.
    """

    def __init__(self, timing: Timing, now: float) -> None:
        self.silence = math.inf  # s without a byte from the peer, after which it counts as dead
        self.ping = b""  # the bytes of a ping; empty: this peer is not pinged
        self.sent = True  # whether something was sent since the last check
        self._timing = timing
        self._ping_after = timing.ping_after
        self.heard_at = self._sent_at = now  # s, when the peer was heard last; any thread may read it
        self._asked = False  # whether a ping was sent since the peer was heard last

    def begin(self, ping: bytes, *, after: float | None = None, dead_after: float | None = None) -> None:
        """Ping the peer from now on, with these bytes.

        Args:
            after, dead_after: s of silence, instead of those of a member.
        """
        self.ping = ping
        self._ping_after = self._timing.ping_after if after is None else after
        self.silence = self._timing.dead_after if dead_after is None else dead_after

    def received(self, now: float) -> None:
        self.heard_at = now
        self._asked = False

    def reset(self, now: float) -> None:
        """Forget the peer's silence up to now, because it says nothing about the peer."""
        self.heard_at = now

    def is_dead(self, now: float) -> bool:
        return now - self.heard_at > self.silence

    def due_ping(self, now: float) -> bytes:
        """The ping to send now; empty: none is due. To be called about once a second."""
        if not self.ping:
            return b""
        if self.sent:
            self.sent, self._sent_at = False, now
        # Our own silence counts too: on a slow link a ping of the peer, and our answer to it, waits behind all the
        # other bytes on the way.
        if self._asked or now - min(self.heard_at, self._sent_at) <= self._ping_after:
            return b""
        self._asked = True
        return self.ping
