"""Knows through which hosts each member is in the room. Pure; owned by the hub thread.

Each start of a host has a lease of its own. A member has sessions at one or several hosts, and has left once there is
none. If a lease ends, members who were here through it alone are ghosts: they may still come back at another host.
"""

from collections.abc import Iterable

from lanchat.protocol.messages import Event, Joined, Left, Renamed
from lanchat.protocol.nicks import same_nick
from lanchat.server.engine.controls import Control, Here, NotHere, Over
from lanchat.server.engine.state import Person

_Who = tuple[str, str]  # member id and `same_nick`


class People:
    """Knows at which hosts the people of a room are. A lease is the right of one host to serve the room.

    Args:
        own: the lease of this host.
        living: the leases that are not over.
        people: who is in the room when this host enters.
    """

    def __init__(self, own: int, living: Iterable[int], people: Iterable[Person]) -> None:
        self.own = own
        self._living = {own, *living}
        self._leases = {_who(person.present.id, person.present.nick): {*person.leases} for person in people}

    @property
    def is_first(self) -> bool:
        """Whether this host has the oldest lease, so that it is the one that removes ghosts."""
        return self.own == min(self._living)

    @property
    def is_alone(self) -> bool:
        """Whether nobody else hosts the room, as far as this host knows."""
        return len(self._living) == 1

    def leases(self, id: str, nick: str) -> set[int]:
        """The leases that have not ended and through which this member is in the room."""
        return self._leases.get(_who(id, nick), set()) & self._living

    def is_here(self, id: str, nick: str) -> bool:
        return self.own in self.leases(id, nick)

    def is_elsewhere(self, id: str, nick: str) -> bool:
        """Whether this member has sessions at another host."""
        return bool(self.leases(id, nick) - {self.own})

    def has_elsewhere(self, id: str) -> bool:
        """Whether anybody of this member id has sessions at another host."""
        if self.is_alone:
            return False
        others = self._living - {self.own}
        return any(not leases.isdisjoint(others) for (by, _), leases in self._leases.items() if by == id)

    def is_ghost(self, id: str, nick: str) -> bool:
        return not self.leases(id, nick)

    def enter_again(self, own: int, living: Iterable[int]) -> None:
        """This host has a new lease. Members who were here through its old one alone are ghosts."""
        self.own, self._living = own, {own, *living}

    def apply(self, record: Event | Control, lease: int) -> None:
        """Follow a line of a host.

        Args:
            lease: of the host that wrote it.
        """
        match record:
            case Joined(by=id, nick=nick) | Here(by=id, nick=nick):
                self._living.add(lease)
                self._leases.setdefault(_who(id, nick), set()).add(lease)
            case NotHere(by=id, nick=nick):
                self._leases.get(_who(id, nick), set()).discard(lease)
            case Left(by=id, nick=nick):
                self._leases.pop(_who(id, nick), None)
            case Renamed(by=id, nick=nick, to=to):
                self._leases[_who(id, to)] = self._leases.pop(_who(id, nick), set())
            case Over(lease=over) if over != self.own:  # ours: the engine takes nothing more from this host
                self._living.discard(over)


def _who(id: str, nick: str) -> _Who:
    return id, same_nick(nick)
