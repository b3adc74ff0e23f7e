"""Decides who may be in a room, and under which nick. Pure; owned by the room."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping

from lanchat.protocol.confusables import skeletons
from lanchat.protocol.ids import is_verified
from lanchat.protocol.limits import DEFAULT_LIMITS, MAX_OWNED, Limits, TokenBucket
from lanchat.protocol.messages import Refused
from lanchat.protocol.nicks import free_nick, same_nick

MAX_NICKS = 8  # of one key in one room, so that one person cannot take all the good ones
MAX_RENAMERS = 1000  # members whose renames are counted, also while they have no link
NAMED = 20  # banned nicks that one sentence lists


class Access:
    """The owners of nicks, the bans and the lock of one room.

    A nick, and every nick that looks like it, belongs to the first key that used it there.

    Args:
        owners: (nick, member id) from before this start of the host, oldest first.
        bans: nick by banned member id.
        locked: only members who own a nick in this room are admitted.
        limits: how often a member may rename.
    """

    def __init__(
        self,
        owners: Iterable[tuple[str, str]] = (),
        bans: Mapping[str, str] | None = None,
        *,
        locked: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._limits = limits
        self._renames: OrderedDict[str, TokenBucket] = OrderedDict()  # by member id, the one used last at the end
        self._now = 0.0  # s; it stands still when the host's clock is set back
        self._owners: dict[str, str] = {}  # member id by each skeleton of the nick
        self._count: Counter[str] = Counter()  # nicks by member id
        self.bans = dict(bans or {})
        self.locked = locked
        known = list(owners)
        for nick, id in known:  # first every nick itself, so that a look-alike cannot take it from its owner
            if same_nick(nick) not in self._owners:
                self._own(id, frozenset((same_nick(nick),)))
                self._count[id] += 1
        for nick, id in known:
            self._own(id, skeletons(nick))

    def change(self, bans: Mapping[str, str], locked: bool) -> None:
        """From now on these rules say who may enter."""
        self.bans, self.locked = dict(bans), locked

    @property
    def full(self) -> bool:
        """Whether the owners of nicks are as many as a room remembers, so that no other nick gets one."""
        return len(self._owners) >= MAX_OWNED

    def refuse(self, id: str, nick: str, is_present: Callable[[str], bool], *, host: bool = False) -> Refused | None:
        """Check whether this person may be in the room under this nick.

        Args:
            is_present: whether another member is in the room now whose nick has this skeleton.
            host: whether this is the room's host, to whom bans and the lock do not apply.

        Returns:
            Why they may not; None: they may.
        """
        if id in self.bans and not host:
            return Refused("banned", "You are banned from this room.")
        if self.locked and id not in self._count and not host:
            return Refused("locked", "The room is locked: nobody new is admitted at the moment.")

        def is_of_others(skeleton: str) -> bool:
            return self._owners.get(skeleton, id) != id

        looks = skeletons(nick)
        present = any(map(is_present, looks))
        if present or any(map(is_of_others, looks)):
            why = "is taken here" if present else "belongs to somebody who was here before"
            free = free_nick(nick, lambda skeleton: is_present(skeleton) or is_of_others(skeleton))
            return Refused("nick", f"The nick {nick} {why}.", free, owned=not present)
        if not looks <= self._owners.keys() and self._count[id] >= MAX_NICKS:
            return Refused("rules", f"You have used {MAX_NICKS} nicks here, and nobody gets more: use one of them.")
        return None

    def claim(self, id: str, nick: str) -> None:
        """Make this key the owner of this nick, as far as it has no owner yet. Unverified members own no nicks."""
        if is_verified(id) and not self.full and self._own(id, skeletons(nick)):
            self._count[id] += 1

    def may_rename(self, id: str, now: int) -> float:
        """Count a rename of this member, if it may rename now.

        Args:
            now: ms since 1970.

        Returns:
            0: it may; else the seconds after which it may.
        """
        self._now = max(self._now, now / 1000)
        rate, burst = self._limits.rename_rate, self._limits.rename_burst
        bucket = self._renames.pop(id, None) or TokenBucket(rate, burst, self._now)
        self._renames[id] = bucket
        if len(self._renames) > MAX_RENAMERS:
            self._renames.popitem(last=False)
        wait = bucket.take(1, self._now)
        if wait > 0:
            bucket.take(-1, self._now)
        return wait

    def forget_rename(self, id: str) -> None:
        """What `may_rename` has counted last for this member has not happened."""
        if (bucket := self._renames.get(id)) is not None:
            bucket.take(-1, self._now)

    def owner(self, nick: str) -> str | None:
        """The id of the member who owns this nick, whether they are in the room or not; None: nobody owns it."""
        return self._owners.get(same_nick(nick))

    def owns(self, id: str) -> bool:
        """Whether any nick belongs to this member id."""
        return id in self._count

    def _own(self, id: str, looks: frozenset[str]) -> bool:
        """Returns: whether one of these skeletons had no owner."""
        # Not `looks - self._owners.keys()`, which goes through all owners of the room.
        new = [look for look in looks if look not in self._owners]
        self._owners |= dict.fromkeys(new, id)
        return bool(new)

    def banned(self) -> str:
        """The banned nicks, as a part of a sentence. Of many, only the latest are listed."""
        nicks = list(self.bans.values())
        more = f" and {len(nicks) - NAMED} more" if len(nicks) > NAMED else ""
        return (", ".join(nicks[-NAMED:]) or "nobody") + more

    def banned_as(self, name: str) -> str | None:
        """The banned member id that has this nick or is this id; None: nobody is banned by this name."""
        called = (id for id, nick in self.bans.items() if name == id or same_nick(name) == same_nick(nick))
        return next(called, None)
