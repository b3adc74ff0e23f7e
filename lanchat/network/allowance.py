"""The tokens that one link may take, from buckets that it shares with other links."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from lanchat.protocol.limits import TokenBucket

PIECE = 0.1  # s of the owner's rate; a link pays in such pieces, so that no other link waits for all of its debt
_STEP = 0.5  # s; a waiting reader checks this often whether the link is over


class Debtor(Protocol):
    @property
    def over(self) -> bool: ...
    def reset_idle(self) -> None: ...


class Allowance:
    """The tokens of one link. Any thread, except `pay`, which is for the link's reader.

    Args:
        own: the bucket of the link's owner, which all links of this owner share.
        shared: another bucket that must hold the tokens as well, which links of several owners share.
        lock: guards both buckets, so that links with a common bucket have a common lock. For memory work only.
    """

    def __init__(
        self,
        own: TokenBucket,
        shared: TokenBucket | None = None,
        *,
        lock: "threading.Lock | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._shared = shared
        self._lock = lock or threading.Lock()
        self._clock = clock

    def belong_to(self, own: TokenBucket) -> None:
        """Give the link another owner."""
        with self._lock:
            self._own = own

    @property
    def left(self) -> float:
        """How many tokens the owner has left; below 0: a debt."""
        with self._lock:
            return self._own.level(self._clock())

    def spare(self, amount: float) -> bool:
        """Take this amount only if both buckets hold it. Returns whether it was taken."""
        with self._lock:
            now = self._clock()
            if not self._own.spare(amount, now):
                return False
            if self._shared is None or self._shared.spare(amount, now):
                return True
            self._own.take(-amount, now)
            return False

    def pay(self, link: Debtor, amount: float) -> None:
        """Take this amount in pieces, and wait for each of them. The silence of the peer does not count meanwhile."""
        while amount > 0 and not link.over:
            piece = min(amount, self._own.rate * PIECE)
            amount -= piece
            until = self._clock() + self._take(piece)
            while not link.over and (rest := until - self._clock()) > 0:
                time.sleep(min(rest, _STEP))
                link.reset_idle()

    def _take(self, amount: float) -> float:
        """Take this amount. Returns the seconds until both buckets have no debt."""
        with self._lock:
            now = self._clock()
            wait = self._own.take(amount, now)
            return wait if self._shared is None else max(wait, self._shared.take(amount, now))
