"""Admission control: limits for strangers, for the links and connects of one source, and for password attempts.

A stranger is a link whose peer has not proven an identity yet. If there are too many, the oldest is dropped: honest
clients say hello within milliseconds.

A source is an IP address. This machine itself is not counted, because many people may share it. Servers on the internet
count the /64 of an IPv6 address; here that would be the whole network, and a class of seventeen would be one too many.
"""

import ipaddress
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol

from lanchat.protocol.limits import Limits, TokenBucket

GRACE = 0.5  # s that a stranger has before it may be dropped for a new one; a crowd waits in the backlog meanwhile
MAX_SOURCES = 4096  # sources remembered; OpenSSH tracks 65,536 and forgets the oldest too
ATTEMPTS_PER_SOURCE = 3  # wrong passwords at once, and then per minute (ergo's number for logins)
MAX_ADMITTED = 10_000  # keys remembered because they knew the password; beyond that the first are forgotten
ATTEMPTS_OF_NEW = 10  # wrong passwords at once, and then per minute, of all keys that are new to the room ...
ATTEMPTS_OF_KNOWN = 20  # ... and of all that are not; half of 33 bits at 30 guesses a minute take 270 years
_MINUTE = 60.0  # s


class Droppable(Protocol):
    """A link, as far as admission control uses it."""

    def drop(self, code: str, reason: str) -> None: ...


def source_of(address: str) -> str:
    """The source that an address belongs to; "" for this machine."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""  # a socket without a network
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    return "" if ip.is_loopback else str(ip)


class Admission:
    """Counts links and connects. `accepts` and `begin` are for the accept thread, `admit` and `end` for readers."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._changed = threading.Condition()  # guards all below
        self._strangers: OrderedDict[Droppable, tuple[float, str]] = OrderedDict()  # when each came, and its source
        self._links: dict[Droppable, str] = {}
        self._per_source: Counter[str] = Counter()
        self._connects: OrderedDict[str, TokenBucket] = OrderedDict()

    def accepts(self, source: str) -> bool:
        """Whether a new connection from this source is accepted now. It counts as a connect."""
        if not source:
            return True
        with self._changed:
            bucket = _bucket(
                self._connects, source, self._limits.connects_rate, self._limits.connects_burst, self._clock()
            )
            return bucket.spare(1, self._clock()) and self._per_source[source] < self._limits.links_per_source

    def begin(self, link: Droppable, source: str) -> None:
        """Count this link as a stranger. If there are too many, the oldest is dropped as soon as its GRACE is over."""
        with self._changed:
            if len(self._strangers) >= self._limits.strangers:
                since, _ = next(iter(self._strangers.values()))
                grace = max(0.0, since + GRACE - self._clock())
                self._changed.wait_for(lambda: len(self._strangers) < self._limits.strangers, grace)
            dropped = []
            if len(self._strangers) >= self._limits.strangers:
                dropped.append(next(iter(self._strangers)))
            same = [other for other, (_, origin) in self._strangers.items() if source and origin == source]
            if len(same) >= self._limits.strangers_per_source and same[0] not in dropped:
                dropped.append(same[0])
            for other in dropped:
                del self._strangers[other]
            self._strangers[link] = self._clock(), source
            self._links[link] = source
            self._per_source[source] += 1
        for other in dropped:
            other.drop("busy", "too many strangers at the door")

    def admit(self, link: Droppable) -> None:
        """The peer of this link has proven its identity, or is a guest with a nick: it is no stranger any more."""
        with self._changed:
            self._strangers.pop(link, None)
            self._changed.notify_all()

    def end(self, link: Droppable) -> None:
        """This link is over."""
        with self._changed:
            self._strangers.pop(link, None)
            source = self._links.pop(link, None)
            if source is not None:
                self._per_source[source] -= 1
                if not self._per_source[source]:
                    del self._per_source[source]
            self._changed.notify_all()


class PasswordThrottle:
    """Limits password attempts. An attempt counts from its start, so hanging up in the middle does not help.

    A key that was admitted with this password has a limit of its own, because it has nothing to guess, and the guesses
    of others do not lock it out. Keys that were in the room before share a limit: one person may have brought many of
    them when the room had no password, or another one. The guesses of new keys do not lock them out. Any thread.

    Args:
        known: member ids that were in the room before.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, known: Iterable[str] = ()) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._new = TokenBucket(ATTEMPTS_OF_NEW / _MINUTE, ATTEMPTS_OF_NEW, clock())
        self._of_known = TokenBucket(ATTEMPTS_OF_KNOWN / _MINUTE, ATTEMPTS_OF_KNOWN, clock())
        self._sources: OrderedDict[str, TokenBucket] = OrderedDict()
        self._keys: OrderedDict[str, TokenBucket] = OrderedDict()  # of those admitted
        self._known = frozenset(known)
        self._admitted: dict[str, None] = {}  # a set that keeps its order

    def begin(self, source: str, member: str) -> float:
        """Count an attempt that is about to begin.

        Returns:
            0: it may begin; else the seconds after which the next one may.
        """
        with self._lock:
            now = self._clock()
            wait = max(bucket.take(1, now) for bucket in self._buckets(source, member, now))
            if wait > 0:  # the attempt does not take place, so it does not count
                self._give_back(source, member, now)
            return wait

    def succeed(self, source: str, member: str) -> None:
        """The password was right, so the attempt does not count as a guess."""
        with self._lock:
            self._give_back(source, member, self._clock())
            if member not in self._admitted:
                self._admitted[member] = None
                if len(self._admitted) > MAX_ADMITTED:
                    del self._admitted[next(iter(self._admitted))]

    def _give_back(self, source: str, member: str, now: float) -> None:
        for bucket in self._buckets(source, member, now):
            bucket.take(-1, now)

    def _buckets(self, source: str, member: str, now: float) -> list[TokenBucket]:
        """The buckets in which an attempt counts."""
        rate = ATTEMPTS_PER_SOURCE / _MINUTE
        if member in self._admitted:
            return [_bucket(self._keys, member, rate, ATTEMPTS_PER_SOURCE, now)]
        shared = self._of_known if member in self._known else self._new
        return [shared, _bucket(self._sources, source, rate, ATTEMPTS_PER_SOURCE, now)] if source else [shared]


def _bucket(buckets: OrderedDict[str, TokenBucket], source: str, rate: float, burst: float, now: float) -> TokenBucket:
    bucket = buckets.get(source)
    if bucket is None:
        if len(buckets) >= MAX_SOURCES:
            buckets.popitem(last=False)
        bucket = buckets[source] = TokenBucket(rate, burst, now)
    return bucket
