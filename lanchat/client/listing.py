"""Collects the list of people that a host sends in a room with a crowd. Pure; owned by the reader thread."""

from lanchat.client.events import ListedPeople
from lanchat.errors import ProtocolError
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import Present
from lanchat.protocol.people import Crowd, PeopleEnd


class PeopleListing:
    """One link's list, person by person."""

    def __init__(self) -> None:
        self._present: list[Present] = []
        self._all = False  # everybody is listed, because the crowd is over

    def add(self, present: Present) -> None:
        """Add a person to the list that the host is sending.

        Raises:
            ProtocolError: the list is longer than any room.
        """
        if len(self._present) >= MAX_PEOPLE:
            raise ProtocolError(f"The host lists more than {MAX_PEOPLE} people.")
        self._present.append(present)

    def take(self, message: Crowd | PeopleEnd) -> Crowd | ListedPeople | None:
        """Take the page that has been collected."""
        if isinstance(message, Crowd):
            self._all = not message.people
            return None if self._all else message
        listed = ListedPeople(tuple(self._present), message.more, self._all)
        self._present, self._all = [], False
        return listed
