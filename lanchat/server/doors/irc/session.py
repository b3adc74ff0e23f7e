"""The session of an IRC client, and its dialect: one for all clients with the same capabilities. Pure."""

from dataclasses import dataclass, field

from lanchat import __version__
from lanchat.protocol.irc.caps import Capabilities
from lanchat.protocol.irc.encode import CHANGING_BYTES, Encoder
from lanchat.protocol.irc.line import made
from lanchat.protocol.irc.names import Names
from lanchat.protocol.irc.numerics import Replies, word
from lanchat.protocol.messages import Closing, FromHost, Notice, Present, Receipt, Refused
from lanchat.room.effects import Member, Snapshot
from lanchat.server.session import Session

_STAYS = ("nick", "rules")  # refusals after which the client may try another nick


class Dialects:
    """The dialects of one room. Any thread: a dialect that is made twice costs an encode and nothing else."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._known: dict[frozenset[str], IrcDialect] = {}

    def of(self, capabilities: frozenset[str]) -> "IrcDialect":
        wanted = capabilities & CHANGING_BYTES
        return self._known.get(wanted) or self._known.setdefault(wanted, IrcDialect(self.names, wanted))


class IrcDialect(Encoder):
    """The lines for all clients with the same capabilities. A snapshot is its session's own."""

    def snapshot(self, snapshot: Snapshot) -> bytes:
        return self.history(snapshot.past)


@dataclass(eq=False)
class IrcSession(Session):
    """One IRC client. Its reader thread owns it while it is outside the room, the hub thread while it is inside.

    Args:
        id: the member id of the guest.
        wanted: the nick that the client asked for last.
        asked: the nicks in the private messages whose receipts are due, by the message's id; a NOTICE has none.
        welcomed: whether it has got the end of its registration.
        inside: whether it is in the room, as the hub has said last.
        away: the reason for being away; "": it is not.
    """

    dialects: Dialects = field(kw_only=True)
    id: str = field(kw_only=True)
    capabilities: Capabilities = field(default_factory=Capabilities)
    wanted: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    welcomed: bool = False
    inside: bool = False
    away: str = ""

    @property
    def names(self) -> Names:
        return self.dialects.names

    @property
    def irc(self) -> IrcDialect:
        """The dialect of the capabilities that the client has now."""
        return self.dialects.of(self.capabilities.active)

    @property
    def replies(self) -> Replies:
        return Replies(self.names, self.nick)

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

    def fail(self, command: str, code: str, text: str) -> bytes:
        """A reply for which there is no numeric."""
        return made(self.names.server, "FAIL", word(command), code, last=text)

    def encode(self, message: FromHost) -> bytes:
        match message:
            case Notice(code="nick", text=text):
                return self.replies.reply("433", word(self.wanted), last=text)
            case Notice(text=text):
                return self.replies.notice(text)
            case Receipt(id=id, code=code, text=text):
                nick = self.asked.pop(id, "")
                refused = code == "refused" and nick
                return self.replies.reply("401", word(nick), last=text) if refused else b""
            case _:
                return self.dialect.encode(message)

    def snapshot(self, snapshot: Snapshot) -> bytes:
        welcome = snapshot.welcome
        self.wanted = welcome.nick
        replies = Replies(self.names, welcome.nick)
        me = Present(welcome.id, welcome.nick)
        greeting = b"" if self.welcomed else replies.welcome(__version__, len(snapshot.present) + 1)
        self.welcomed = True
        return b"".join(
            (
                greeting,
                self.irc.joined(welcome.id, welcome.nick),
                replies.topic(welcome.topic),
                self.list_of([*snapshot.present, me], replies),
                self.irc.history(snapshot.past),
            )
        )

    def list_of(self, people: list[Present] | list[Member], replies: Replies) -> bytes:
        """The names of these people, as this client wants them."""
        return replies.people(people, multi_prefix=self.has("multi-prefix"), with_hosts=self.has("userhost-in-names"))

    def refuse(self, refused: Refused) -> None:
        if refused.code in _STAYS:
            free = f" {refused.suggestion} is free." if refused.suggestion else ""
            self.link.send(self.replies.reply("433", word(self.wanted), last=refused.text + free))
        else:
            self.link.finish(self.dialect.encode(Closing(refused.code, refused.text)))
