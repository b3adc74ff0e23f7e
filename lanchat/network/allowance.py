"""A rate limit that several links share: the tokens that one of them may take from the buckets of all."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from lanchat.protocol.limits import TokenBucket

PIECE = 0.1  # s of the owner's rate; a link pays in such pieces, so that no other link waits for all of its debt
_STEP = 0.5  # s; a waiting reader checks this often whether the link is over
_NO_LIMIT = float(1 << 40)  # bytes a second, which no link reaches


class Debtor(Protocol):
    """A link, as far as its allowance uses it."""

    @property
    def over(self) -> bool: ...
    def reset_idle(self) -> None: ...


class Allowance:
    """The tokens of one link. Any thread, except `pay`, which is for the link's reader.

    Args:
        own: the bucket of the link's owner, which all links of this owner share.
        shared: other buckets that must hold the tokens as well, which links of several owners share.
        lock: guards all these buckets, so that links with a common bucket have a common lock. For memory work only.
    """

    def __init__(
        self,
        own: TokenBucket,
        *shared: TokenBucket,
        lock: "threading.Lock | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._shared = shared
        self._buckets = self._all = (own, *shared)
        self._room: tuple[TokenBucket, threading.Lock] | None = None
        self._lock = lock or threading.Lock()
        self._clock = clock

    def belong_to(self, own: TokenBucket, room: TokenBucket, waiter: "threading.Lock") -> None:
        """Give the link another owner, and a part in what everybody shares.

        Args:
            waiter: held by the one link of a source that waits for `room`. So the debt of `room`, which everybody waits
                for, grows with the number of sources, and not with that of their links.
        """
        with self._lock:
            self._own = own
            self._buckets = (own, *self._shared)
            self._all = (*self._buckets, room)
            self._room = room, waiter

    def spare(self, amount: float) -> bool:
        """Take this amount only if all buckets hold it. Returns whether it was taken."""
        with self._lock:
            now = self._clock()
            for number, bucket in enumerate(self._all):
                if not bucket.spare(amount, now):
                    for paid in self._all[:number]:
                        paid.take(-amount, now)
                    return False
            return True

    def pay(self, link: Debtor, amount: float) -> None:
        """Take this amount in pieces, and wait for each of them. The silence of the peer does not count meanwhile."""
        while amount > 0 and not link.over:
            piece = min(amount, self._own.rate * PIECE)
            amount -= piece
            self._take(link, self._buckets, piece)
            if self._room is not None:
                self._take_from_room(link, *self._room, piece)

    def _take_from_room(self, link: Debtor, room: TokenBucket, waiter: "threading.Lock", amount: float) -> None:
        while not link.over:
            if waiter.acquire(timeout=_STEP):
                try:
                    self._take(link, (room,), amount)
                finally:
                    waiter.release()
                return
            link.reset_idle()

    def _take(self, link: Debtor, buckets: Iterable[TokenBucket], amount: float) -> None:
        """Take this amount, and wait until none of these buckets has a debt."""
        with self._lock:
            now = self._clock()
            until = now + max(bucket.take(amount, now) for bucket in buckets)
        while not link.over and (rest := until - self._clock()) > 0:
            time.sleep(min(rest, _STEP))
            link.reset_idle()


def unlimited() -> Allowance:
    """The allowance of a link for a file, whose size is its limit. Empty records still cost something."""
    return Allowance(TokenBucket(_NO_LIMIT, _NO_LIMIT, time.monotonic()))
