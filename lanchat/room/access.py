"""Decides who may be in a room, and under which nick. Pure; owned by the room."""

from collections.abc import Iterable, Mapping

from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Refused
from lanchat.protocol.text import free_nick, same_nick

MAX_NICKS = 8  # of one key in one room, so that one person cannot take all the good ones
NAMED = 20  # banned nicks that one sentence lists
MAX_OWNED = 10_000  # nicks remembered in one room


class Access:
    """The owners of nicks, the bans and the lock of one room. A nick belongs to the first key that used it there.

    Args:
        owners: (nick, member id) from before this start of the host, oldest first.
        bans: nick by banned member id.
        locked: only members who own a nick in this room are admitted.
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
        """Check whether this person may be in the room under this nick.

        Args:
            present: the `same_nick` of every other member who is in the room now.
            host: whether this is the room's host, to whom bans and the lock do not apply.

        Returns:
            Why they may not; None: they may.
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
        """Make this key the owner of this nick, if the nick has no owner yet. Unverified members own no nicks."""
        same = same_nick(nick)
        if not is_verified(id) or same in self._owners or len(self._owners) >= MAX_OWNED:
            return
        self._owners[same] = id
        self._count[id] = self._count.get(id, 0) + 1

    def owner(self, nick: str) -> str | None:
        """The id of the member who owns this nick, whether they are in the room or not; None: nobody owns it."""
        return self._owners.get(same_nick(nick))

    def banned(self) -> str:
        """The banned nicks, as a part of a sentence. Of many, only the latest are listed."""
        nicks = list(self.bans.values())
        more = f" and {len(nicks) - NAMED} more" if len(nicks) > NAMED else ""
        return (", ".join(nicks[-NAMED:]) or "nobody") + more

    def unban(self, name: str) -> bool:
        """Lift the ban of this nick or member id.

        Returns:
            Whether there was one.
        """
        for id, nick in self.bans.items():
            if name == id or same_nick(name) == same_nick(nick):
                del self.bans[id]
                return True
        return False
