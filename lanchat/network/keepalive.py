"""Signs of life on one link: when we ask the peer for one, and when it counts as dead. No socket, no clock."""

import math

PING_AFTER = 10.0  # s of silence, the peer's or our own
DEAD_AFTER = 25.0  # s of silence; two unanswered pings


class Keepalive:
    """Of one link. `heard` is its reader's, `beat` its flusher's; plain stores, so neither waits for the other.

    Args:
        now: s, of a clock that never jumps; as everywhere here.
    """

    def __init__(self, now: float) -> None:
        self.silence = math.inf  # s without a byte of the peer, after which it counts as dead
        self.ping = b""  # what asks for a sign of life; empty: this peer is not asked
        self.spoke = True  # something was sent since the last beat
        self._heard_at = self._spoke_at = now
        self._asked = False

    def keep_alive(self, ping: bytes) -> None:
        """From now on ask for signs of life with this."""
        self.ping = ping
        self.silence = DEAD_AFTER

    def heard(self, now: float) -> None:
        self._heard_at = now
        self._asked = False

    def excuse(self, now: float) -> None:
        """The peer's silence up to now says nothing about it."""
        self._heard_at = now

    def dead(self, now: float) -> bool:
        return now - self._heard_at > self.silence

    def beat(self, now: float) -> bytes:
        """What to send now, if anything. About once a second."""
        if not self.ping:
            return b""
        if self.spoke:
            self.spoke, self._spoke_at = False, now
        # Our own silence too: on a slow link a peer's ping, and so our answer, comes after all else it has to tell us.
        if self._asked or now - min(self._heard_at, self._spoke_at) <= PING_AFTER:
            return b""
        self._asked = True
        return self.ping
