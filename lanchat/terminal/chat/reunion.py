"""Hides the lines about people who leave and join again only because the connection to the host was lost. Pure.

When a host starts again, everybody loses the room and joins it again. One line says so, not two for each person.
"""

from collections.abc import Iterable

from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Joined, Left
from lanchat.room.roster import Person

WITHIN = 60.0  # s for everybody to be back; a client that has tried for long tries only every 20 s
_UNWANTED = ("lost", "silent")  # codes of a Left that the member did not intend


class Reunion:
    """Follows each loss of the connection, one at a time. Owned by the thread that paints.

    Attributes:
        ends_at: s, monotonic: when `missing` says who has not come back. None: the connection is lost, or was not.
    """

    def __init__(self) -> None:
        self._before: set[str] = set()  # the ids of those who were here when the connection was lost
        self._away: dict[str, Person] = {}  # those of them who have left and are not back, by id
        self._gone: set[str] = set()  # the ids of those about whom a line has said that they are gone
        self.ends_at: float | None = None

    def lost(self, present: Iterable[Person]) -> None:
        """The link is lost. A guest has a new id after each join, so the lines about guests are not hidden."""
        if not self._before:
            self._before = {person.id for person in present if is_verified(person.id)}
        self.ends_at = None

    def back(self, now: float, *, beside: bool = False) -> None:
        """There is a link again.

        Args:
            now: s, monotonic.
            beside: the link is to another host of a room on an engine. People who come over to that host neither
                leave nor join, so every join and leave that it reports is a true one and is shown.
        """
        self.ends_at = now if beside else now + WITHIN
        if beside:
            self._before = set()

    def reported_gone(self, id: str) -> None:
        """A line has said that this person is gone, since the room has left their computer. Their return is shown."""
        if id in self._before:
            self._gone.add(id)

    def hides(self, event: Joined | Left) -> bool:
        """Whether the lost connection explains this event, so that no line is shown. That the host is back is shown."""
        if isinstance(event, Left):
            shown = event.code not in _UNWANTED
        else:
            shown = event.host or event.by in self._gone
            self._gone.discard(event.by)
        if shown or event.by not in self._before:
            self._away.pop(event.by, None)
            if isinstance(event, Left):
                self._before.discard(event.by)  # if they join once more, that has another reason
            return False
        if isinstance(event, Left):
            self._away[event.by] = Person(event.by, event.nick)
        else:
            self._away.pop(event.by, None)
        return True

    def missing(self, now: float) -> list[Person]:
        """The people who have not come back, once, when the time for that is over.

        Args:
            now: s, monotonic.
        """
        if self.ends_at is None or now < self.ends_at:
            return []
        missing = [person for person in self._away.values() if person.id not in self._gone]
        self._before, self._away, self._gone, self.ends_at = set(), {}, set(), None
        return missing
