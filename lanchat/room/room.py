"""The rules of one room. Pure: a member, a command and the time go in, decisions come out.

`decide`, `join` and `leave` return what should happen: drafts of events, which have no number yet, and effects such as
a reply. The hub gives each draft its number, and `apply` makes the event happen. So a room can be rebuilt by applying
the events of its log.

A member is one key under one nick, and may have several sessions at once (a screen and a script). The member joins with
the first session and leaves with the last one. So a session whose link died unnoticed does not keep its owner from
reconnecting.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lanchat.protocol.fields import MAX_NAME
from lanchat.protocol.file_messages import FileSend
from lanchat.protocol.limits import DEFAULT_LIMITS, Limits
from lanchat.protocol.messages import (
    UNNUMBERED,
    Bye,
    Command,
    Event,
    Got,
    Joined,
    Left,
    Moderate,
    Moved,
    Notice,
    Receipt,
    Refused,
    Rename,
    Renamed,
    Said,
    Say,
    Tell,
    Told,
)
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.people import PeopleList, Who
from lanchat.protocol.standby import MergeRules, MergeTold
from lanchat.protocol.status import Away
from lanchat.protocol.text import clean_text
from lanchat.protocol.topic import Topic
from lanchat.room.access import Access
from lanchat.room.crowd import is_crowd, list_people
from lanchat.room.effects import Close, Decision, Repeated, Reply
from lanchat.room.files import Files
from lanchat.room.late import when_said
from lanchat.room.members import Member, Members
from lanchat.room.merging import merge
from lanchat.room.moderation import moderate, set_topic
from lanchat.room.presence import rename, set_away
from lanchat.room.private import Mailboxes
from lanchat.room.recent import RecentEvents
from lanchat.room.runs import usual


class Room:
    """One conversation. Owned by the hub thread.

    Args:
        id: the room's id, 32 hex digits.
        host_id: the member id of the host.
        past: the last events of the log, in order.
        seq: the highest number that may have been given out (`Opened.seq`); the next event gets a higher one.
        access: nick owners, bans and the lock.
        private: the stored private messages, in order (`Opened.private`).
        keys: public keys of nick owners, by member id.
        limits: how many people may be here, and how many are a crowd.
        owner_id: the member id of whose room it is, with all rights of the host; "": of nobody else.
    """

    def __init__(
        self,
        id: str,
        title: str,
        host_id: str,
        *,
        past: Iterable[Event] = (),
        seq: int = 0,
        access: Access | None = None,
        private: Iterable[Told] = (),
        keys: Mapping[str, bytes] | None = None,
        topic: str = "",
        limits: Limits = DEFAULT_LIMITS,
        owner_id: str = "",
    ) -> None:
        self.id = id
        self.title = title
        self.topic = topic  # what the room is about
        self.seq = 0  # of the last event that was applied
        self.unavailable = ""  # why no message is accepted now; "": messages are. Set by the hub, which knows the log
        self.host_nick = ""  # of the host's member, once it has joined
        self.host_id, self._owner_id = host_id, owner_id
        self._limits = limits
        self.access = access or Access()
        self.crowd = False  # whether so many are here that a count takes the place of who comes and goes
        self.private = Mailboxes(private)
        self._keys = dict(keys or {})  # of those who own a nick here
        self.files = Files(None)  # set by the host, if the room takes files
        self.members = Members()
        self.recent = RecentEvents()  # the last events, which are in memory
        for event in past:
            self.apply(event)
        self.host_nick, self.host_id = "", host_id
        self.members.clear()  # members who were in the room when the host stopped have to join again
        self.crowd = False
        self.seq = max(self.seq, seq)

    @property
    def people(self) -> int:
        return len(self.members)

    # ---- what should happen

    def join(
        self, id: str, nick: str, now: int, key: bytes = b"", *, web: bool = False, bot: bool = False
    ) -> Joined | Refused | Member:
        """Decide whether somebody may enter the room.

        Args:
            id: the member id: a proven one, or one made up for a guest.
            now: ms since 1970.
            key: the public key that was proven.
            web: whether they come by a browser.
            bot: a program speaks on this link.

        Returns:
            A draft of the event; or the member, if another session of theirs is in the room already.
        """
        try:
            nick = clean_nick(nick)
        except ValueError as error:
            return Refused("rules", str(error))
        if (member := self.members.get(id, nick)) is not None:
            return member
        host = id == self.host_id
        free = host or id == self._owner_id  # no rule keeps them out
        refused = self.access.refuse(id, nick, lambda look: self.members.looks_like(look) is not None, host=free)
        if refused is None and len(self.members) >= self._limits.members and not free:
            people = "1 person" if self._limits.members == 1 else f"{self._limits.members} people"
            return Refused("full", f"The room is full ({people}).")
        return refused or Joined(UNNUMBERED, now, id, nick, host=host, key=key, web=web, bot=bot)

    def has_place(self, coming: int) -> bool:
        """Whether the room has a place for one more, besides so many who are coming in."""
        return len(self.members) + coming < self._limits.members

    def leave(self, member: Member, now: int, *, code: str = "", reason: str = "") -> Left | None:
        """Count one session of this member less.

        Args:
            code: why it ended, one of `protocol.closings.LeftCode`.
            reason: the same in words, if the code does not say it all.

        Returns:
            A draft of the event, if this was the member's last session.
        """
        if not member.leave():
            return None
        return Left(UNNUMBERED, now, member.id, member.nick, code, reason[:MAX_NAME])

    def decide(self, member: Member, command: Command, now: int) -> Sequence[Decision]:
        """Decide what follows from a member's command. The time is in ms since 1970."""
        match command:
            case Say():
                return (self.say(member, command, now),)
            case Tell():
                if self.unavailable:
                    words = f"Not sent: {self.unavailable} on the host's computer. Try again later."
                    return [Reply(Receipt(command.id, "refused", words))]
                return self.private.tell(member, command, now, self.members, self.access)
            case Who():
                return self.private.owner(member, command, self.members, self.access, self._keys)
            case PeopleList():
                return list_people(command, self.members)
            case Got(by=by, id=id):
                return [*self.private.confirm(member.id, (by, id)), *self.files.confirm(member.id, by, id)]
            case Rename(nick=nick):
                return rename(member, nick, now, self.members, self.access)
            case Moderate(action="topic", argument=topic):
                return set_topic(member, topic, self.topic, now, may=self._has_rights(member))
            case Away(text=text):
                return set_away(member, text)
            case Moderate(action=action, nick=nick):
                may = self._has_rights(member)
                return moderate(member, action, nick, self.members, self.access, may=may)
            case Bye():
                return [Close()]
            case FileSend() if command.to:
                return self.files.send_to_one(member, command, now, self.members, self.access)
            case MergeRules() | MergeTold():
                return merge(member, command, self._owner_id, self.members, self.access, self.private)
            case _:
                return self.files.decide(member, command, now)

    def say(self, member: Member, command: Say, now: int, seq: int = UNNUMBERED) -> Said | Repeated | Reply:
        """Decide about a message to everyone: as `decide` does, but for this one command, which nearly all are."""
        known = self.recent.said.get((member.id, command.id))
        if known is not None:
            return Repeated(known)
        if self.unavailable:
            return Reply(Notice("unsent", f"Not sent: {self.unavailable} on the host's computer. Try again later."))
        try:
            text = clean_text(command.text)
        except ValueError as error:
            return Reply(Notice("rules", str(error)))
        at, late = when_said(command, now) if command.again else (now, False)
        return Said(seq, at, member.id, member.nick, command.id, text, command.action, late)

    def hear_all(self, member: Member, says: Sequence[Say], now: int) -> Sequence[Said]:
        """Make all these messages happen in two thirds of the time that `hear` takes.

        Returns:
            The events; none: nothing has happened, because not all are as usual, and `hear` has to look at each.
        """
        said = {} if self.unavailable else usual(member, says, now, self.seq, self.recent.said)
        self.seq += len(said)
        return self.recent.extend(said)

    def hear(self, member: Member, says: Iterator[Say], now: int) -> tuple[list[Said], Repeated | Reply | None]:
        """Take messages to everyone one after the other and make them happen, up to the first that does not.

        Returns:
            Those that have happened, and what was decided about the one that ended the run; None: there was none.
        """
        said: dict[tuple[str, str], Said] = {}
        for say in says:
            key = member.id, say.id
            decision = Repeated(said[key]) if key in said else self.say(member, say, now, self.seq + 1)
            if not isinstance(decision, Said):
                break
            self.seq, said[key] = decision.seq, decision
        else:
            decision = None
        return self.recent.extend(said), decision

    def _has_rights(self, member: Member) -> bool:
        return member.host or member.id == self._owner_id

    # ---- what has happened

    def apply(self, event: Event) -> None:
        """Make an event happen, now that it has its number. Events are applied in the order of their numbers."""
        self.seq = event.seq
        self.recent.add(event)
        if isinstance(event, Said):  # nearly all
            return
        match event:
            case Topic(topic=topic):
                self.topic = topic
            case Moved(by=id):
                self.host_id = id
                for someone in self.members:
                    someone.host = someone.id == id
                self.host_nick = next((someone.nick for someone in self.members if someone.host), "")
            case Joined(by=id, nick=nick, host=host, key=key, web=web, bot=bot):
                self.members.add(Member(id, nick, host, key, web=web, bot=bot))
                self.access.claim(id, nick)
                if host:
                    self.host_nick = self.host_nick or nick
                if key and self.access.owns(id):
                    self._keys[id] = key
                self._count()
            case Left(by=id, nick=nick):
                self.members.remove(id, nick)
                self._count()
            case Renamed(by=id, nick=nick, to=to):
                self.access.claim(id, to)
                member = self.members.remove(id, nick)
                if member is not None:
                    member.nick = to
                    if member.host and self.host_nick == nick:
                        self.host_nick = to
                    self.members.add(member)
            case _:
                self.files.apply(event)

    def expect(self, member: Member) -> None:
        """Take a member over from the last host: their next session comes without a `joined`."""
        if self.members.get(member.id, member.nick) is None:
            self.members.add(member)
            self.access.claim(member.id, member.nick)
            self._count()

    def _count(self) -> None:
        self.crowd = is_crowd(len(self.members), self._limits, before=self.crowd)

    def recall(self, said: Iterable[Said]) -> None:
        """Add messages that are too old to be in memory, so that resends of them are recognised."""
        self.recent.recall(said)

    def member(self, id: str, nick: str) -> Member:
        """The member of this id and nick, who must be in the room."""
        member = self.members.get(id, nick)
        assert member is not None
        return member
