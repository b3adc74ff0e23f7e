"""One list made of all sightings. Pure: time is an argument. Owned by the lookout, under its lock.

A sighting only says where to knock. What the list shows is what the host itself answers there (its
card); where nobody listens any more, or something else does, there is no room to list: the mDNS
record of a killed host lives up to 75 minutes, so every place is asked again every few seconds. And
a goodbye is only a hint too: anyone can send one for a room that lives, so the room has a moment to
answer before it leaves the list.
"""

import dataclasses
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lanchat.discovery.sighting import Listing, Sighting, State, Vanished, may_dial, shown_nick, shown_title
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.messages import Card

MAX_ROOMS = 64  # in the list, and sightings by each way; a person reads no more, a flood stops here
MAX_FROM_ONE_SOURCE = 4  # sightings; but for loopback: those are our own
MAX_ENDPOINTS = 4  # of one sighting that are dialled
KEPT_AFTER_GOODBYE = 2.0  # s
ASK_EVERY = 3.0  # s; people come and go, and a killed host leaves the list after this
ASK_LATEST = 15.0  # s between two questions to a place that keeps failing
ASK_SOON = 1.0  # s; after a goodbye, and after the first miss of a place that has answered
SETTLE = 0.1  # s that a room has for another address than a link-local one, of which people can make little
MISSES_FORGIVEN = 1  # of a place that has answered: one lost packet is no end
MAX_ASKED_A_SECOND = 64  # places; nobody makes us a port scanner
MAX_TRIED_AT_ONCE = 8  # places of which nobody says that a room is there: most are silent, and others must not wait


@dataclass(frozen=True)
class Answered:
    card: Card
    fingerprint: str  # of the key that the host showed
    key_status: str = ""  # how that key stands to what we know of the room


@dataclass(frozen=True)
class Closed:
    """Nobody listens there."""


@dataclass(frozen=True)
class NoRoom:
    """Something else listens there."""


@dataclass(frozen=True)
class NoAnswer:
    """Not in time, or no way there."""


Outcome = Answered | Closed | NoRoom | NoAnswer


@dataclass
class _Seen:
    sighting: Sighting
    gone_at: float | None = None


@dataclass
class _Place:
    """Where a room is said to be, and what we found there."""

    endpoint: Endpoint
    due_at: float
    asking: bool = False
    asked_at: float = 0.0
    found: Literal["nothing yet", "answering", "silent", "nothing"] = "nothing yet"
    known: Answered | None = None  # the last card from there, as long as it may still be the same room
    since: float = 0.0  # when it began to answer
    answered_at: float = 0.0  # when the question was asked that `known` answers
    misses: int = 0

    @property
    def link_local(self) -> bool:
        return "%" in self.endpoint.host

    def holds(self, room_id: str) -> bool:
        return self.known is not None and self.known.card.room == room_id

    def answers_for(self, room_id: str) -> bool:
        return self.found == "answering" and self.holds(room_id)


