"""The part of a joined room that is about who hosts it: this program or another one, and who could."""

from lanchat.api.standby import Standby
from lanchat.client.member import Member
from lanchat.client.state import RoomState
from lanchat.threads import Closable


class MovingRoom(Closable):
    """A room that may move. All is for any thread but `close`."""

    _member: Member
    _state: RoomState
    _standby: Standby | None

    @property
    def hosting(self) -> bool:
        """Whether this program hosts the room."""
        return self._standby is not None and self._standby.hosting is not None

    @property
    def backup(self) -> str:
        """The nick of the standby whose disk has everything that is acknowledged now; "": only the host's disk has."""
        return self._state.backup

    def standbys(self, wanted: str = "") -> str:
        """Name standbys, or have them listed.

        Args:
            wanted: "": list them, a `Notice` follows. For the owner of the room, while this program hosts it: "auto",
                "off", or nicks. For others "off" and "auto" concern this computer alone.

        Returns:
            What follows, as a sentence; "": the host answers.

        Raises:
            ValueError: this person cannot name anybody here and now.
        """
        hosting = self._standby.hosting if self._standby is not None else None
        if not wanted:
            self._member.outgoing.moderate("standbys")
            return ""
        if hosting is not None and hosting.naming is not None:
            return hosting.naming.order(wanted)
        if wanted == "off":
            self._member.follower.decline()
            return "This computer is no standby of the room any more."
        if wanted == "auto":
            self._member.follower.accept()
            return "This computer may be a standby of the room."
        raise ValueError("Only the owner of the room names standbys, while hosting it.")

    def leave(self) -> None:
        """Leave the room. A room that this program hosts stays open for the others until `close()`."""
        self._member.close()

    def close(self, *, end: bool = False) -> None:
        """Leave the room. If this program hosts it, a standby goes on; if there is none, the room is closed.

        May be called twice.

        Args:
            end: close it for everybody, although a standby could go on.
        """
        standby = self._standby
        if standby is not None:
            standby.hide()
        self.leave()
        if standby is not None:
            standby.close(end=end)
