"""Whom a seeker believes to have heard, and whom a host answers. Pure: time is an argument.

Both ends talk to strangers, so both are bounded: by names, by sources and by time. Under a flood of
made-up senders the honest one still gets through: whoever is new then is asked back, alone and with a
secret, and an address where nobody lives does not answer that.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from lanchat.discovery.sighting import Sighting, Vanished
from lanchat.discovery.udp.packets import Gone, Here
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import TokenBucket

WAY = "announce"
ANNOUNCE_EVERY = 3.0  # s
EXPIRES_AFTER = 3 * ANNOUNCE_EVERY  # the common rule: two may be lost
REPORT_EVERY = 0.5  # s between two reports of one name, however often it is said
MAX_NAMES = 128  # heard at once
MAX_NAMES_OF_ONE = 8  # source
NEW_RATE, NEW_BURST = 4.0, 32.0  # names a second, and at once, that are believed without being asked back
MAX_ASKED = 64  # sources that are asked back at once
ASK_RATE, ASK_BURST = 50.0, 50.0  # a second: no more than a few looks-up of a hardware address
ASKED_FOR = 2.0  # s that an answer may take
CONFIRMED_FOR = 60.0  # s that a source which answered is believed

ANSWER_RATE, ANSWER_BURST = 20.0, 60.0  # answers a second to all, and at once: a classroom that starts together
ANSWER_RATE_OF_ONE, ANSWER_BURST_OF_ONE = 4.0, 12.0  # to one source
MAX_SOURCES = 256  # that are counted one by one
_RECENT = 128  # questions remembered, since one question comes by several ways


@dataclass(frozen=True)
class AskBack:
    """Ask this source alone, with this nonce."""

    source: str
    nonce: str


class Hearing:
    """What a seeker has heard.

    Args:
        secret: makes a nonce that nobody can guess.
    """

    def __init__(self, secret: Callable[[], str], now: float) -> None:
        self._secret = secret
        self._names: dict[str, tuple[str, float, float]] = {}  # source, heard last, reported last
        self._new = TokenBucket(NEW_RATE, NEW_BURST, now)
        self._asks = TokenBucket(ASK_RATE, ASK_BURST, now)
        self._asked: dict[str, tuple[str, float]] = {}  # nonce and time, by source
        self._confirmed: OrderedDict[str, float] = OrderedDict()  # until when, by source

    def hear(self, source: str, said: Here, now: float) -> Sighting | AskBack | None:
        """What to do about a `Here` from this source."""
        asked = self._asked.get(source)
        if asked is not None and said.nonce == asked[0]:
            del self._asked[source]
            self._confirmed[source] = now + CONFIRMED_FOR
            if len(self._confirmed) > MAX_SOURCES:
                self._confirmed.popitem(last=False)
        sighting = _sighting(source, said)
        if (known := self._names.get(sighting.name)) is not None:
            fresh = now - known[2] >= REPORT_EVERY
            self._names[sighting.name] = source, now, now if fresh else known[2]
            return sighting if fresh else None
        if not self._is_believed(source, now):
            return self._ask_back(source, now)
        if len(self._names) >= MAX_NAMES or self._names_of(source) >= MAX_NAMES_OF_ONE:
            return None
        self._names[sighting.name] = source, now, now
        return sighting

    def gone(self, source: str, said: Gone) -> list[Vanished]:
        return self._forget([name for name in self._names if name.startswith(f"{said.room_id} {source} ")])

    def expired(self, now: float) -> list[Vanished]:
        """Those who have not been heard for too long."""
        return self._forget([name for name, (_, heard, _) in self._names.items() if now - heard >= EXPIRES_AFTER])

    def _is_believed(self, source: str, now: float) -> bool:
        return now < self._confirmed.get(source, 0.0) or self._new.spare(1, now)

    def _ask_back(self, source: str, now: float) -> AskBack | None:
        for late in [asked for asked, (_, at) in self._asked.items() if now - at >= ASKED_FOR]:
            del self._asked[late]
        if source in self._asked or len(self._asked) >= MAX_ASKED or not self._asks.spare(1, now):
            return None
        nonce = self._secret()
        self._asked[source] = nonce, now
        return AskBack(source, nonce)

    def _names_of(self, source: str) -> int:
        return sum(who == source for who, _, _ in self._names.values())

    def _forget(self, names: list[str]) -> list[Vanished]:
        for name in names:
            del self._names[name]
        return [Vanished(WAY, name) for name in names]


class Answering:
    """Whom a host answers, so that nobody can make it shout at others."""

    def __init__(self, now: float) -> None:
        self._all = TokenBucket(ANSWER_RATE, ANSWER_BURST, now)
        self._sources: OrderedDict[str, TokenBucket] = OrderedDict()
        self._recent: OrderedDict[tuple[object, ...], None] = OrderedDict()

    def may_answer(self, source: str, question: tuple[object, ...], now: float) -> bool:
        """Whether this question is new, and neither its source nor everybody together asks too much."""
        if question in self._recent:
            return False
        bucket = self._sources.pop(source, None) or TokenBucket(ANSWER_RATE_OF_ONE, ANSWER_BURST_OF_ONE, now)
        self._sources[source] = bucket
        if len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)
        if not bucket.spare(1, now) or not self._all.spare(1, now):
            return False
        self._recent[question] = None
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return True


def _sighting(source: str, said: Here) -> Sighting:
    # The port is in the name, so that a false word about a room does not take the place of the true one.
    name = f"{said.room_id} {source} {said.port}"
    endpoints = (Endpoint(source, said.port),)
    return Sighting(WAY, name, said.room_id, said.title, said.host, endpoints, said.fingerprint, source)
