"""The items of the hub's inbox: everything that other threads ask of the hub or tell it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lanchat.protocol.messages import Closing, FromMember, Said
from lanchat.protocol.places import Place
from lanchat.room.files import FileWhole
from lanchat.room.room import Room
from lanchat.server.session import Session

GOES_ON = "Another computer goes on with the room."  # for clients that do not follow


@dataclass(frozen=True)
class JoinRequest:
    """A client has finished its greeting and asks to enter the room.

    Args:
        any_nick: the client cannot be asked for another nick: if this one is taken, it gets the next free one.
        key: the public key that was proven.
        standby: 1: this computer may be named a standby; 2: its person asked for it.
        peer: the address of the other end of the link.
        web: the client is a browser.
        papers: the list of standbys and the record of a host, as the hello has shown them.
    """

    session: Session
    id: str
    nick: str
    after: int = -1
    any_nick: bool = False
    key: bytes = b""
    standby: int = 0
    peer: str = ""
    web: bool = False
    papers: tuple[bytes, bytes] = (b"", b"")


@dataclass(frozen=True)
class Received:
    """The messages that one read of a link brought.

    Args:
        said_before: events of the log that these messages repeat, and that the room may not have in memory any more.
    """

    session: Session
    messages: list[FromMember]
    said_before: list[Said] | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to an `Asked`.

    Args:
        data: the bytes for the session that asked.
        others: bytes for other sessions.
        messages: handled as messages of this session, after the bytes were sent.
    """

    data: bytes = b""
    others: Sequence[tuple[Session, bytes]] = ()
    messages: Sequence[FromMember] = ()


@dataclass(frozen=True)
class Asked:
    """A question that only the room can answer, such as who is in it.

    Args:
        answer: called in the hub's thread, where it may read the room and must not wait. Returns the bytes for this
            session, or an `Answer`. The bytes come after those of everything that the client sent before.
    """

    session: Session
    answer: Callable[[Room], bytes | Answer]


@dataclass(frozen=True)
class LinkEnded:
    """The link of a session is over."""

    session: Session


@dataclass(frozen=True)
class LogStored:
    """The log has stored every record up to a ticket.

    Args:
        ticket: as `Log.append` counts.
        seq: of the last event among them.
    """

    ticket: int
    seq: int


@dataclass(frozen=True)
class LogTrouble:
    """The log stores nothing now, for this reason; "": it stores again."""

    text: str


@dataclass(frozen=True)
class CloseRoom:
    """The room closes: every member is told, and no one is admitted any more.

    Args:
        to: the index of another host of the room, to which members go; -1: there is none.
        everywhere: all other hosts of the room are to close it as well.
    """

    reason: str
    to: int = -1
    everywhere: bool = False

    @property
    def closing(self) -> Closing:
        if self.to >= 0:
            return Closing("moved", GOES_ON, self.to)
        return Closing("closed", self.reason)


@dataclass(frozen=True)
class Named:
    """The owner has signed a list of standbys.

    Args:
        paper: b"": the list is as before.
        places: the addresses of some of the computers that it names.
    """

    paper: bytes
    places: tuple[Place, ...]


@dataclass(frozen=True)
class HandOver:
    """A standby shall take the room over.

    Args:
        index: of the standby; None: the sync standby.
        done: called in the hub's thread with "", or with a sentence that says why the room stays here.
    """

    index: int | None
    done: Callable[[str], None]


@dataclass(frozen=True)
class YieldTo:
    """Another computer hosts the room as well, and has precedence.

    Args:
        index: of that computer.
    """

    index: int


@dataclass(frozen=True)
class LaterTerm:
    """This term of the room has begun elsewhere, and the room stays here all the same.

    Args:
        epoch: of that term.
    """

    epoch: int


@dataclass(frozen=True)
class WebChanged:
    """The door for browsers was opened or closed, or has another guest link.

    Args:
        ticket: the secret of the guest link, as text; "": there is no guest link.
        ticket_until: s since 1970.
    """

    open: bool
    ticket: str
    ticket_until: int


@dataclass(frozen=True)
class EngineItem:
    """Base of the items that the engine of a room puts into the inbox, see engine/items.py."""


@dataclass(frozen=True)
class Stop:
    """The hub thread ends."""


MoveItem = Named | HandOver | YieldTo | LaterTerm | WebChanged  # about the moving of the room
Item = (
    JoinRequest
    | Received
    | Asked
    | LinkEnded
    | LogStored
    | LogTrouble
    | FileWhole
    | CloseRoom
    | MoveItem
    | EngineItem
    | Stop
)
