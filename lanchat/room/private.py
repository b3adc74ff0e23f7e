"""The private messages of a room: who gets them, and which ones wait. Pure; owned by the room.

Private messages are sealed, and nothing here looks into a box. One waits in its recipient's mailbox until the
recipient's client confirms it. Then its box is deleted, and the rest is remembered, so that a resend is recognised. A
private message is no event: it has no number, and no snapshot, page or search contains it. For a guest, who has no key,
a message is not sealed, and never waits; the same holds for messages of guests.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from lanchat.protocol.file_messages import FileSend
from lanchat.protocol.ids import is_verified
from lanchat.protocol.limits import MAILBOX_KNOWN, memory_of
from lanchat.protocol.messages import Notice, Receipt, Tell, Told
from lanchat.protocol.nicks import clean_nick, same_nick
from lanchat.protocol.padding import OVERHEAD, padded_size
from lanchat.protocol.people import Owner, Who
from lanchat.protocol.text import clean_text
from lanchat.room.access import Access
from lanchat.room.effects import Effect, Reply, SendTo, Store
from lanchat.room.members import Member, Members

MAILBOX = 100  # private messages that wait for one person
MAILBOX_SIZE = 64 * 1024  # bytes of them, padded; they are sent at once, and fit a link's outbox
MAX_WAITING = 5_000  # private messages that wait in one room
MAX_WAITING_SIZE = 16 * 1024 * 1024  # bytes of them, padded; a quarter of what an attack may cost
# A message takes up a share of a bound by its size, and by being one message of so many.
_MAILBOX_SHARE = MAILBOX_SIZE // MAILBOX
_ROOM_SHARE = MAX_WAITING_SIZE // MAX_WAITING

Key = tuple[str, str]  # sender and the sender's own id


class Mailboxes:
    """The mailboxes of one room.

    Args:
        past: the stored private messages, in order. One without a box is finished: delivered or dropped.
    """

    def __init__(self, past: Iterable[Told] = ()) -> None:
        self._boxes: dict[str, dict[Key, Told]] = {}  # by recipient, oldest first
        self._sent: dict[str, dict[Key, str]] = {}  # the recipients, by sender, oldest first
        self._shares: Counter[str] = Counter()  # of what may wait in the room, by sender
        self._number = self._size = 0  # of what waits in the room
        self._finished: dict[Key, Told] = {}  # oldest first
        for told in past:
            if _is_finished(told):
                self._finish(told)
            else:
                self._add(told)

    def waiting(self, to: str) -> tuple[Told, ...]:
        """All private messages that wait for this member id, in order."""
        return tuple(self._boxes.get(to, {}).values())

    def all(self) -> Iterator[Told]:
        """All private messages that wait, for anybody."""
        return (told for box in self._boxes.values() for told in box.values())

    def carry(self, told: Told, members: Members) -> list[Effect]:
        """Let a private message that waited at another host of the room wait here, unless it came here before."""
        if self._known(_key(told)) is not None or not (is_verified(told.to) and is_verified(told.by)):
            return []
        try:
            padded_size(told.box)
        except ValueError:
            return []
        self._add(told)
        effects: list[Effect] = [SendTo(told.to, told), Store(told)]
        return effects + [Store(gone) for gone in (*self._drop_from_mailbox(told.to), *self._drop_from_room())]

    def take(self, told: Told) -> bool:
        """Follow the decision of another host of the room: this message waits, or (without a box) it waits no longer.

        Returns:
            Whether that changes anything here.
        """
        known = self._known(_key(told))
        if known is not None and (_is_finished(known) or not _is_finished(told)):
            return False
        if not _is_finished(told):
            self._add(told)
        elif known is not None:
            self._remove(_key(told))
        else:
            self._finish(told)
        return True

    def tell(self, sender: Member, message: Tell, now: int, members: Members, access: Access) -> list[Effect]:
        """Decide what becomes of a private message.

        Args:
            now: ms since 1970.
            members: the members who are in the room.
            access: knows the members who are away.
        """
        known = self._known((sender.id, message.id))
        try:
            to, nick = (known.to, known.to_nick) if known else addressee(sender, message, members, access)
            if not (is_verified(to) and is_verified(sender.id)):
                if known is None and all(member.id != to for member in members):
                    raise ValueError(f"{nick} is away, and the private messages of guests are not kept.")
                return self._pass_on(sender, message, to, nick, now, repeated=known is not None)
            _check_sealed(message)
        except ValueError as error:
            return [Reply(Receipt(message.id, "refused", f"{error} Nothing was sent."))]
        at = known.at if known else now
        told = Told(message.id, at, sender.id, sender.nick, to, nick, message.box)
        copy = Told(message.id, at, sender.id, sender.nick, to, nick, message.copy)
        if (known is not None and _is_finished(known)) or any(member.id == to for member in members):
            receipt = Receipt(message.id, "here")
        else:
            receipt = Receipt(message.id, "away", f"{nick} is away and will get it on returning.")
        if known is not None:
            return [Reply(copy), Store(known, receipt)]
        effects: list[Effect] = [SendTo(sender.id, copy), SendTo(to, told), Store(told, receipt)]
        self._add(told)
        for gone in self._drop_from_mailbox(to):
            words = f"The mailbox of {gone.to_nick} is full: your oldest message was dropped."
            effects += [Store(gone), SendTo(gone.by, Notice("mailbox", words))]
        for gone in self._drop_from_room():
            words = f"Too many private messages wait in this room: your oldest one, to {gone.to_nick}, was dropped."
            effects += [Store(gone), SendTo(gone.by, Notice("mailbox", words))]
        return effects

    def owner(
        self, sender: Member, message: Who, members: Members, access: Access, keys: Mapping[str, bytes]
    ) -> list[Effect]:
        """Answer a question for the key to which a private message must be sealed.

        Args:
            keys: those of nick owners, by member id.
        """
        try:
            to, nick = addressee(sender, message, members, access)
            key = next((member.key for member in members if member.id == to), b"") or keys.get(to, b"")
            if not is_verified(to):
                raise ValueError(f"~{nick} has no key, so nothing can be sealed for them.")
            if not key:
                raise ValueError(f"The key of {nick} is not known here. It will be once they come back.")
        except ValueError as error:
            return [Reply(Receipt(message.id, "refused", f"{error} Nothing was sent."))]
        return [Reply(Owner(message.id, to, nick, key))]

    def confirm(self, to: str, key: Key) -> list[Effect]:
        """The recipient has seen this message, so it waits no longer."""
        return [Store(self._remove(key))] if self._recipient(key) == to else []

    def _pass_on(self, sender: Member, message: Tell, to: str, nick: str, now: int, *, repeated: bool) -> list[Effect]:
        """Hand on a message to or from a guest, who has no key to seal it with. It is stored nowhere.

        Raises:
            ValueError: it cannot be handed on.
        """
        if message.box or message.copy:
            raise ValueError(f"~{nick} has no key, so nothing can be sealed for them.")
        told = Told(message.id, now, sender.id, sender.nick, to, nick, text=clean_text(message.text))
        receipt = Reply(Receipt(message.id, "passed"))
        if repeated:
            return [Reply(told), receipt]
        self._finish(Told(message.id, now, sender.id, sender.nick, to, nick))
        return [SendTo(sender.id, told), SendTo(to, told), receipt]

    def _known(self, key: Key) -> Told | None:
        """The message of this key, if it came before; without a box if it is finished."""
        to = self._recipient(key)
        return self._finished.get(key) if to is None else self._boxes[to][key]

    def _recipient(self, key: Key) -> str | None:
        """The member id for which this message waits, if it does."""
        return self._sent.get(key[0], {}).get(key)

    def _drop_from_mailbox(self, to: str) -> Iterator[Told]:
        """Make a mailbox small enough. Gives the dropped messages, without their boxes.

        They are of the sender with the largest share of this mailbox, so that a flood drops no message of another
        sender, whether it is one of many messages or of long ones.
        """
        while box := self._boxes.get(to):
            if len(box) <= MAILBOX and sum(_size(told) for told in box.values()) <= MAILBOX_SIZE:
                return
            shares: Counter[str] = Counter()
            for told in box.values():
                shares[told.by] += _MAILBOX_SHARE + _size(told)
            [(sender, _)] = shares.most_common(1)  # of equals, the one whose message came first
            yield self._remove(next(key for key in box if key[0] == sender))

    def _drop_from_room(self) -> Iterator[Told]:
        """Make all mailboxes together small enough, at the cost of the sender with the largest share of them.

        By sender, not by mailbox: otherwise messages to made-up recipients could push out those to a real one.
        """
        while self._number > MAX_WAITING or self._size > MAX_WAITING_SIZE:
            sender = max(self._shares, key=lambda by: self._shares[by])
            yield self._remove(next(iter(self._sent[sender])))

    def _add(self, told: Told) -> None:
        self._boxes.setdefault(told.to, {})[_key(told)] = told
        self._sent.setdefault(told.by, {})[_key(told)] = told.to
        self._count(told, 1)

    def _remove(self, key: Key) -> Told:
        to = self._sent[key[0]].pop(key)
        told = self._boxes[to].pop(key)
        self._count(told, -1)
        if not self._boxes[to]:
            del self._boxes[to]
        if not self._sent[told.by]:
            del self._sent[told.by], self._shares[told.by]
        finished = Told(told.id, told.at, told.by, told.nick, told.to, told.to_nick)
        self._finish(finished)
        return finished

    def _count(self, told: Told, number: int) -> None:
        self._number += number
        self._size += number * _size(told)
        self._shares[told.by] += number * (_ROOM_SHARE + _size(told))

    def _finish(self, finished: Told) -> None:
        self._finished[_key(finished)] = finished
        if len(self._finished) > MAILBOX_KNOWN:
            del self._finished[next(iter(self._finished))]


def _key(told: Told) -> Key:
    return told.by, told.id


def _is_finished(told: Told) -> bool:
    """Whether it was delivered or dropped. One from before messages were sealed has a text instead of a box."""
    return not (told.box or told.text)


def _size(told: Told) -> int:
    """What a private message counts as in a mailbox: its padded text."""
    return max(0, len(told.box) - OVERHEAD) + memory_of(told.text)


def _check_sealed(message: Tell) -> None:
    """Check that a private message to a member with a key is sealed.

    Raises:
        ValueError: the sender has not sealed and padded it, for a certain recipient and for themselves.
    """
    if message.text or not message.to or padded_size(message.box) != padded_size(message.copy):
        raise ValueError("A private message must be sealed and padded.")


def addressee(sender: Member, message: Tell | Who | FileSend, members: Members, access: Access) -> tuple[str, str]:
    """Find the recipient of a private message or file: member id and nick.

    A nick alone stands for the key that it belongs to.

    Raises:
        ValueError: there is no recipient, or it can get no private messages.
    """
    typed = clean_nick(message.nick)
    same, owner = same_nick(typed), access.owner(typed)
    there = members.called(typed)
    to = message.to or (there.id if there is not None else owner)
    nicks = {same_nick(member.nick): member.nick for member in members if member.id == to}
    if to is None or (not nicks and to != owner):
        raise ValueError(f"No one called {typed} has been in this room.")
    nick = nicks.get(same) or next(iter(nicks.values()), typed)
    if to == sender.id:
        raise ValueError(f"{nick} is you.")
    if to in access.bans:
        raise ValueError(f"{nick} is banned from this room.")
    return to, nick
