"""Hides the messages of ignored people on this screen: by key, so that another nick changes nothing."""

from collections.abc import Sequence

from lanchat.protocol.ids import is_verified
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.text import conjunction
from lanchat.room.roster import Person
from lanchat.storage.own_settings import OwnSettings
from lanchat.terminal.chat.nicks import shown_nick


class Ignoring:
    """Owned by the thread that paints. What it returns is to be shown to the person.

    Args:
        own: keeps who is ignored for the next time; a guest is somebody else then, and is not kept.
    """

    def __init__(self, own: OwnSettings) -> None:
        self._own = own
        self._nicks = dict(own.ignored)  # by member id

    def __contains__(self, id: str) -> bool:
        return id in self._nicks

    def add(self, person: Person) -> str:
        """Ignore this person.

        Raises:
            LanchatError: it cannot be stored for the next time.
        """
        self._nicks[person.id] = person.nick
        self._store()
        nick = shown_nick(person.id, person.nick)
        return f"{nick} is ignored. /unignore {nick} undoes it."

    def remove(self, nick: str, called: Sequence[Person]) -> str:
        """Show the messages of the one who had this nick when they were ignored, or has it now.

        Args:
            called: the people here with this nick.

        Raises:
            ValueError: nobody like that is ignored.
            LanchatError: it cannot be stored for the next time.
        """
        found = {person.id for person in called if person.id in self._nicks}
        found |= {id for id, known in self._nicks.items() if same_nick(known) == same_nick(nick)}
        if not found:
            raise ValueError(f"{nick} is not ignored. /ignore lists who is.")
        for id in found:
            del self._nicks[id]
        self._store()
        return f"{nick} is no longer ignored."

    def all(self) -> str:
        """The ignored people."""
        if not self._nicks:
            return "You ignore nobody in this room. /ignore NICK hides somebody's messages."
        nicks = sorted((shown_nick(id, nick) for id, nick in self._nicks.items()), key=str.casefold)
        return f"You ignore {conjunction(nicks)} in this room. /unignore NICK shows their messages again."

    def _store(self) -> None:
        self._own.change(ignored={id: nick for id, nick in self._nicks.items() if is_verified(id)})
