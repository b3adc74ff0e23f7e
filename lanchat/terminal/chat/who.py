"""The command /who: lists the people in the room from memory, or in a crowd from the host, page by page."""

from lanchat.api.room import JoinedRoom
from lanchat.errors import NotConnected
from lanchat.terminal.chat.crowd import MORE
from lanchat.terminal.chat.feed import Feed
from lanchat.terminal.chat.people import who_text


class WhoIsHere:
    """Owned by the thread that paints."""

    def __init__(self, room: JoinedRoom, feed: Feed) -> None:
        self._room = room
        self._feed = feed
        self._prefix = ""  # of the nicks of the last page that was asked for

    def show(self, wanted: str) -> None:
        """Show who is in the room; in a crowd, ask the host for a page of them.

        Args:
            wanted: the beginning of a nick; "": everybody; MORE: the next page of the last answer.

        Raises:
            ValueError: nobody has such a nick; or there is no next page; or we are not in the room any more.
            LanchatError: the host cannot be asked now, or the room is closed.
        """
        if self._feed.ended is not None:
            raise ValueError("You are not in this room any more.")
        if self._feed.people is None:
            raise NotConnected
        roster = self._feed.roster
        if roster.crowd:
            after = roster.last_listed if wanted == MORE else ""
            if wanted == MORE and not after:
                raise ValueError("There is no further page. /who shows the first one.")
            self._prefix = self._prefix if wanted == MORE else wanted
            self._room.list_people(self._prefix, after)
            return
        found = [one for one in roster.people.values() if one.nick.casefold().startswith(wanted.casefold())]
        if not found:
            raise ValueError(f"No one here is called {wanted}. /who lists everyone.")
        self._feed.note(who_text(found, (roster.me, roster.nick)))
