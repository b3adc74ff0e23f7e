"""Limits the bytes that a peer may send. Raw bytes count, so that TLS key updates and empty records are included."""

import time
from collections.abc import Callable
from typing import Protocol

from lanchat.protocol.limits import TokenBucket

NOISE_BURST = 32 * 1024  # bytes without content at once; a TLS record that comes in pieces owes up to 16 kB
NOISE_RATE = 1024  # bytes a second
_STEP = 0.5  # s; a waiting reader checks this often whether the link is over


class _Link(Protocol):
    @property
    def established(self) -> bool: ...
    @property
    def over(self) -> bool: ...
    def reset_idle(self) -> None: ...
    def drop(self, code: str, reason: str) -> None: ...


class Bandwidth:
    """The bandwidth of one link. Owned by its reader thread.

    Bytes over the rate wait: the reader sleeps, and TCP slows the sender down. Too many bytes without content end the
    link, because each KeyUpdate makes OpenSSL work and answer, and OpenSSL sets no limit itself (openssl#32501).
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._bytes = TokenBucket(rate, burst, clock())
        self._noise = TokenBucket(NOISE_RATE, NOISE_BURST, clock())
        self._clock = clock

    def pay(self, link: _Link, raw: int, plain: int) -> None:
        """Account for one read of `raw` bytes that gave `plain` bytes of content. Waits while the rate is exceeded."""
        now = self._clock()
        if link.established and self._noise.take(raw - 2 * plain, now) > 0:  # content pays for what frames it
            link.drop("rules", "sends nothing but noise")
            return
        wait = self._bytes.take(raw, now)
        while wait > 0 and not link.over:
            time.sleep(min(wait, _STEP))
            link.reset_idle()
            wait -= _STEP
