"""Rate limits of lines and of raw bytes that belong to members, to sources and to the room, not to links.

All links of one member use the same token buckets, and so do all links from one source (see admission.py), and all
members of the room: what they say at once has a bound, because everybody has to read it. Strangers, whom nobody reads,
have no part in the room's. The links of one source take turns at it, so that a few sources do not delay everybody. The
buckets of a member and of a source stay for a minute after the last of these links has ended, so that nobody gains by
reconnecting; by then they are full.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from lanchat.network.allowance import Allowance
from lanchat.protocol.ids import UNVERIFIED, is_verified
from lanchat.protocol.limits import LINES_A_MESSAGE, Limits, TokenBucket

REMEMBERED = 60.0  # s that the buckets of an owner stay after its last link
# Members, and as many sources, that are remembered without a link; the oldest are forgotten first.
MAX_REMEMBERED = 4096


@dataclass(eq=False, slots=True)
class _Owner:
    lines: TokenBucket
    bytes: TokenBucket
    links: int = 0
    waiter: threading.Lock = field(default_factory=threading.Lock)  # of its links that wait for the room's buckets


class _Owners:
    """All members, or all sources, and their buckets. Requires holding the lock of `Quotas`.

    Args:
        messages, bytes: how many a second, and how many at once.
    """

    def __init__(self, messages: tuple[float, float], bytes: tuple[float, float]) -> None:
        self._messages = messages
        self._bytes = bytes
        self._here: dict[str, _Owner] = {}
        self._gone: OrderedDict[str, tuple[_Owner, float]] = OrderedDict()  # with the time when the last link ended

    def new(self, now: float) -> _Owner:
        return _buckets(self._messages, self._bytes, now)

    def enter(self, name: str, now: float) -> _Owner:
        """Count another link of this owner."""
        owner = self._here.get(name)
        if owner is None:
            owner, _ = self._gone.pop(name, (None, 0.0))
            owner = self._here[name] = owner or self.new(now)
        owner.links += 1
        return owner

    def leave(self, name: str, now: float) -> None:
        """Count one link of this owner less."""
        owner = self._here[name]
        owner.links -= 1
        if owner.links:
            return
        self._gone[name] = self._here.pop(name), now
        while len(self._gone) > MAX_REMEMBERED or next(iter(self._gone.values()))[1] < now - REMEMBERED:
            self._gone.popitem(last=False)


def _buckets(messages: tuple[float, float], bytes: tuple[float, float], now: float) -> _Owner:
    rate, burst = messages
    return _Owner(TokenBucket(rate * LINES_A_MESSAGE, burst * LINES_A_MESSAGE, now), TokenBucket(*bytes, now))


class Quotas:
    """All quotas of one host. Any thread."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards all buckets and who has them; for memory work only
        self._members = _Owners((limits.message_rate, limits.message_burst), (limits.byte_rate, limits.byte_burst))
        self._sources = _Owners(
            (limits.source_message_rate, limits.source_message_burst),
            (limits.source_byte_rate, limits.source_byte_burst),
        )
        self.room = _buckets(
            (limits.room_message_rate, limits.room_message_burst),
            (limits.room_byte_rate, limits.room_byte_burst),
            clock(),
        )

    def open(self, source: str) -> "Quota":
        """The quota of a new link, whose member is not known yet.

        Args:
            source: as `source_of` gives it; links from "" share nothing.
        """
        with self._lock:
            now = self._clock()
            own = self._members.new(now)
            shared = self._sources.enter(source, now) if source else None
        more = [shared] if shared else []
        return Quota(
            self,
            source,
            shared.waiter if shared else None,
            Allowance(own.lines, *(owner.lines for owner in more), lock=self._lock, clock=self._clock),
            Allowance(own.bytes, *(owner.bytes for owner in more), lock=self._lock, clock=self._clock),
        )

    def enter(self, member: str) -> _Owner:
        with self._lock:
            return self._members.enter(member, self._clock())

    def leave(self, member: str, source: str) -> None:
        with self._lock:
            now = self._clock()
            if member:
                self._members.leave(member, now)
            if source:
                self._sources.leave(source, now)


class Quota:
    """The quota of one link. Owned by the link's reader thread.

    Attributes:
        lines: a message takes LINES_A_MESSAGE of them.
        bytes: raw bytes.
    """

    def __init__(
        self, quotas: Quotas, source: str, waiter: "threading.Lock | None", lines: Allowance, bytes: Allowance
    ) -> None:
        self.lines = lines
        self.bytes = bytes
        self._quotas = quotas
        self._source = source
        self._waiter = waiter  # of the source
        self._member = ""

    def admit(self, member: str) -> None:
        """Use the buckets of this member from now on. Guests have no key: all guests from one source are one member."""
        if not is_verified(member) and self._source:
            member = UNVERIFIED + self._source
        self._member = member
        owner = self._quotas.enter(member)
        room, waiter = self._quotas.room, self._waiter or owner.waiter
        self.lines.belong_to(owner.lines, room.lines, waiter)
        self.bytes.belong_to(owner.bytes, room.bytes, waiter)

    def close(self) -> None:
        """Release the quota. To be called once, when the link has ended."""
        self._quotas.leave(self._member, self._source)
