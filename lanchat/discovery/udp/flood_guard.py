"""Filters announcements and limits answers, so that a flood cannot hide real rooms. Pure: time is an argument.

Both ends of discovery talk to strangers, so both are bounded: by names, by senders and by time. An honest host gets
through even a flood of invented senders: while there are too many new ones, each is challenged with a secret nonce, and
an address where no machine is does not answer that.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from lanchat.discovery.sighting import Sighting, Vanished
from lanchat.discovery.udp.packets import Gone, Here
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import TokenBucket

VIA_ANNOUNCE = "announce"
ANNOUNCE_EVERY = 3.0  # s
EXPIRES_AFTER = 3 * ANNOUNCE_EVERY  # the usual rule: two announcements may be lost
REPORT_EVERY = 0.5  # s between two reports of one name, however often it is announced
MAX_NAMES = 512  # known at once
MAX_NAMES_OF_ONE = 32  # of one sender; the directory lists fewer, and chooses them
NEW_RATE, NEW_BURST = 4.0, 32.0  # new names a second, and at once, that are believed without a challenge
MAX_CHALLENGES = 64  # open at once
CHALLENGE_RATE, CHALLENGE_BURST = 50.0, 50.0  # a second: each may make the system look up a hardware address
CHALLENGE_LIMIT = 2.0  # s for an answer
CONFIRMED_FOR = 60.0  # s that a sender who answered is believed

ANSWER_RATE, ANSWER_BURST = 20.0, 60.0  # answers a second to all, and at once: a class that starts together
ANSWER_RATE_OF_ONE, ANSWER_BURST_OF_ONE = 4.0, 12.0  # to one sender
MAX_SENDERS = 256  # that are counted one by one
_RECENT = 128  # questions remembered, because one question arrives by several targets


@dataclass(frozen=True)
class Challenge:
    """A question to send to this sender alone, with this nonce."""

    sender: str
    nonce: str


@dataclass
class _Announced:
    sender: str
    last_at: float
    reported_at: float


class AnnouncementFilter:
    """Decides which announcements a seeker reports, and which senders it challenges first.

    Args:
        new_nonce: makes a nonce that nobody can guess.
    """

    def __init__(self, new_nonce: Callable[[], str], now: float) -> None:
        self._new_nonce = new_nonce
        self._names: dict[str, _Announced] = {}
        self._new = TokenBucket(NEW_RATE, NEW_BURST, now)
        self._challenge_rate = TokenBucket(CHALLENGE_RATE, CHALLENGE_BURST, now)
        self._challenges: dict[str, tuple[str, float]] = {}  # nonce and time, by sender
        self._confirmed: OrderedDict[str, float] = OrderedDict()  # until when, by sender

    def here(self, sender: str, packet: Here, now: float) -> Sighting | Challenge | None:
        """Handle an announcement. Returns the sighting to report, or the challenge to send; None: neither."""
        challenge = self._challenges.get(sender)
        if challenge is not None and packet.nonce == challenge[0]:
            del self._challenges[sender]
            self._confirmed[sender] = now + CONFIRMED_FOR
            if len(self._confirmed) > MAX_SENDERS:
                self._confirmed.popitem(last=False)
        sighting = _sighting(sender, packet)
        if (known := self._names.get(sighting.name)) is not None:
            known.sender, known.last_at = sender, now
            if now - known.reported_at < REPORT_EVERY:
                return None
            known.reported_at = now
            return sighting
        if not self._is_believed(sender, now):
            return self._challenge(sender, now)
        if len(self._names) >= MAX_NAMES or self._names_of(sender) >= MAX_NAMES_OF_ONE:
            return None
        self._names[sighting.name] = _Announced(sender, now, now)
        return sighting

    def gone(self, sender: str, packet: Gone) -> list[Vanished]:
        """A goodbye counts only for rooms that the same sender announced."""
        return self._forget([name for name in self._names if name.startswith(f"{packet.room_id} {sender} ")])

    def expired(self, now: float) -> list[Vanished]:
        """The rooms whose last announcement is too old."""
        return self._forget([name for name, known in self._names.items() if now - known.last_at >= EXPIRES_AFTER])

    def _is_believed(self, sender: str, now: float) -> bool:
        return now < self._confirmed.get(sender, 0.0) or self._new.spare(1, now)

    def _challenge(self, sender: str, now: float) -> Challenge | None:
        for late in [who for who, (_, at) in self._challenges.items() if now - at >= CHALLENGE_LIMIT]:
            del self._challenges[late]
        if sender in self._challenges or len(self._challenges) >= MAX_CHALLENGES:
            return None
        if not self._challenge_rate.spare(1, now):
            return None
        nonce = self._new_nonce()
        self._challenges[sender] = nonce, now
        return Challenge(sender, nonce)

    def _names_of(self, sender: str) -> int:
        return sum(known.sender == sender for known in self._names.values())

    def _forget(self, names: list[str]) -> list[Vanished]:
        for name in names:
            del self._names[name]
        return [Vanished(VIA_ANNOUNCE, name) for name in names]


class AnswerLimit:
    """Limits how often a host answers, so that nobody can turn it into a source of traffic for others."""

    def __init__(self, now: float) -> None:
        self._all = TokenBucket(ANSWER_RATE, ANSWER_BURST, now)
        self._senders: OrderedDict[str, TokenBucket] = OrderedDict()
        self._recent: OrderedDict[tuple[object, ...], None] = OrderedDict()

    def allows(self, sender: str, question: tuple[object, ...], now: float) -> bool:
        """Whether this question is new, and neither its sender nor all senders together ask too much."""
        if question in self._recent:
            return False
        bucket = self._senders.pop(sender, None) or TokenBucket(ANSWER_RATE_OF_ONE, ANSWER_BURST_OF_ONE, now)
        self._senders[sender] = bucket
        if len(self._senders) > MAX_SENDERS:
            self._senders.popitem(last=False)
        if not bucket.spare(1, now) or not self._all.spare(1, now):
            return False
        self._recent[question] = None
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return True


def _sighting(sender: str, packet: Here) -> Sighting:
    # The port is in the name, so that a false announcement of a room does not replace the true one.
    name = f"{packet.room_id} {sender} {packet.port}"
    endpoints = (Endpoint(sender, packet.port),)
    return Sighting(
        VIA_ANNOUNCE, name, packet.room_id, packet.title, packet.host, endpoints, packet.fingerprint, sender
    )
