"""What a host of a room on an engine tells its members about the other hosts: where they are, and who named them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from lanchat.protocol import standby as wire
from lanchat.protocol.delegation import OWNER_INDEX, read_delegation
from lanchat.protocol.engine import Ending
from lanchat.protocol.keys import verify
from lanchat.protocol.messages import FromHost
from lanchat.protocol.papers import delegation_number
from lanchat.protocol.places import Place, write_places
from lanchat.protocol.timing import DEFAULT_TIMING


@dataclass(frozen=True)
class HostPapers:
    """The papers that prove which hosts may serve a room together.

    Args:
        owner: the raw key of the room's owner.
        delegation: the list of the other hosts, signed by the owner; b"": there are none.
        record: the engine and the room there, signed by the owner.
    """

    owner: bytes
    delegation: bytes
    record: bytes

    @property
    def number(self) -> int:
        """The number of the list; -1: there is none. Raises ProtocolError if it is not the owner's."""
        return delegation_number(self.delegation, self.owner)

    def index_of(self, key: bytes) -> int | None:
        """The index of the host with this key; None: the owner has not named it.

        Raises:
            ProtocolError: the delegation is not the owner's.
        """
        if key == self.owner:
            return OWNER_INDEX
        named = read_delegation(self.delegation, self.owner) if self.delegation else None
        return named.index(key) if named is not None and named.names_host(key) else None

    def are_ended_by(self, ending: Ending, room: str) -> bool:
        """Whether the owner has closed this room, since these papers were signed.

        Raises:
            ProtocolError: the delegation is not the owner's.
        """
        return ending.number >= self.number and verify(self.owner, ending.signature, ending.text(room))


class Beside:
    """Knows the other hosts of a room, and decides when members are told of a change. Any thread.

    Args:
        key: the raw key of this computer.
        beat: s between two signs of life to our members, who go on at another host if none comes.

    Attributes:
        ending: with which the owner's host closes the room at all hosts.
    """

    ending: Ending | None = None

    def __init__(self, papers: HostPapers, key: bytes, beat: float = DEFAULT_TIMING.heartbeat) -> None:
        self._papers, self._key, self._beat = papers, key, beat
        self._beat_at, self._promised = 0.0, False  # s; whether all members expect the next sign. Of the hub thread
        self._places: tuple[Place, ...] = ()  # of all living hosts, this one among them
        self._announced: tuple[HostPapers, tuple[Place, ...]] = (papers, ())  # what all members know
        self._lock = threading.Lock()  # guards _papers, _places, _announced

    @property
    def papers(self) -> HostPapers:
        return self._papers

    @property
    def shown(self) -> tuple[bytes, bytes, bytes]:
        """The owner, the delegation and the record, as a card shows them."""
        papers = self._papers
        return papers.owner, papers.delegation, papers.record

    @property
    def origins(self) -> tuple[str, ...]:
        """The web origins of the pages of all hosts."""
        return tuple(origin for place in self._places for origin in place.origins)

    @property
    def others(self) -> tuple[str, ...]:
        """The nicks of those who host the room elsewhere."""
        return tuple(place.nick for place in self._places if place.key != self._key)

    @property
    def successor(self) -> int:
        """The index of the host to which our members go when this one ends; -1: there is no other one."""
        return next((place.index for place in self._places if place.key != self._key), -1)

    @property
    def nicks(self) -> tuple[str, ...]:
        """Of those whose computers host the room now, ours first."""
        return tuple(place.nick for place in sorted(self._places, key=lambda place: place.key != self._key))

    def greeting(self) -> Sequence[FromHost]:
        """The messages that a member gets after its snapshot."""
        return [self._where()] if len(self._places) > 1 else []

    def learn(self, papers: HostPapers, places: Sequence[Place]) -> None:
        """Note the newest papers, and the hosts that are running, the one with the fewest people first."""
        with self._lock:
            self._papers, self._places = papers, tuple(places)

    def take_due(self) -> Sequence[FromHost]:
        """The messages that all members get now, because something has changed."""
        with self._lock:
            (papers, places), self._announced = self._announced, (self._papers, self._places)
            due: list[FromHost] = []
            if papers != self._papers:
                due.append(wire.Delegation(self._papers.delegation, self._papers.record))
            if places != self._places:
                due.append(self._where())
            return due

    def pause(self, now: float) -> float:
        """Seconds until `beat` has to be called again."""
        return max(0.0, self._beat_at - now)

    @property
    def promised(self) -> float | None:
        """s after which the next sign of life comes at the latest, for who comes in; None: none is promised."""
        return self._beat if self._promised else None

    def beat(self, now: float) -> float | None:
        """Decide whether all members get a sign of life now. `now` is in s of a monotonic clock.

        Returns:
            The seconds until the next one, which the sign of life says; 0: no more follow; None: none is due now.
        """
        if now < self._beat_at:
            return None
        before, self._promised = self._promised, self.successor >= 0
        self._beat_at = now + self._beat
        return self._beat * self._promised if before or self._promised else None

    def _where(self) -> FromHost:
        return wire.Standbys(write_places(self._places))
