"""Keepalive of one link: when to ask the peer for a sign of life, and when it counts as dead. No socket, no clock."""

import math

from lanchat.protocol.timing import Timing


class Keepalive:
    """Belongs to one link: `received` is called by its reader, `due_ping` by its flusher. Plain stores, no lock.

    Args:
        now: s, of a clock that never jumps; as everywhere here.
    """

    def __init__(self, timing: Timing, now: float) -> None:
        self.silence = math.inf  # s without a byte of the peer, after which it counts as dead
        self.ping = b""  # what asks for a sign of life; empty: this peer is not asked
        self.sent = True  # something was sent since the last look
        self._timing = timing
        self._received_at = self._sent_at = now
        self._asked = False

    def begin(self, ping: bytes) -> None:
        """Ask for signs of life from now on, with these bytes."""
        self.ping = ping
        self.silence = self._timing.dead_after

    def received(self, now: float) -> None:
        self._received_at = now
        self._asked = False

    def reset(self, now: float) -> None:
        """The peer's silence up to now says nothing about it."""
        self._received_at = now

    def is_dead(self, now: float) -> bool:
        return now - self._received_at > self.silence

    def due_ping(self, now: float) -> bytes:
        """What to send now, if anything. To be called about once a second."""
        if not self.ping:
            return b""
        if self.sent:
            self.sent, self._sent_at = False, now
        # Our own silence counts too: on a slow link a ping of the peer comes after all else that it has to tell us,
        # and so does our answer.
        if self._asked or now - min(self._received_at, self._sent_at) <= self._timing.ping_after:
            return b""
        self._asked = True
        return self.ping
