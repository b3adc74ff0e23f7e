"""Makes the rows of the list: what it shows of a room, from the probes of the addresses where the room may be. Pure.

There is a row for each key that answers for a room. Anybody can answer for a room with a key of their own, so an answer
neither hides the row of another key nor gets its address into it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lanchat.discovery.sighting import Answered, Listing, Sighting, State, shown_nick, shown_title
from lanchat.protocol.address import Endpoint
from lanchat.protocol.folding import fold

BETTER_ADDRESS_WAIT = (
    0.1  # s for a better address to answer when only link-local ones have: those are hard to type and to pass on
)


@dataclass
class Candidate:
    """An address where a room is said to be, and what the probes of it have found."""

    endpoint: Endpoint
    due_at: float
    probing: bool = False
    probed_at: float = 0.0  # when the last probe began
    found: Literal["nothing yet", "answering", "silent", "nothing"] = "nothing yet"
    known: Answered | None = None  # the last card from there, as long as it may still be the same room
    since: float = 0.0  # when it began to answer
    answered_at: float = 0.0  # when the probe began that `known` answers
    misses: int = 0

    @property
    def link_local(self) -> bool:
        return "%" in self.endpoint.host

    @property
    def key_status(self) -> str:
        return self.known.key_status if self.known is not None else ""

    def holds(self, room_id: str) -> bool:
        """Whether the last card from there was of this room."""
        return self.known is not None and self.known.card.room == room_id

    def same_host(self, other: "Candidate") -> bool:
        """Whether both have answered for the same room and with the same key."""
        if self.known is None or other.known is None:
            return False
        mine, theirs = self.known, other.known
        return (mine.card.room, mine.fingerprint) == (theirs.card.room, theirs.fingerprint)

    def answers_for(self, room_id: str) -> bool:
        """Whether this room answers there now."""
        return self.found == "answering" and self.holds(room_id)


def rows(
    room_id: str, sightings: Sequence[Sighting], candidates: Mapping[Endpoint, Candidate], now: float
) -> list[Listing]:
    """The rows of one room: one for each key that answers for it, or one for a room that is silent.

    Args:
        sightings: those that are about this room.
        candidates: the addresses of all sightings.
    """
    own = [candidates[endpoint] for endpoint in dict.fromkeys(e for each in sightings for e in each.endpoints)]
    answering: dict[str, list[Candidate]] = {}
    for candidate in sorted(own, key=lambda candidate: candidate.since):
        if candidate.known is not None and candidate.answers_for(room_id):
            answering.setdefault(candidate.known.fingerprint, []).append(candidate)
    silent = [candidate for candidate in own if candidate.found == "silent"]
    if answering:
        found = (_answering_row(same, silent, sightings, now) for same in answering.values())
        return [row for row in found if row is not None]
    return _silent_row(room_id, silent, sightings)


def sort_key(row: Listing) -> tuple[bool, str, str, str]:
    """Sorts the list: the rooms that this person knows come first, and both parts are sorted by title."""
    return row.key_status != "known", fold(row.title), row.room_id, row.fingerprint


def _answering_row(
    same: Sequence[Candidate], silent: Sequence[Candidate], sightings: Sequence[Sighting], now: float
) -> Listing | None:
    """The row of the key that answers at these addresses; None: it may soon answer at a better one."""
    if all(candidate.link_local and now < candidate.since + BETTER_ADDRESS_WAIT for candidate in same):
        return None
    newest = max(same, key=lambda candidate: candidate.answered_at)
    endpoints = {candidate.endpoint for candidate in same}
    via = _sources([sighting for sighting in sightings if not endpoints.isdisjoint(sighting.endpoints)])
    return _from_card(newest, [*same, *_may_be_there(newest, silent)], via, "answering")


def _silent_row(room_id: str, silent: Sequence[Candidate], sightings: Sequence[Sighting]) -> list[Listing]:
    """The row, if there is one, of a room that does not answer: from its last answer, or else from a hint."""
    via = _sources(sightings)
    held = [candidate for candidate in silent if candidate.holds(room_id)]
    for candidate in sorted(held, key=lambda candidate: candidate.key_status != "known"):
        return [_from_card(candidate, _may_be_there(candidate, silent), via, "silent")]
    hint = next((sighting for sighting in sightings if sighting.room_id), None)
    if not silent or hint is None:
        return []
    title, host = shown_title(hint.title), shown_nick(hint.host)
    endpoints = tuple(candidate.endpoint for candidate in silent)
    return [Listing(room_id, title, host, None, False, endpoints, via, "silent", hint.fingerprint)]


def _may_be_there(host: Candidate, silent: Sequence[Candidate]) -> list[Candidate]:
    """The silent addresses where this host may be as well, because no other key has answered there."""
    return [candidate for candidate in silent if candidate.known is None or candidate.same_host(host)]


def _sources(sightings: Sequence[Sighting]) -> tuple[str, ...]:
    return tuple(sorted({sighting.via for sighting in sightings}))


def _from_card(candidate: Candidate, candidates: Sequence[Candidate], via: tuple[str, ...], state: State) -> Listing:
    assert candidate.known is not None
    card = candidate.known.card
    # The first to answer are the fastest, but an address that is valid on this machine alone is no use to pass on.
    endpoints = tuple(sorted((c.endpoint for c in candidates), key=lambda endpoint: "%" in endpoint.host))
    return Listing(
        card.room,
        shown_title(card.title),
        shown_nick(card.host),
        card.people,
        card.password,
        endpoints,
        via,
        state,
        candidate.known.fingerprint,
        candidate.key_status if state == "answering" else "",
    )