class Directory:
    """
    Args:
        on: our addresses on the networks we look at; see `may_dial`.
    """

    def __init__(self, on: tuple[Address, ...]) -> None:
        self._on = on
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._places: dict[Endpoint, _Place] = {}
        self._asked: deque[float] = deque(maxlen=MAX_ASKED_A_SECOND)

    def look_on(self, on: tuple[Address, ...]) -> None:
        """Our addresses have changed. What is listed stays as long as it answers."""
        self._on = on

    def see(self, sighting: Sighting, now: float) -> None:
        key = sighting.way, sighting.name
        fit = (e for e in dict.fromkeys(sighting.endpoints) if may_dial(e, self._on, joined=sighting.joined))
        endpoints = tuple(fit)[:MAX_ENDPOINTS]
        if not endpoints or (key not in self._seen and not self._has_room_for(sighting)):
            return
        self._seen[key] = _Seen(dataclasses.replace(sighting, endpoints=endpoints))
        for endpoint in endpoints:
            self._places.setdefault(endpoint, _Place(endpoint, due_at=now))
        self._forget_unseen_places()

    def vanish(self, vanished: Vanished, now: float) -> None:
        seen = self._seen.get((vanished.way, vanished.name))
        if seen is None or seen.gone_at is not None:
            return
        seen.gone_at = now
        for endpoint in seen.sighting.endpoints:
            self._places[endpoint].due_at = now

    def due(self, now: float, at_most: int) -> list[Endpoint]:
        """The places to ask now; each is taken as asked from here on, until `answer`."""
        said = {e for seen in self._seen.values() if seen.sighting.room_id for e in seen.sighting.endpoints}
        tried = MAX_TRIED_AT_ONCE - sum(p.asking and e not in said for e, p in self._places.items())
        waiting = [(p.misses, p.due_at, e) for e, p in self._places.items() if not p.asking and p.due_at <= now]
        waiting.sort(key=lambda entry: (entry[2] not in said, *entry[:2]))  # who keeps failing waits behind the others
        ready = [e for _, _, e in waiting if e in said]
        ready += [e for _, _, e in waiting if e not in said][: max(0, tried)]
        taken = [endpoint for endpoint in ready[: max(0, at_most)] if self._may_ask(now)]
        for endpoint in taken:
            self._places[endpoint].asking = True
            self._places[endpoint].asked_at = now
        return taken

    def answer(self, endpoint: Endpoint, outcome: Outcome, now: float) -> None:
        place = self._places.get(endpoint)
        if place is None:
            return  # forgotten while it was asked
        place.asking = False
        match outcome:
            case Answered():
                if place.found != "answering":
                    place.since = now
                place.found, place.known, place.misses = "answering", outcome, 0
                place.answered_at = place.asked_at
            case Closed():
                place.found, place.known = "nothing", None
                place.misses += 1
            case NoRoom() | NoAnswer():
                place.misses += 1
                if place.found != "answering" or place.misses > MISSES_FORGIVEN:
                    place.found = "silent" if isinstance(outcome, NoAnswer) else "nothing"
        place.due_at = now + self._pause(place, now)

    def next_at(self, now: float) -> float | None:
        """When `due` or `listings` will have something new by the passing of time alone."""
        times = [place.due_at for place in self._places.values() if not place.asking]
        ends = (s.gone_at + KEPT_AFTER_GOODBYE for s in self._seen.values() if s.gone_at is not None)
        holds = (place.since + SETTLE for place in self._places.values() if place.link_local)
        return min([*times, *(end for end in (*ends, *holds) if end > now)], default=None)

    def listings(self, now: float) -> tuple[Listing, ...]:
        self._let_go(now)
        rooms: dict[str, list[_Seen]] = {}
        for seen in self._seen.values():
            for room_id in self._rooms_of(seen):
                rooms.setdefault(room_id, []).append(seen)
        listed = [listing for id, seen in rooms.items() if (listing := self._listing(id, seen, now)) is not None]
        listed.sort(key=lambda listing: listing.state != "answering")
        return tuple(sorted(listed[:MAX_ROOMS], key=lambda listing: (listing.title.casefold(), listing.room_id)))

    def _listing(self, room_id: str, seen: list[_Seen], now: float) -> Listing | None:
        places = list({place.endpoint: place for s in seen for place in self._places_of(s)}.values())
        answering = sorted((p for p in places if p.answers_for(room_id)), key=lambda place: place.since)
        silent = [place for place in places if place.found == "silent"]
        ways = tuple(sorted({s.sighting.way for s in seen}))
        if answering and all(place.link_local and now < place.since + SETTLE for place in answering):
            return None
        if answering and answering[0].known is not None:
            # Two keys for one room: whoever answered first keeps the row. Which one is right, the pinned key says.
            fingerprint = answering[0].known.fingerprint
            same = [place for place in answering if place.known and place.known.fingerprint == fingerprint]
            newest = max(same, key=lambda place: place.answered_at)
            return _from_card(newest, [*same, *silent], ways, "answering")
        for place in silent:
            if place.holds(room_id):
                return _from_card(place, silent, ways, "silent")
        hint = next((s.sighting for s in seen if s.sighting.room_id), None)
        if not silent or hint is None:
            return None
        title, host = shown_title(hint.title), shown_nick(hint.host)
        endpoints = tuple(place.endpoint for place in silent)
        return Listing(room_id, title, host, None, False, endpoints, ways, "silent", hint.fingerprint)

    def _let_go(self, now: float) -> None:
        """Forget what said goodbye a while ago, unless the room has answered after that."""
        gone = [
            key
            for key, seen in self._seen.items()
            if seen.gone_at is not None
            and now >= seen.gone_at + KEPT_AFTER_GOODBYE
            and not any(
                place.answered_at >= seen.gone_at and any(map(place.answers_for, self._rooms_of(seen)))
                for place in self._places_of(seen)
            )
        ]
        for key in gone:
            del self._seen[key]
        if gone:
            self._forget_unseen_places()

    def _forget_unseen_places(self) -> None:
        seen = {endpoint for s in self._seen.values() for endpoint in s.sighting.endpoints}
        for endpoint in self._places.keys() - seen:
            del self._places[endpoint]

    def _has_room_for(self, sighting: Sighting) -> bool:
        """Make room for a newcomer where a limit is reached: those that do not answer go first, oldest first."""
        same_way = [key for key in self._seen if key[0] == sighting.way]
        same_source = [key for key in same_way if self._seen[key].sighting.source == sighting.source]
        if not sighting.source.startswith("127.") and len(same_source) >= MAX_FROM_ONE_SOURCE:
            return self._drop_failed(same_source)
        return len(same_way) < MAX_ROOMS or self._drop_failed(same_way)

    def _drop_failed(self, keys: list[tuple[str, str]]) -> bool:
        for key in keys:
            if all(place.found in ("silent", "nothing") for place in self._places_of(self._seen[key])):
                del self._seen[key]
                self._forget_unseen_places()
                return True
        return False

    def _rooms_of(self, seen: _Seen) -> set[str]:
        """The rooms a sighting is about: the one it names, or what answers where it says to try."""
        if seen.sighting.room_id:
            return {seen.sighting.room_id}
        return {place.known.card.room for place in self._places_of(seen) if place.known is not None}

    def _places_of(self, seen: _Seen) -> Iterator[_Place]:
        return (self._places[endpoint] for endpoint in seen.sighting.endpoints)

    def _may_ask(self, now: float) -> bool:
        if len(self._asked) == MAX_ASKED_A_SECOND and now - self._asked[0] < 1.0:
            return False
        self._asked.append(now)
        return True

    def _pause(self, place: _Place, now: float) -> float:
        leaving = any(
            seen.gone_at is not None and now < seen.gone_at + KEPT_AFTER_GOODBYE
            for seen in self._seen.values()
            if place.endpoint in seen.sighting.endpoints
        )
        if leaving or (place.misses and place.found == "answering"):
            return ASK_SOON
        return min(ASK_EVERY * max(1, place.misses), ASK_LATEST)


def _from_card(place: _Place, places: list[_Place], ways: tuple[str, ...], state: State) -> Listing:
    assert place.known is not None
    card = place.known.card
    # Those that answered first are the fastest; but one that holds on this machine alone helps nobody who reads it.
    endpoints = tuple(sorted((p.endpoint for p in places), key=lambda endpoint: "%" in endpoint.host))
    return Listing(
        card.room,
        shown_title(card.title),
        shown_nick(card.host),
        card.people,
        card.locked,
        endpoints,
        ways,
        state,
        place.known.fingerprint,
        place.known.key_status if state == "answering" else "",
    )
