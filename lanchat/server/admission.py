"""Who may come near: links that have not shown who they are, links and connects of one source, password attempts.

A source is an address; this machine itself is no source, as many people may share it. Not the /64 of an IPv6 address,
as servers of the internet count: here that is the whole network, and the seventeenth of a class would be kept out.
Where there are too many strangers the oldest makes room: who means well says hello within milliseconds.
"""

import ipaddress
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol

from lanchat.protocol.limits import Limits, TokenBucket

GRACE = 0.5  # s that a stranger may use before it must make room for the next; a crowd waits in the backlog meanwhile
MAX_SOURCES = 4096  # sources remembered; OpenSSH tracks 65,536 and forgets the oldest too
ATTEMPTS_PER_SOURCE = 3  # wrong passwords at once, and a minute (ergo's number for logins)
MAX_ADMITTED = 10_000  # keys that knew the password; then the first are forgotten
ATTEMPTS_PER_ROOM = 10  # wrong passwords at once, and a minute: 33 bits last for 800 years
_MINUTE = 60.0  # s


class Droppable(Protocol):
    def drop(self, code: str, reason: str) -> None: ...


def source_of(address: str) -> str:
    """Whom an address is counted for; "" for this machine."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""  # a socket without a network
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    return "" if ip.is_loopback else str(ip)


class Admission:
    """Counts who is at the door. Any thread: `knock` and `begin` for the accept thread, the rest for readers."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._changed = threading.Condition()  # guards all below
        self._strangers: OrderedDict[Droppable, tuple[float, str]] = OrderedDict()  # since when, from where
        self._links: dict[Droppable, str] = {}
        self._per_source: Counter[str] = Counter()
        self._connects: OrderedDict[str, TokenBucket] = OrderedDict()

    def accepts(self, source: str) -> bool:
        """Whether somebody from there may come now."""
        if not source:
            return True
        with self._changed:
            bucket = _bucket(
                self._connects, source, self._limits.connects_rate, self._limits.connects_burst, self._clock()
            )
            return bucket.spare(1, self._clock()) and self._per_source[source] < self._limits.links_per_source

    def begin(self, link: Droppable, source: str) -> None:
        """This link is a stranger. Where there are too many, the oldest goes as soon as it has had its GRACE."""
        with self._changed:
            if len(self._strangers) >= self._limits.strangers:
                since, _ = next(iter(self._strangers.values()))
                rest = since + GRACE - self._clock()
                self._changed.wait_for(lambda: len(self._strangers) < self._limits.strangers, max(0.0, rest))
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
        """This link has shown who it is."""
        with self._changed:
            self._strangers.pop(link, None)
            self._changed.notify_all()

    def end(self, link: Droppable) -> None:
        with self._changed:
            self._strangers.pop(link, None)
            source = self._links.pop(link, None)
            if source is not None:
                self._per_source[source] -= 1
                if not self._per_source[source]:
                    del self._per_source[source]
            self._changed.notify_all()


class PasswordThrottle:
    """Password attempts, counted when they start: whoever hangs up in the middle has made one too. Any thread.

    A key that knew the password once, or was in the room before, has attempts of its own: nobody is locked out by
    somebody else's guesses.

    Args:
        known: member ids of earlier evenings.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, known: Iterable[str] = ()) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._room = TokenBucket(ATTEMPTS_PER_ROOM / _MINUTE, ATTEMPTS_PER_ROOM, clock())
        self._sources: OrderedDict[str, TokenBucket] = OrderedDict()
        self._keys: OrderedDict[str, TokenBucket] = OrderedDict()  # of those admitted
        self._admitted: dict[str, None] = dict.fromkeys(known)  # a set that keeps its order

    def begin(self, source: str, member: str) -> float:
        """Somebody begins an attempt.

        Returns:
            0, or the s after which they may try again.
        """
        with self._lock:
            now = self._clock()
            wait = max(bucket.take(1, now) for bucket in self._buckets(source, member, now))
            if wait > 0:  # it does not take place, so it does not count
                self._give_back(source, member, now)
            return wait

    def succeed(self, source: str, member: str) -> None:
        """They knew it: this was no guess."""
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
        """Where an attempt counts."""
        rate = ATTEMPTS_PER_SOURCE / _MINUTE
        if member in self._admitted:
            return [_bucket(self._keys, member, rate, ATTEMPTS_PER_SOURCE, now)]
        if not source:
            return [self._room]
        return [self._room, _bucket(self._sources, source, rate, ATTEMPTS_PER_SOURCE, now)]


def _bucket(buckets: OrderedDict[str, TokenBucket], source: str, rate: float, burst: float, now: float) -> TokenBucket:
    bucket = buckets.get(source)
    if bucket is None:
        if len(buckets) >= MAX_SOURCES:
            buckets.popitem(last=False)
        bucket = buckets[source] = TokenBucket(rate, burst, now)
    return bucket
