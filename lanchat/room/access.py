"""Who may be in the room, and under which nick. Pure; owned by the room."""

from collections.abc import Iterable, Mapping

from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Refused
from lanchat.protocol.text import free_nick, same_nick

MAX_NICKS = 8  # of one key in one room; nobody gets hold of all the good names
NAMED = 20  # nicks in one sentence
MAX_OWNED = 10_000  # nicks remembered in one room


class Access:
    """A nick belongs to the first key that used it here. The host may ban keys and close the door to newcomers.

    Args:
        owners: (nick, member id) of earlier evenings, oldest first.
        bans: nick by banned member id.
        locked: only those who own a nick here are admitted.
    """

    def __init__(
        self,
        owners: Iterable[tuple[str, str]] = (),
        bans: Mapping[str, str] | None = None,
        *,
        locked: bool = False,
    ) -> None:
        self._owners: dict[str, str] = {}  # member id by same_nick
        self._count: dict[str, int] = {}  # nicks by member id
        self.bans = dict(bans or {})
        self.locked = locked
        for nick, id in owners:
            self.claim(id, nick)

    def refuse(self, id: str, nick: str, present: frozenset[str], *, host: bool = False) -> Refused | None:
        """Why this person may not be here under this nick; None: they may.

        Args:
            present: the `same_nick` of everybody else who is here now.
            host: this is who hosts the room; nobody can keep them out, but nicks are nicks.
        """
        if id in self.bans and not host:
            return Refused("banned", "You are banned from this room.")
        if self.locked and id not in self._count and not host:
            return Refused("closed", "The host admits nobody new at the moment.")
        same = same_nick(nick)
        owner = self._owners.get(same)
        if same in present or owner not in (None, id):
            taken = present | {other for other, of in self._owners.items() if of != id}
            why = "is taken here" if same in present else "belongs to somebody who was here before"
            return Refused("nick", f"The nick {nick} {why}.", free_nick(nick, taken))
        if owner is None and self._count.get(id, 0) >= MAX_NICKS:
            return Refused("rules", f"You have used {MAX_NICKS} nicks in this room. Come back with one of them.")
        return None

    def claim(self, id: str, nick: str) -> None:
        """This key uses this nick; from now on nobody else does. A door without keys claims nothing."""
        same = same_nick(nick)
        if not is_verified(id) or same in self._owners or len(self._owners) >= MAX_OWNED:
            return
        self._owners[same] = id
        self._count[id] = self._count.get(id, 0) + 1

    def owner(self, nick: str) -> str | None:
        """The member id this nick belongs to, whether they are here or not."""
        return self._owners.get(same_nick(nick))

    def banned(self) -> str:
        """Who is, in words; the last ones where there are many."""
        nicks = list(self.bans.values())
        more = f" and {len(nicks) - NAMED} more" if len(nicks) > NAMED else ""
        return (", ".join(nicks[-NAMED:]) or "nobody") + more

    def unban(self, name: str) -> bool:
        """Lift the ban of this nick or member id."""
        for id, nick in self.bans.items():
            if name == id or same_nick(name) == same_nick(nick):
                del self.bans[id]
                return True
        return False
