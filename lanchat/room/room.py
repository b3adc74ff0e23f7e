"""The rules of one room. Pure: a member, a message and the time go in, effects come out.

Who is who. A member is a key together with a nick; the same person may be in the room through several
links at once (a screen and a script), and is said to have joined with the first and left with the last.
So a link that died unseen never stands in the way of its owner coming back.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import (
    MAX_NAME,
    Bye,
    Closing,
    Confirm,
    Deaf,
    Event,
    Fetch,
    FromMember,
    Got,
    Hello,
    Joined,
    Left,
    Moderate,
    Notice,
    Ping,
    Pong,
    Present,
    Refused,
    Rename,
    Renamed,
    Said,
    Say,
    Tell,
    Told,
    Welcome,
)
from lanchat.protocol.text import clean_nick, clean_text, same_nick
from lanchat.room.access import Access
from lanchat.room.effects import Admitted, Close, Deliver, DropOldest, Effect, Kick, Member, Reply, SaveAccess
from lanchat.room.private import Mailboxes

RESUME = 500  # events a member that comes back gets at once; for those before, it asks page by page
RESUME_SIZE = 64 * 1024  # characters; ... or so much: a quarter of a link's outbox, in which more is to come
HISTORY = 50  # lines a newcomer sees
RECENT = 10_000  # events kept at hand for members that come back, and ids for recognising resends
MAX_MEMBERS = 200  # people in a room, unless the host says otherwise
MAX_LINKS = 4  # of one member at once


class Room:
    """One conversation. Owned by the hub thread.

    Args:
        id: the room's id, 32 hex digits.
        host_id: the member id of who hosts.
        past: the last events of an earlier evening, in order.
        seq: events are numbered from the one after this (`Log.seq`).
        rights: who owned which nick then, and who is banned.
        mail: the private messages of then, `Log.mail`.
    """

    def __init__(
        self,
        id: str,
        title: str,
        host_id: str,
        *,
        past: tuple[Event, ...] = (),
        seq: int = 0,
        access: Access | None = None,
        private: Iterable[Told] = (),
        max_members: int = MAX_MEMBERS,
    ) -> None:
        self.id = id
        self.title = title
        self._host_id = host_id
        self._max_members = max_members
        self._access = access or Access()
        self._private = Mailboxes(private)
        self._members: dict[tuple[str, str], Member] = {}  # by id and same_nick
        self._recent: deque[Event] = deque(maxlen=RECENT)
        self._lines: deque[Said] = deque(maxlen=HISTORY)
        self._said: dict[tuple[str, str], Said] = {}  # by member id and message id
        self._said_keys: deque[tuple[str, str]] = deque()  # the same, oldest first; a dict walks over all it has lost
        self.seq = 0
        for event in past:
            self._remember(event)
        self.seq = max(self.seq, seq)
        self.saved = self.seq  # everything up to here is on disk; told to newcomers

    @property
    def people(self) -> int:
        return len(self._members)

    @property
    def members(self) -> Iterator[Member]:
        return iter(self._members.values())

    def admit(self, id: str, nick: str, after: int, now: int) -> Admitted | Refused:
        """Let somebody in, or say why not.

        Args:
            id: the member id that was proven, or one made up by a door without keys.
            after: the last seq this member has; -1 for a newcomer.
            now: ms since 1970.
        """
        try:
            nick = clean_nick(nick)
        except ValueError as error:
            return Refused("rules", str(error))
        member = self._members.get((id, same_nick(nick)))
        if member is None:
            refused = self._refuse_newcomer(id, nick)
            if refused is not None:
                return refused
            member = Member(id, nick, host=id == self._host_id)
            present, seq = self._present(), self.seq
            past = self._past(after)
            self._members[id, same_nick(nick)] = member
            self._access.claim(id, nick)
            joined = self._event(Joined(self.seq + 1, now, id, nick, host=member.host))
            effects: tuple[Effect, ...] = (joined,)
            if member.host and self._access.locked:  # perhaps since an earlier start, and forgotten
                effects += (Reply(Notice("locked", "the room is locked to newcomers; /unlock lets them in")),)
        else:
            member.links += 1
            present, seq, past = self._present(), self.seq, self._past(after)
            effects = (DropOldest(member),) if member.links > MAX_LINKS else ()
        welcome = Welcome(member.id, member.nick, seq, self.saved, len(present), self._since(after, past))
        return Admitted(member, welcome, present, past, effects, self._private.waiting(id))

    def recall(self, said: Iterable[Said]) -> None:
        """These were said long ago; a resend of them is one."""
        for event in said:
            if (event.by, event.id) not in self._said:
                self._know(event)

    def leave(self, member: Member, reason: str, now: int) -> list[Effect]:
        """One link of this member is gone."""
        member.links -= 1
        if member.links > 0:
            return []
        del self._members[member.id, same_nick(member.nick)]
        return [self._event(Left(self.seq + 1, now, member.id, member.nick, reason[:MAX_NAME]))]

    def handle(self, member: Member, message: FromMember, now: int) -> list[Effect]:
        match message:
            case Say():
                return self._say(member, message, now)
            case Tell():
                return self._private.tell(member, message, now, self._members, self._access)
            case Got(by=by, id=id):
                return self._private.take(member.id, (by, id))
            case Rename(nick=nick):
                return self._rename(member, nick, now)
            case Ping():
                return [Reply(Pong())]
            case Pong():
                return []
            case Moderate(action=action, nick=nick):
                return self._moderate(member, action, nick)
            case Bye():
                return [Close()]
            case Hello() | Confirm() | Fetch() | Deaf():
                return [Reply(Notice("rules", "you are in the room already"))]

    def _say(self, member: Member, message: Say, now: int) -> list[Effect]:
        known = self._said.get((member.id, message.id))
        if known is not None:
            return [Reply(known)]
        try:
            text = clean_text(message.text)
        except ValueError as error:
            return [Reply(Notice("rules", str(error)))]
        return [self._event(Said(self.seq + 1, now, member.id, member.nick, message.id, text, message.action))]

    def _rename(self, member: Member, wanted: str, now: int) -> list[Effect]:
        try:
            nick = clean_nick(wanted)
        except ValueError as error:
            return [Reply(Notice("rules", str(error)))]
        if nick == member.nick:
            return []
        refused = self._access.refuse(member.id, nick, self._others(member))
        if refused is not None:
            free = f"; {refused.suggestion} is free" if refused.suggestion else ""
            return [Reply(Notice("nick", refused.text + free))]
        self._access.claim(member.id, nick)
        del self._members[member.id, same_nick(member.nick)]
        renamed = self._event(Renamed(self.seq + 1, now, member.id, member.nick, nick))
        member.nick = nick
        self._members[member.id, same_nick(nick)] = member
        return [renamed]

    def _moderate(self, member: Member, action: str, nick: str) -> list[Effect]:
        if not member.host:
            return [Reply(Notice("rights", "only who hosts the room may do that"))]
        match action:
            case "lock" | "unlock":
                self._access.locked = action == "lock"
                text = "nobody new is let in any more" if self._access.locked else "newcomers are let in again"
                return [self._save_access(), Reply(Notice("done", text))]
            case "unban":
                if not self._access.unban(nick):
                    return [Reply(Notice("rights", f"{nick} is not banned; banned: {self._access.banned()}"))]
                return [self._save_access(), Reply(Notice("done", f"{nick} may come back"))]
            case "kick" | "ban":
                return self._send_away(nick, member, ban=action == "ban")
            case _:
                return [Reply(Notice("rules", "this host's lanchat does not know that command"))]

    def _send_away(self, nick: str, by: Member, *, ban: bool) -> list[Effect]:
        there = [other for (_, same), other in self._members.items() if same == same_nick(nick)]
        id = there[0].id if there else self._access.owner(nick)
        if id is None or (not there and not ban):
            return [Reply(Notice("rights", f"nobody here is called {nick}"))]
        if id == by.id:
            return [Reply(Notice("rights", "that is you"))]
        effects: list[Effect] = []
        if ban and not is_verified(id):
            effects.append(Reply(Notice("rights", f"~{nick} has no key to ban; sent away, and may come back")))
        elif ban:
            self._access.bans[id] = nick
            effects += [self._save_access(), Reply(Notice("done", f"{nick} is banned"))]
            there = [other for (of, _), other in self._members.items() if of == id]
        closing = (
            Closing("banned", "you are banned from this room") if ban else Closing("kicked", "the host sent you out")
        )
        return effects + [Kick(other, closing) for other in there]

    def _save_access(self) -> SaveAccess:
        return SaveAccess(dict(self._access.bans), self._access.locked)

    def _refuse_newcomer(self, id: str, nick: str) -> Refused | None:
        host = id == self._host_id
        if len(self._members) >= self._max_members and not host:
            return Refused("full", f"the room is full ({self._max_members} people)")
        return self._access.refuse(id, nick, self._others(), host=host)

    def _others(self, than: Member | None = None) -> frozenset[str]:
        """The `same_nick` of everybody here, but for one."""
        return frozenset(nick for (_, nick), member in self._members.items() if member is not than)

    def _present(self) -> tuple[Present, ...]:
        return tuple(Present(m.id, m.nick, m.host) for m in self._members.values())

    def _past(self, after: int) -> tuple[Event, ...]:
        """All that came after this seq, where it is at hand; for a newcomer the last lines."""
        found: list[Event] = []
        size = 0
        for event in reversed(self._lines if after < 0 else self._recent):
            size += len(event.text) if isinstance(event, Said) else 0
            if event.seq <= after or len(found) == RESUME or size > RESUME_SIZE:
                break
            found.append(event)
        return tuple(reversed(found))

    def _since(self, after: int, past: tuple[Event, ...]) -> int:
        """Where this past begins, for somebody who has everything up to `after`."""
        if after < 0 or not past:
            return 0
        earlier = len(self._recent) - len(past) - 1  # the last event that is not in it
        complete = self._recent[earlier].seq <= after if earlier >= 0 else past[0].seq <= after + 1
        return 0 if complete else past[0].seq - 1

    def _event(self, event: Event) -> Deliver:
        self._remember(event)
        return Deliver(event)

    def _remember(self, event: Event) -> None:
        self.seq = event.seq
        self._recent.append(event)
        if isinstance(event, Said):
            self._lines.append(event)
            self._know(event)

    def _know(self, said: Said) -> None:
        key = said.by, said.id
        self._said[key] = said
        self._said_keys.append(key)
        if len(self._said_keys) > RECENT:
            self._said.pop(self._said_keys.popleft(), None)
