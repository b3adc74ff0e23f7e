"""The items of a member's queue: events, private messages, and changes of the connection. Pure."""

from dataclasses import dataclass
from typing import Self, assert_never

from lanchat.errors import LanchatError, RoomClosed, RoomMoved
from lanchat.protocol.file_messages import FileOffered, FileRemoved, FileStored
from lanchat.protocol.limits import memory_of
from lanchat.protocol.messages import Card, Event, Joined, Left, Moved, Notice, Present, Renamed, Said, Welcome
from lanchat.protocol.people import Crowd
from lanchat.protocol.status import Status
from lanchat.protocol.topic import Topic

HEAVY = 1024  # bytes of memory that count as one more item, so that a queue of long messages takes no more memory
PERSON = 512  # bytes of memory of somebody present, without the nick


@dataclass(frozen=True)
class Connected:
    """The host has admitted us. This is the first item, and it comes again after each reconnect.

    Args:
        host_id: the member id of the key that the host showed on this link.
        moved: the host before has handed the room to this one.
    """

    card: Card
    welcome: Welcome
    present: tuple[Present, ...]
    host_id: str
    again: bool = False
    moved: bool = False


@dataclass(frozen=True)
class Disconnected:
    """The link is lost, and the member tries to reconnect.

    Args:
        closed: the host has closed the room; the member waits in case it opens again.
        moved: the host has handed the room to another computer, to which the member goes.
        by: the nick of who has closed it, made safe; "": the host has.
        explained: the reason says more than that it was closed.
    """

    reason: str
    closed: bool = False
    moved: bool = False
    by: str = ""
    explained: bool = False

    @classmethod
    def because(cls, error: LanchatError) -> Self:
        """The link is lost by this error."""
        if isinstance(error, RoomClosed):
            return cls(str(error), closed=True, by=error.by, explained=error.explained)
        return cls(str(error), moved=isinstance(error, RoomMoved))


@dataclass(frozen=True)
class PrivateMessage:
    """A private message to us, or from us to somebody else.

    Args:
        id: the sender's own.
        at: ms since 1970, by the host's clock.
        by, to: member ids. Their keys have sealed it; the nicks are what the host says.
        problem: why it could not be opened; then there is no text. "" where it was.
    """

    id: str
    at: int
    by: str
    nick: str
    to: str
    to_nick: str
    text: str
    problem: str = ""


@dataclass(frozen=True)
class PrivateFile:
    """A file for us alone, or from us for somebody else. It comes when it is offered, and again when its state changes.

    Args:
        id: the sender's own.
        file: the host's name for it.
        at: ms since 1970, when it was offered.
        by, to: member ids. Their keys have sealed it; the nicks are what the host says.
        state: "offered", "stored", or "removed"; then `reason` is a FileEndReason.
        problem: why its offer could not be opened; then there is no name. "" where it was.
    """

    id: str
    file: str
    at: int
    by: str
    nick: str
    to: str
    to_nick: str
    state: str
    name: str
    size: int
    reason: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Acked:
    """The host has stored our messages with these ids.

    Args:
        receipt: of a private message, the code of its `Receipt`; "" of others.
    """

    ids: tuple[str, ...]
    receipt: str = ""


@dataclass(frozen=True)
class Backup:
    """Another standby, or none, has everything that is acknowledged from now on.

    Args:
        nick: of that standby; "": only the host has it.
    """

    nick: str


@dataclass(frozen=True)
class Named:
    """The owner of the room has named this computer: it keeps a copy from now on, and can host the room."""


@dataclass(frozen=True)
class ListedPeople:
    """Who is in the room: a page of a crowd that was asked for, or everybody.

    Args:
        more: others follow this page.
        all: the crowd is over, and these are all.
    """

    present: tuple[Present, ...]
    more: bool = False
    all: bool = False


@dataclass(frozen=True)
class Closed:
    """The connection has ended for good, because of this error. This is the last item."""

    error: LanchatError


Private = PrivateMessage | PrivateFile  # for one person alone
Item = (
    Connected
    | Disconnected
    | Event
    | Private
    | Acked
    | Notice
    | Status
    | Crowd
    | ListedPeople
    | Backup
    | Named
    | Closed
)


def weight(item: Item) -> int:
    """The memory that an item takes, counted in short messages. Ids and codes belong to the share of every item."""
    match item:
        case Said(nick=nick, text=text):
            size = memory_of(text) + memory_of(nick)
        case Joined(nick=nick) | FileStored(nick=nick) | FileRemoved(nick=nick):
            size = memory_of(nick)
        case (
            Left(nick=nick, reason=other)
            | Renamed(nick=nick, to=other)
            | Moved(nick=nick, before=other)
            | Topic(nick=nick, topic=other)
            | FileOffered(nick=nick, name=other)
        ):
            size = memory_of(nick) + memory_of(other)
        case PrivateMessage(nick=nick, to_nick=to_nick, text=text, problem=problem):
            size = memory_of(text) + memory_of(nick) + memory_of(to_nick) + memory_of(problem)
        case PrivateFile(nick=nick, to_nick=to_nick, name=name, problem=problem):
            size = memory_of(name) + memory_of(nick) + memory_of(to_nick) + memory_of(problem)
        case Status(nick=nick, away=text):
            size = memory_of(text) + memory_of(nick)
        case Notice(text=text) | Disconnected(reason=text):
            size = memory_of(text)
        case Connected(present=present) | ListedPeople(present=present):
            size = sum(PERSON + memory_of(person.nick) + memory_of(person.away) for person in present)
        case Backup(nick=nick):
            size = memory_of(nick)
        case Acked() | Named() | Closed() | Crowd():
            size = 0
        case _:
            assert_never(item)
    return 1 + size // HEAVY
