"""The private messages that the host carries: whom they reach, and what waits for whom. Pure; owned by the room.

One waits in its recipient's mailbox until their program says that it has it. Then its text is gone, and what is left
is enough to know a resend. It is no event of the room: nobody sees a gap, and no replay or search holds it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from lanchat.protocol.ids import is_verified
from lanchat.protocol.limits import MAILBOX_KNOWN
from lanchat.protocol.messages import Notice, Receipt, Tell, Told
from lanchat.protocol.text import clean_nick, clean_text, same_nick
from lanchat.room.access import Access
from lanchat.room.effects import Effect, Member, Reply, SendTo, Store

MAILBOX = 100  # messages that wait for one person ...
MAILBOX_SIZE = 64 * 1024  # characters; ... and all of them together, a quarter of a link's outbox: they come at once
ALL_MAIL = 5_000  # messages that wait in one room: 20 MB at most

Key = tuple[str, str]  # sender and the sender's own id
Members = Mapping[tuple[str, str], Member]  # by id and same_nick


class Mailboxes:
    """
    Args:
        past: what an earlier evening left, in order; without a text: what is over.
    """

    def __init__(self, past: Iterable[Told] = ()) -> None:
        self._boxes: dict[str, dict[Key, Told]] = {}  # by recipient, oldest first
        self._waiting: dict[Key, str] = {}  # their recipients
        self._over: dict[Key, Told] = {}  # oldest first
        for told in past:
            if told.text:
                self._add(told)
            else:
                self._end(told)

    def waiting(self, to: str) -> tuple[Told, ...]:
        """All that waits for this person, in order."""
        return tuple(self._boxes.get(to, {}).values())

    def tell(self, sender: Member, message: Tell, now: int, members: Members, access: Access) -> list[Effect]:
        """
        Args:
            now: ms since 1970.
            members: who is in the room.
            rights: who else could come back.
        """
        known = self._known((sender.id, message.id))
        try:
            text = clean_text(message.text)
            to, nick = (known.to, known.to_nick) if known else _addressee(sender, message, members, access)
        except ValueError as error:
            return [Reply(Receipt(message.id, "refused", f"{error} Nothing was sent."))]
        told = Told(message.id, known.at if known else now, sender.id, sender.nick, to, nick, text)
        if (known is not None and not known.text) or any(id == to for id, _ in members):
            receipt = Receipt(message.id, "here")
        else:
            receipt = Receipt(message.id, "away", f"{nick} is away and will get it on returning.")
        if known is not None:
            return [Reply(told), Store(known, receipt)]
        effects: list[Effect] = [Reply(told), SendTo(to, told), Store(told, receipt)]
        for gone in self._put(told):
            words = f"The mailbox of {gone.to_nick} is full: your oldest message was dropped."
            effects += [Store(gone), SendTo(gone.by, Notice("mailbox", words))]
        return effects

    def take(self, to: str, key: Key) -> list[Effect]:
        """The recipient has it."""
        return [Store(self._remove(key))] if self._waiting.get(key) == to else []

    def _known(self, key: Key) -> Told | None:
        """What this was, if it came before; without a text when it is over."""
        to = self._waiting.get(key)
        return self._over.get(key) if to is None else self._boxes[to][key]

    def _put(self, told: Told) -> list[Told]:
        """Let this wait.

        Returns:
            What had to go for it, without a text. It is of whoever has most in the full mailbox, so that a flood
            pushes nobody else's out.
        """
        self._add(told)
        gone: list[Told] = []
        box = self._boxes[told.to]
        while len(box) > MAILBOX or sum(len(other.text) for other in box.values()) > MAILBOX_SIZE:
            gone.append(self._drop_one(box))
        if len(self._waiting) > ALL_MAIL:
            gone.append(self._drop_one(max(self._boxes.values(), key=len)))
        return gone

    def _add(self, told: Told) -> None:
        self._waiting[_key(told)] = told.to
        self._boxes.setdefault(told.to, {})[_key(told)] = told

    def _drop_one(self, box: dict[Key, Told]) -> Told:
        [(sender, _)] = Counter(by for by, _ in box).most_common(1)  # where equal, of whoever came first
        return self._remove(next(key for key in box if key[0] == sender))

    def _remove(self, key: Key) -> Told:
        to = self._waiting.pop(key)
        told = self._boxes[to].pop(key)
        if not self._boxes[to]:
            del self._boxes[to]
        over = Told(told.id, told.at, told.by, told.nick, told.to, told.to_nick, "")
        self._end(over)
        return over

    def _end(self, over: Told) -> None:
        self._over[_key(over)] = over
        if len(self._over) > MAILBOX_KNOWN:
            del self._over[next(iter(self._over))]


def _key(told: Told) -> Key:
    return told.by, told.id


def _addressee(sender: Member, message: Tell, members: Members, access: Access) -> tuple[str, str]:
    """Whom this is for: member id and nick. A key, and where only a nick is known, the key that it belongs to.

    Raises:
        ValueError: nobody whom it could reach.
    """
    typed = clean_nick(message.nick)
    same, owner = same_nick(typed), access.owner(typed)
    to = message.to or next((id for id, nick in members if nick == same), owner)
    nicks = {nick: member.nick for (id, nick), member in members.items() if id == to}
    if to is None or (not nicks and to != owner):
        raise ValueError(f"No one called {typed} has been in this room.")
    nick = nicks.get(same) or next(iter(nicks.values()), typed)
    if not is_verified(to):
        raise ValueError(f"~{nick} is a netcat guest and cannot get private messages.")
    if to == sender.id:
        raise ValueError(f"{nick} is you.")
    if to in access.bans:
        raise ValueError(f"{nick} is banned from this room.")
    return to, nick
