"""The IRC clients of a room that have registered, in the channel or outside it, and those who have left. Pure."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lanchat.protocol.irc.extras import Extras
from lanchat.protocol.irc.line import made
from lanchat.protocol.irc.names import Person, Profile
from lanchat.protocol.irc.numerics import Replies, word
from lanchat.protocol.messages import Event, Left, Refused, Renamed
from lanchat.room.members import Member
from lanchat.room.room import Room
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.items import Answer

REMEMBERED = 100  # people who have left, for WHOWAS (ergo's number)


@dataclass(frozen=True)
class Gone:
    """Somebody who has left, or has another nick now.

    Args:
        at: ms since 1970.
    """

    id: str
    nick: str
    at: int


class People:
    """Owned by the hub thread.

    Args:
        now: ms since 1970.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.extras = Extras()
        self.profiles: dict[str, Profile] = {}  # of those who are here, and of those who are remembered
        self.gone: deque[Gone] = deque()  # the latest last
        self._most = 0  # people who were here at once
        self._here: dict[str, IrcSession] = {}  # by member id
        self._observed = 0  # the seq of the last event that was observed

    def __iter__(self) -> Iterator[IrcSession]:
        return iter(list(self._here.values()))

    @property
    def outside(self) -> list[IrcSession]:
        """Those who are not in the channel."""
        return [session for session in self._here.values() if session.member is None]

    def was_outside(self, id: str) -> bool:
        """Whether others have known of this client without seeing it in the channel."""
        session = self._here.get(id)
        return session is not None and session.was_outside

    def everybody(self, room: Room) -> list[Person]:
        """All who are in the channel, and those outside it."""
        return [*room.members, *self.outside]

    def find(self, nick: str, room: Room) -> Person | None:
        """The person of this nick, in the channel or outside it."""
        return called(nick, room) or self.client(nick)

    def client(self, nick: str) -> IrcSession | None:
        """The IRC client of this nick."""
        wanted = nick.lower()
        return next((session for session in self._here.values() if session.nick.lower() == wanted), None)

    def count(self, people: int) -> int:
        """Note how many people are here now. Returns the most that were ever here at once."""
        self._most = max(self._most, people)
        return self._most

    # ---- who comes and goes

    def add(self, session: IrcSession) -> None:
        """This client is registered."""
        self._here[session.id] = session
        self.profiles[session.id] = session.profile
        self.extras.forget_part(session.id)

    def register(self, session: IrcSession, room: Room) -> Answer:
        """Register a client that is not in the channel, if the nick that it wants is free."""
        if (taken := self._taken(session, session.wanted, room)) is not None:
            return Answer(taken)
        session.was_outside = True
        replies = Replies(session.names, session.wanted, encrypted=session.encrypted)
        self.add(session)
        greeting = session.welcome(replies, room.people + len(self.outside))
        return Answer(greeting, self._notices_for_watchers(session.nick, session.id))

    def rename(self, session: IrcSession, nick: str, room: Room) -> Answer:
        """Give a client outside the channel another nick."""
        if (taken := self._taken(session, nick, room)) is not None:
            return Answer(taken)
        before, line = session.nick, made(session.source, "NICK", nick)
        session.wanted = nick
        if before.lower() == nick.lower():
            return Answer(line)
        self._note(session.id, before, self.now())
        return Answer(line, (*self._notices_for_watchers(before), *self._notices_for_watchers(nick, session.id)))

    def part(self, session: IrcSession, reason: str) -> None:
        """A client leaves the channel and stays at the server."""
        session.was_outside = True
        self.extras.note_part(session.id, reason)

    def leave(self, session: IrcSession) -> Answer:
        """A client has gone altogether."""
        if self._here.pop(session.id, None) is None:
            return Answer()
        nick = session.nick
        if all((one.id, one.nick) != (session.id, nick) for one in self.gone):
            self._note(session.id, nick, self.now())
        self.extras.forget_part(session.id)
        notices = self._notices_for_watchers(nick)
        of_outside = [(one, data) for one, data in notices if one.member is None]
        return Answer(b"", notices if session.was_outside else of_outside)

    def observe(self, event: Event) -> None:
        """Remember who has left. Called by each client in the channel for each event, and acts on each event once."""
        if event.seq <= self._observed:
            return
        self._observed = event.seq
        if isinstance(event, Left | Renamed):
            self._note(event.by, event.nick, event.at)

    def change(self, session: IrcSession, **fields: str | bool) -> None:
        """Change what a client says of its person."""
        session.profile = replace(session.profile, **fields)  # type: ignore[arg-type]
        if session.id in self._here:
            self.profiles[session.id] = session.profile

    def _note(self, id: str, nick: str, at: int) -> None:
        self.gone.append(Gone(id, nick, at))
        if len(self.gone) > REMEMBERED:
            oldest = self.gone.popleft().id
            if oldest not in self._here and all(one.id != oldest for one in self.gone):
                self.profiles.pop(oldest, None)

    def _taken(self, session: IrcSession, nick: str, room: Room) -> bytes | None:
        """433, if somebody else has this nick already."""
        other = self.client(nick)
        decision = room.join(session.id, nick, self.now())
        refused = isinstance(decision, Refused) and decision.code in ("nick", "rules")
        if other in (None, session) and not refused:
            return None
        text = decision.text if isinstance(decision, Refused) and refused else f"The nick {nick} is taken here."
        return session.replies.reply("433", word(nick), last=text)

    def _notices_for_watchers(self, nick: str, id: str = "") -> list[tuple[IrcSession, bytes]]:
        """What those who watch this nick get when its owner comes, or goes (without an id)."""
        return [(session, data) for session in self._here.values() if (data := session.watched(nick, id))]


def called(nick: str, room: Room) -> Member | None:
    """The member of this nick."""
    wanted = nick.lower()
    return next((member for member in room.members if member.nick.lower() == wanted), None)
