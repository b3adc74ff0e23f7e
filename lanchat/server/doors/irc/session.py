"""The session of an IRC client, and its dialect: one for all clients with the same capabilities. Pure."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from lanchat import __version__
from lanchat.protocol.guest_ports import Onward
from lanchat.protocol.irc.caps import Capabilities
from lanchat.protocol.irc.encode import CHANGING_BYTES, Encoder
from lanchat.protocol.irc.labels import batched, labelled
from lanchat.protocol.irc.line import made
from lanchat.protocol.irc.markers import marker
from lanchat.protocol.irc.names import Names, Profile
from lanchat.protocol.irc.numerics import Replies, word
from lanchat.protocol.messages import (
    Closing,
    Event,
    FromHost,
    Joined,
    Left,
    Notice,
    Present,
    Receipt,
    Refused,
    Renamed,
    Said,
    Told,
)
from lanchat.protocol.status import Status
from lanchat.room.members import Member
from lanchat.room.snapshot import Snapshot
from lanchat.server.session import Dialect, Session

if TYPE_CHECKING:
    from lanchat.server.doors.irc.people import People

_STAYS = ("nick", "rules")  # refusals after which the client may try another nick


class Dialects:
    """The dialects of one room. Any thread: a dialect that is made twice costs an encode and nothing else.

    Args:
        people: the IRC clients of the room.
    """

    def __init__(self, names: Names, people: "People") -> None:
        self.names = names
        self.people = people
        self._known: dict[frozenset[str], IrcDialect] = {}

    def of(self, capabilities: frozenset[str]) -> "IrcDialect":
        wanted = capabilities & CHANGING_BYTES
        return self._known.get(wanted) or self._known.setdefault(
            wanted, IrcDialect(self.names, wanted, self.people.extras)
        )


class IrcDialect(Encoder, Dialect):
    """The lines for all clients with the same capabilities. A snapshot is its session's own."""

    def snapshot(self, snapshot: Snapshot) -> bytes:
        return self.history(snapshot.past)


@dataclass
class Label:
    """A line with a label whose answers are under way.

    Args:
        ref: the reference of the batch that all answers are in; "": the first has the label.
    """

    text: str
    ref: str = ""
    used: bool = False


