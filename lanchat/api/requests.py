"""The part of a joined room that asks the host for something, or tells the others something about us."""

from lanchat.api.moving import MovingRoom
from lanchat.protocol.fields import MAX_CODE, MAX_NAME
from lanchat.protocol.people import PeopleList


class RoomRequests(MovingRoom):
    """Requests to the host. Any thread."""

    def rename(self, nick: str) -> None:
        """Ask for another nick; a `Renamed` or a `Notice` follows.

        Raises:
            ValueError: it breaks the rules of a nick.
            ConnectionLost: there is no link to the host now.
            LanchatError: the connection has ended.
        """
        self._member.outgoing.rename(nick)

    def moderate(self, action: str, nick: str = "", text: str = "") -> None:
        """Use a right of the host: kick, ban, unban, lock, unlock, topic (a text). A `Notice` says what came of it.

        Raises:
            ValueError: no nick, action or topic is that long.
            ConnectionLost: there is no link to the host now.
            LanchatError: the connection has ended.
        """
        if len(action) > MAX_CODE:
            raise ValueError("That action is too long.")
        self._member.outgoing.moderate(action, nick, text)

    def list_people(self, prefix: str = "", after: str = "") -> None:
        """Ask who is in the room, where a crowd is in it; a `ListedPeople` follows with a page of 50 people.

        Args:
            prefix: of their nicks, in any case; "": everybody.
            after: the last nick of the page before.

        Raises:
            ValueError: no nick is that long.
            ConnectionLost: there is no link to the host now.
            LanchatError: the connection has ended.
        """
        if max(len(prefix), len(after)) > MAX_NAME:
            raise ValueError("That nick is too long.")
        self._member.delivery.ask(PeopleList(prefix, after))

    def deafen(self) -> None:
        """Ask the host not to send the messages of others, for a program that only speaks."""
        self._member.delivery.deafen()

    def away(self, text: str = "") -> None:
        """Tell everybody that we are away, and why; "": that we are back. It ends when we leave the room.

        Raises:
            ValueError: it is too long.
        """
        self._member.outgoing.away(text)

    @property
    def is_away(self) -> bool:
        """Whether we have said that we are away."""
        return bool(self._member.delivery.away_text)
