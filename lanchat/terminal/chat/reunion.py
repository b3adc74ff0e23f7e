"""Keeps the screen quiet after a break: who was here before the connection was lost, and is back, is not told of. Pure.

When a host starts again, everybody loses the room and joins it again. One line tells that, not two for each person.
"""

from collections.abc import Iterable

from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Joined, Left
from lanchat.room.roster import Person

WITHIN = 60.0  # s for everybody to be back, who may try only every 20 s
_UNWANTED = ("lost", "silent")  # codes of Left: nobody wanted that


class Reunion:
    """Follows one break after the other. Owned by the thread that paints.

    Attributes:
        ends_at: s, monotonic, when `missing` knows who has not come back; None: there is no link, or no break.
    """

    def __init__(self) -> None:
        self._before: set[str] = set()  # the ids of those who were here when the connection was lost
        self._away: dict[str, Person] = {}  # those of them who are not back
        self._gone: set[str] = set()  # the ids of those of whom a line has said that they are gone
        self.ends_at: float | None = None

    def lost(self, present: Iterable[Person]) -> None:
        """There is no link any more. A guest is somebody else each time, so guests are told of as ever."""
        if not self._before:
            self._before = {person.id for person in present if is_verified(person.id)}
        self.ends_at = None

    def back(self, now: float, *, beside: bool = False) -> None:
        """There is a link again. For the time see `missing`.

        Args:
            beside: to another host of a room on an engine. Those who come over to it neither leave nor join, so that
                everything that the host tells of them is shown, as it is to the people who were there.
        """
        self.ends_at = now if beside else now + WITHIN
        if beside:
            self._before = set()

    def reported_gone(self, id: str) -> None:
        """A line has said that this person is gone, because the room has left their computer. Their return is told."""
        if id in self._before:
            self._gone.add(id)

    def hides(self, event: Joined | Left) -> bool:
        """Whether this coming or going is a part of the break. That somebody opens the room is told."""
        if isinstance(event, Left):
            told = event.code not in _UNWANTED
        else:
            told = event.host or event.by in self._gone
            self._gone.discard(event.by)
        if told or event.by not in self._before:
            self._away.pop(event.by, None)
            if isinstance(event, Left):
                self._before.discard(event.by)  # if they join once more, that is no part of the break
            return False
        if isinstance(event, Left):
            self._away[event.by] = Person(event.by, event.nick)
        else:
            self._away.pop(event.by, None)
        return True

    def missing(self, now: float) -> list[Person]:
        """The people who have not come back, once the time for that is over.

        Args:
            now: s, monotonic.
        """
        if self.ends_at is None or now < self.ends_at:
            return []
        missing = [person for person in self._away.values() if person.id not in self._gone]
        self._before, self._away, self._gone, self.ends_at = set(), {}, set(), None
        return missing