@dataclass(eq=False)
class IrcSession(Session):
    """One IRC client. Its reader thread owns it while it is outside the room, the hub thread while it is inside.

    Args:
        id: the member id of the guest.
        encrypted: whether the client has come by TLS.
        wanted: the nick that the client asked for last.
        asked: the nicks in the private messages whose receipts are due, by the message's id; a NOTICE has none.
        profile: what the client says of its person.
        authenticated: whether it has given the password of the door.
        welcomed: whether it has got the end of its registration.
        was_outside: whether it has been outside the channel since then, so that others know that it is here.
        inside: whether it is in the room, as the hub has said last.
        away: the reason for being away; "": it is not.
        label: the line with a label that is being answered. The hub's.
        monitored: the nicks that it watches, by their lower case. The hub's.
        read: the times up to which it has read, by target in lower case. The hub's.
    """

    dialects: Dialects = field(kw_only=True)
    id: str = field(kw_only=True)
    sees_all: bool = True  # an IRC client keeps the list of people itself
    capabilities: Capabilities = field(default_factory=Capabilities)
    encrypted: bool = False
    wanted: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    profile: Profile = Profile()
    authenticated: bool = False
    welcomed: bool = False
    was_outside: bool = False
    inside: bool = False
    away: str = ""
    label: Label | None = None
    monitored: dict[str, str] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)

    host: ClassVar[bool] = False  # as a person: nobody who comes by IRC hosts the room

    @property
    def people(self) -> "People":
        return self.dialects.people

    @property
    def source(self) -> str:
        """What stands before the client's own lines."""
        return self.names.source(self.id, self.nick)

    @property
    def names(self) -> Names:
        return self.dialects.names

    @property
    def irc(self) -> IrcDialect:
        """The dialect of the capabilities that the client has now."""
        return self.dialects.of(self.capabilities.active)

    @property
    def replies(self) -> Replies:
        return Replies(self.names, self.nick, encrypted=self.encrypted)

    @property
    def nick(self) -> str:
        """The nick by which answers name the client."""
        if self.member is not None:
            return self.member.nick
        return self.wanted if self.welcomed else "*"

    def has(self, capability: str) -> bool:
        return capability in self.capabilities.active

    def use_capabilities(self) -> None:
        """Encode by the capabilities that the client has now."""
        self.dialect = self.irc
        self.echoes = self.has("echo-message")

    def fail(self, command: str, code: str, text: str, *context: str) -> bytes:
        """A reply for which there is no numeric."""
        return made(self.names.server, "FAIL", word(command), code, *map(word, context), last=text)

    def begin(self, label: str, *, several: bool) -> bytes:
        """From now on, what the client gets in answer has this label.

        Args:
            several: whether several events may follow, which a batch holds together.
        """
        if not self.has("labeled-response"):
            return b""
        self.label = Label(label, "labelled" if several and self.has("batch") else "")
        self.echoes = False  # what it has caused comes with the label, and so not as the others get it
        if not self.label.ref:
            return b""
        return made(self.names.server, "BATCH", "+labelled", "labeled-response", tags={"label": label})

    def end(self) -> bytes:
        """The line with the label is answered. Returns the bytes that end the answer."""
        label, self.label = self.label, None
        self.echoes = self.has("echo-message")
        if label is None or label.used:
            return b""
        if label.ref:
            return made(self.names.server, "BATCH", f"-{label.ref}")
        return labelled(b"", label.text, self.names.server, "")

    def own(self, data: bytes) -> bytes:
        """These lines, which answer what the client has sent, with their label if that is due."""
        label = self.label
        if label is None or label.used or not data:
            return data
        if label.ref:
            return batched(data, label.ref)
        label.used = True
        return labelled(data, label.text, self.names.server, "labelled" if self.has("batch") else "")

    def echo(self, event: Event) -> bytes | None:
        if self.label is None or (isinstance(event, Said) and not self.has("echo-message")):
            return super().echo(event)
        return self.own(self.dialect.encode(event))

    def gets(self, to: str, message: FromHost) -> bool:
        own = isinstance(message, Told) and message.by == to
        return self.member is not None and self.member.id == to and (not own or self.has("echo-message"))

    def observe(self, event: Event) -> bytes:
        """What the client is told of somebody whom it watches."""
        self.people.observe(event)
        if not self.monitored:
            return b""
        match event:
            case Joined(by=by, nick=nick):
                return b"" if self.people.was_outside(by) else self.watched(nick, by)
            case Left(by=by, nick=nick):
                return b"" if self.people.was_outside(by) else self.watched(nick)
            case Renamed(by=by, nick=nick, to=to) if nick.lower() != to.lower():
                return self.watched(nick) + self.watched(to, by)
            case _:
                return b""

    def watched(self, nick: str, id: str = "") -> bytes:
        """730 or 731: the owner of this nick has come, as this member id, or has left."""
        if nick.lower() not in self.monitored:
            return b""
        return (
            self.replies.reply("730", last=self.names.source(id, nick)) if id else self.replies.reply("731", last=nick)
        )

    def encode(self, message: FromHost) -> bytes:
        match message:
            case Notice(code="nick", text=text):
                wanted, self.wanted = self.wanted, self.nick
                return self.own(self.replies.reply("433", word(wanted), last=text))
            case Notice(text=text):
                return self.replies.notice(text)
            case Receipt(id=id, code=code, text=text):
                nick = self.asked.pop(id, "")
                refused = code == "refused" and nick
                return self.own(self.replies.reply("401", word(nick), last=text)) if refused else b""
            case Told(by=by) if by == self.id:
                return self.own(self.dialect.encode(message))
            case Status(by=by) if by == self.id or not self.has("away-notify"):
                return b""
            case _:
                return self.dialect.encode(message)

    def farewell(self, closing: Closing, onward: Onward | None) -> bytes:
        if onward is None:
            return self.encode(closing)
        words = onward.for_irc(encrypted=self.encrypted)
        port = onward.irc_port(encrypted=self.encrypted)
        bounce = self.replies.reply("010", onward.address, str(port), last=words) if port else b""
        return bounce + self.encode(Closing(closing.code, f"{closing.text} {words}", closing.to))

    def snapshot(self, snapshot: Snapshot) -> bytes:
        welcome = snapshot.welcome
        self.wanted = welcome.nick
        replies = Replies(self.names, welcome.nick, encrypted=self.encrypted)
        me = Present(welcome.id, welcome.nick)
        greeting = b"" if self.welcomed else self.welcome(replies, len(snapshot.present) + 1)
        self.people.add(self)
        names = b"" if self.has("no-implicit-names") else self.list_of([*snapshot.present, me], replies)
        entered = b"".join(
            (
                self.irc.joined(welcome.id, welcome.nick),
                replies.topic(welcome.topic),
                self.marker(self.names.channel) if self.has("draft/read-marker") else b"",
                names,
                b"" if self.has("draft/chathistory") else self.irc.history(snapshot.past),
            )
        )
        return greeting + self.own(entered)

    def welcome(self, replies: Replies, people: int) -> bytes:
        """The client is registered; this is what it gets then."""
        self.welcomed = True
        return replies.welcome(__version__, people, self.people.count(people))

    def marker(self, target: str) -> bytes:
        """MARKREAD: up to which time the client has read this target."""
        return marker(self.names.server, target, self.read.get(target.lower()))

    def list_of(self, people: list[Present] | list[Member], replies: Replies) -> bytes:
        """The names of these people, as this client wants them."""
        return replies.people(people, multi_prefix=self.has("multi-prefix"), with_hosts=self.has("userhost-in-names"))

    def refuse(self, refused: Refused) -> None:
        if refused.code in _STAYS:
            free = f" {refused.suggestion} is free." if refused.suggestion else ""
            self.link.send(self.replies.reply("433", word(self.wanted), last=refused.text + free))
        else:
            self.link.finish(self.dialect.encode(Closing(refused.code, refused.text)))
