"""Tells when the past, which a room sends to who comes in, has come completely. Pure."""

from lanchat.client.events import Connected, Item
from lanchat.protocol.messages import Joined

_QUIET = 0.5  # s without an item, after which the past has come where nothing else tells


class PastWatch:
    """Follows the items of a room from the first on.

    Our own `joined` ends the past. Who is in the room already, by another program with the same key and nick, has none.
    """

    def __init__(self) -> None:
        self.over = False
        self.has_end = True  # whether an item will tell when it is over
        self._me = ("", "")

    def patience(self, limit: float) -> float:
        """The seconds to wait for the next item of the past, at most `limit`. If none comes, the past is over."""
        return limit if self.has_end else min(_QUIET, limit)

    def follow(self, item: Item) -> None:
        match item:
            case Connected(welcome=welcome, again=again):
                self._me = welcome.id, welcome.nick
                self.over = self.over or again
                self.has_end = not was_inside(item)
            case Joined(by=by, nick=nick) if (by, nick) == self._me:
                self.over = True


def was_inside(connected: Connected) -> bool:
    """Whether we are in the room by another program as well, so that no `joined` of ours follows the past."""
    welcome = connected.welcome
    return (welcome.id, welcome.nick) in [(person.id, person.nick) for person in connected.present]
