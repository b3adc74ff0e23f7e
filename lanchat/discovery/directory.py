"""Makes one list of rooms from all sightings and probes. Pure: time is an argument. The finder owns it, under its lock.

A sighting only says which addresses to probe; the list shows what the host itself answers there (its card). An address
that refuses, or where something else listens, is not listed: the mDNS record of a killed host lives for up to 75
minutes, so every address is probed again every few seconds. A goodbye is only a hint as well, because anyone can send
one for a room that lives: the room may still answer for a moment before it leaves the list.
"""

import dataclasses
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from lanchat.discovery.rows import BETTER_ADDRESS_WAIT, Candidate, rows, sort_key
from lanchat.discovery.share import Shares
from lanchat.discovery.sighting import (
    Answered,
    ConnectionRefused,
    Listing,
    NotARoom,
    Outcome,
    Sighting,
    Silent,
    Unreachable,
    Vanished,
    may_dial,
)
from lanchat.protocol.address import Address, Endpoint

MAX_ROOMS = 64  # in the list, and also sightings of one source: nobody reads more, and a flood is cut off here
MAX_ENDPOINTS = 4  # of one sighting that are probed
KEPT_AFTER_GOODBYE = 2.0  # s
PROBE_EVERY = 3.0  # s; people come and go, and a killed host leaves the list after this
PROBE_LATEST = 15.0  # s between two probes of an address that keeps failing
PROBE_SOON = 1.0  # s; after a goodbye, and after the first miss of an address that has answered
MISSES_FORGIVEN = 1  # of an address that has answered: one lost packet does not mean that the room is gone
MAX_PROBES_A_SECOND = 64  # so that no flood of sightings turns us into a port scanner
MAX_GUESSES_AT_ONCE = 8  # probes of addresses where nobody says that a room is: most stay silent and would block others


@dataclass
class _Seen:
    sighting: Sighting
    since: float
    gone_at: float | None = None


