"""The other hosts of a room on an engine, as this host tells its members of them: by what right, and where they are."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from lanchat.protocol import standby as wire
from lanchat.protocol.delegation import OWNER_INDEX, read_delegation
from lanchat.protocol.messages import FromHost
from lanchat.protocol.places import Place, write_places
from lanchat.protocol.timing import DEFAULT_TIMING


@dataclass(frozen=True)
class HostPapers:
    """By what right several hosts serve a room together.

    Args:
        owner: the raw key of the room's owner.
        delegation: signed by it, with the other hosts; b"": there are none.
        record: of the engine, signed by it.
    """

    owner: bytes
    delegation: bytes
    record: bytes

    def index_of(self, key: bytes) -> int | None:
        """The index of the host with this key; None: the owner has not named it.

        Raises:
            ProtocolError: the delegation is not the owner's.
        """
        if key == self.owner:
            return OWNER_INDEX
        named = read_delegation(self.delegation, self.owner) if self.delegation else None
        return named.index(key) if named is not None and named.names_host(key) else None


class Beside:
    """What a host of several knows of the others. Any thread may use it.

    Args:
        key: the raw key of this computer.
        beat: s between two signs of life to our members, who go on at another host if none comes.
    """

    def __init__(self, papers: HostPapers, key: bytes, beat: float = DEFAULT_TIMING.heartbeat) -> None:
        self._papers, self._key, self._beat = papers, key, beat
        self._beat_at, self._promised = 0.0, False  # s; whether all members expect the next sign. The hub's
        self._places: tuple[Place, ...] = ()  # of all living hosts, this one among them
        self._told: tuple[HostPapers, tuple[Place, ...]] = (papers, ())  # what all members know
        self._lock = threading.Lock()  # guards these three

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
    def successor(self) -> int:
        """The index of the host to which our members go when this one ends; -1: there is no other one."""
        return next((place.index for place in self._places if place.key != self._key), -1)

    def greeting(self) -> Sequence[FromHost]:
        """What a member gets after its snapshot."""
        return [self._where()] if len(self._places) > 1 else []

    def learn(self, papers: HostPapers, places: Sequence[Place]) -> None:
        """The owner has signed these papers last, and these hosts are there, where most members fit in first."""
        with self._lock:
            self._papers, self._places = papers, tuple(places)

    def take_due(self) -> Sequence[FromHost]:
        """What all members are to be told now."""
        with self._lock:
            (papers, places), self._told = self._told, (self._papers, self._places)
            due: list[FromHost] = []
            if papers != self._papers:
                due.append(wire.Delegation(self._papers.delegation, self._papers.record))
            if places != self._places:
                due.append(self._where())
            return due

    def pause(self, now: float) -> float:
        """s until the next sign of life is due; or until it is time to look whether there is another host by now."""
        return max(0.0, self._beat_at - now)

    @property
    def promised(self) -> float | None:
        """s after which the next sign of life comes at the latest, for who comes in; None: none is promised."""
        return self._beat if self._promised else None

    def beat(self, now: float) -> float | None:
        """Whether all members are to get a sign of life now. `now` is in s of a monotonic clock.

        Returns:
            s until the next one; 0: no more follow; None: none is due.
        """
        if now < self._beat_at:
            return None
        before, self._promised = self._promised, self.successor >= 0
        self._beat_at = now + self._beat
        return self._beat * self._promised if before or self._promised else None

    def _where(self) -> FromHost:
        return wire.Standbys(write_places(self._places))
