"""The rate limit of the bytes that a peer may send. Raw bytes count, with TLS key updates and empty records."""

from collections.abc import Callable
from typing import Protocol

from lanchat.network.allowance import Allowance, Debtor
from lanchat.protocol.limits import TokenBucket

NOISE_BURST = 32 * 1024  # bytes without content at once; a TLS record that comes in pieces owes up to 16 kB
NOISE_RATE = 1024  # bytes a second


class _Link(Debtor, Protocol):
    @property
    def established(self) -> bool: ...
    def drop(self, code: str, reason: str) -> None: ...


class Bandwidth:
    """The bandwidth of one link. Owned by its reader thread.

    Bytes over the rate wait: the reader sleeps, and TCP slows the sender down. Too many bytes without content end the
    link, because each KeyUpdate makes OpenSSL work and answer, and OpenSSL sets no limit itself (openssl#32501).
    """

    def __init__(self, bytes: Allowance, clock: Callable[[], float]) -> None:
        self._bytes = bytes
        self._noise = TokenBucket(NOISE_RATE, NOISE_BURST, clock())
        self._clock = clock

    def pay(self, link: _Link, raw: int, plain: int) -> None:
        """Account for one read of `raw` bytes that gave `plain` bytes of content. Waits while the rate is exceeded."""
        # Content pays for what frames it.
        if link.established and self._noise.take(raw - 2 * plain, self._clock()) > 0:
            link.drop("rules", "sends nothing but noise")
        elif not self._bytes.spare(raw):
            self._bytes.pay(link, raw)