class Directory:
    """The rooms of this network, from what the discovery sources report and what probes answer. Pure.

    Args:
        own: our addresses on the networks that are searched; see `may_dial`.
        shares: decides which rooms of a machine are listed that has many.
    """

    def __init__(self, own: tuple[Address, ...], shares: Shares | None = None) -> None:
        self._own = own
        self._shares = shares or Shares()
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._candidates: dict[Endpoint, Candidate] = {}
        self._probes: deque[float] = deque(maxlen=MAX_PROBES_A_SECOND)  # when the last ones began

    def set_addresses(self, own: tuple[Address, ...]) -> None:
        """Our addresses have changed. What is listed stays as long as it answers."""
        self._own = own

    def see(self, sighting: Sighting, now: float) -> None:
        key = sighting.via, sighting.name
        allowed = (e for e in dict.fromkeys(sighting.endpoints) if may_dial(e, self._own, joined=sighting.joined))
        endpoints = tuple(allowed)[:MAX_ENDPOINTS]
        sighting = dataclasses.replace(sighting, endpoints=endpoints)
        if not endpoints or (key not in self._seen and not self._make_space(sighting, now)):
            return
        since = self._seen[key].since if key in self._seen else now
        self._seen[key] = _Seen(sighting, since)
        for endpoint in endpoints:
            self._candidates.setdefault(endpoint, Candidate(endpoint, due_at=now))
        self._drop_unseen_candidates()

    def vanish(self, vanished: Vanished, now: float) -> None:
        seen = self._seen.get((vanished.via, vanished.name))
        if seen is None or seen.gone_at is not None:
            return
        seen.gone_at = now
        for endpoint in seen.sighting.endpoints:
            self._candidates[endpoint].due_at = now

    def due(self, now: float, at_most: int) -> list[Endpoint]:
        """The addresses to probe now. Each counts as being probed from here on, until `probed`."""
        named = {e for seen in self._seen.values() if seen.sighting.room_id for e in seen.sighting.endpoints}
        guesses = MAX_GUESSES_AT_ONCE - sum(c.probing and e not in named for e, c in self._candidates.items())
        waiting = [(c.misses, c.due_at, e) for e, c in self._candidates.items() if not c.probing and c.due_at <= now]
        waiting.sort(key=lambda entry: entry[:2])  # an address that keeps failing waits behind the others
        ready = [e for _, _, e in waiting if e in named]
        ready += [e for _, _, e in waiting if e not in named][: max(0, guesses)]
        taken = [endpoint for endpoint in ready[: max(0, at_most)] if self._may_probe(now)]
        for endpoint in taken:
            self._candidates[endpoint].probing = True
            self._candidates[endpoint].probed_at = now
        return taken

    def probed(self, endpoint: Endpoint, outcome: Outcome, now: float) -> None:
        """A probe of this address has ended."""
        candidate = self._candidates.get(endpoint)
        if candidate is None:
            return  # dropped while it was being probed
        candidate.probing = False
        match outcome:
            case Answered():
                if candidate.found != "answering":
                    candidate.since = now
                candidate.found, candidate.known, candidate.misses = "answering", outcome, 0
                candidate.answered_at = candidate.probed_at
            case ConnectionRefused():
                candidate.found, candidate.known = "nothing", None
                candidate.misses += 1
            case NotARoom() | Silent() | Unreachable():
                candidate.misses += 1
                if candidate.found != "answering" or candidate.misses > MISSES_FORGIVEN:
                    candidate.found = "nothing" if isinstance(outcome, NotARoom) else "silent"
        candidate.due_at = now + self._pause(candidate, now)

    def next_at(self, now: float) -> float | None:
        """When `due` or `listings` will change by the passing of time alone; None: never."""
        times = [candidate.due_at for candidate in self._candidates.values() if not candidate.probing]
        ends = (s.gone_at + KEPT_AFTER_GOODBYE for s in self._seen.values() if s.gone_at is not None)
        settled = (
            candidate.since + BETTER_ADDRESS_WAIT for candidate in self._candidates.values() if candidate.link_local
        )
        return min([*times, *(time for time in (*ends, *settled) if time > now)], default=None)

    def crowded(self, now: float) -> list[str]:
        """The machines that have more rooms than are listed."""
        return self._shares.crowded(now)

    def listings(self, now: float) -> tuple[Listing, ...]:
        """The rooms: those that this person knows come first, and both parts are sorted by title."""
        self._drop_gone(now)
        rooms: dict[str, list[Sighting]] = {}
        for seen in self._seen.values():
            for room_id in self._rooms_of(seen):
                rooms.setdefault(room_id, []).append(seen.sighting)
        listed = [row for id, seen in rooms.items() for row in rows(id, seen, self._candidates, now)]
        listed.sort(key=lambda row: (row.state != "answering", row.key_status != "known"))
        return tuple(sorted(listed[:MAX_ROOMS], key=sort_key))

    def _drop_gone(self, now: float) -> None:
        """Drop each sighting that said goodbye a while ago, unless its room has answered after that."""
        gone = [
            key
            for key, seen in self._seen.items()
            if seen.gone_at is not None
            and now >= seen.gone_at + KEPT_AFTER_GOODBYE
            and not any(
                candidate.answered_at >= seen.gone_at and any(map(candidate.answers_for, self._rooms_of(seen)))
                for candidate in self._candidates_of(seen)
            )
        ]
        for key in gone:
            del self._seen[key]
        if gone:
            self._drop_unseen_candidates()

    def _drop_unseen_candidates(self) -> None:
        seen = {endpoint for s in self._seen.values() for endpoint in s.sighting.endpoints}
        for endpoint in self._candidates.keys() - seen:
            del self._candidates[endpoint]

    def _make_space(self, sighting: Sighting, now: float) -> bool:
        """Make space for a new sighting when a limit is reached, by dropping the oldest one that fails.

        Returns:
            Whether there is space now.
        """
        same_source = [key for key in self._seen if key[0] == sighting.via]
        same_machine = [key for key in same_source if self._seen[key].sighting.machine == sighting.machine]
        if not self._shares.is_full(sighting, same_machine):
            return len(same_source) < MAX_ROOMS or self._drop_failed(same_source)
        if self._drop_failed(same_machine):
            return True
        share = {key: (self._seen[key].sighting, self._seen[key].since) for key in same_machine}
        replaced = self._shares.replaced_by(sighting, share, now)
        if replaced is not None:
            del self._seen[replaced]
            self._drop_unseen_candidates()
        return replaced is not None

    def _drop_failed(self, keys: list[tuple[str, str]]) -> bool:
        for key in keys:
            if all(candidate.found in ("silent", "nothing") for candidate in self._candidates_of(self._seen[key])):
                del self._seen[key]
                self._drop_unseen_candidates()
                return True
        return False

    def _rooms_of(self, seen: _Seen) -> set[str]:
        """The rooms a sighting is about: the one it names, or else those that answer at its addresses."""
        if seen.sighting.room_id:
            return {seen.sighting.room_id}
        return {candidate.known.card.room for candidate in self._candidates_of(seen) if candidate.known is not None}

    def _candidates_of(self, seen: _Seen) -> Iterator[Candidate]:
        return (self._candidates[endpoint] for endpoint in seen.sighting.endpoints)

    def _may_probe(self, now: float) -> bool:
        if len(self._probes) == MAX_PROBES_A_SECOND and now - self._probes[0] < 1.0:
            return False
        self._probes.append(now)
        return True

    def _pause(self, candidate: Candidate, now: float) -> float:
        """Seconds until an address is probed again."""
        leaving = any(
            seen.gone_at is not None and now < seen.gone_at + KEPT_AFTER_GOODBYE
            for seen in self._seen.values()
            if candidate.endpoint in seen.sighting.endpoints
        )
        if leaving or (candidate.misses and candidate.found == "answering"):
            return PROBE_SOON
        return min(PROBE_EVERY * max(1, candidate.misses), PROBE_LATEST)
