"""Sessions, what a session needs of its link and its door, and the items of the hub's inbox. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lanchat.protocol.messages import FromHost, FromMember, Said
from lanchat.room.effects import Member, Snapshot


class Outlet(Protocol):
    """What the hub uses of a link. Nothing here waits."""

    @property
    def code(self) -> str: ...
    @property
    def reason(self) -> str: ...
    def send(self, plain: bytes) -> None: ...
    def finish(self, plain: bytes = b"") -> None: ...


class Dialect(Protocol):
    """How one kind of client is told things. The hub makes the bytes of a batch once for each dialect."""

    def encode(self, message: FromHost) -> bytes:
        """The bytes of this message; b"" for what these clients are not told."""

    def snapshot(self, snapshot: Snapshot) -> bytes:
        """What a client gets before its first live event."""


Converse = Callable[[], None]  # reads a link until it ends, once its greeting is done


@dataclass(eq=False)
class Session:
    """One connected client of a member. Made by a door; from JoinRequest on, `member` belongs to the hub.

    Args:
        echoes: whether the client hears its own messages.
        deaf: whether the client asked not to be sent what others say.
    """

    link: Outlet
    dialect: Dialect
    echoes: bool = True
    deaf: bool = False
    member: Member | None = None


@dataclass(frozen=True)
class JoinRequest:
    """Somebody has proven who they are and wants in.

    Args:
        any_nick: they cannot be asked for another nick: where theirs is taken, the next free one will do.
    """

    session: Session
    id: str
    nick: str
    after: int = -1
    any_nick: bool = False


@dataclass(frozen=True)
class Received:
    """What one read of a link brought.

    Args:
        said_before: from the log, what these messages say again and the room no longer has in memory.
    """

    session: Session
    messages: list[FromMember]
    said_before: list[Said] | None = None


@dataclass(frozen=True)
class LinkEnded:
    session: Session


@dataclass(frozen=True)
class Stored:
    """The log has stored every record up to a ticket.

    Args:
        ticket: as `Log.append` counts.
        seq: of the last event among them.
    """

    ticket: int
    seq: int


@dataclass(frozen=True)
class LogTrouble:
    """Why the log stores nothing now; "" when that is over."""

    text: str


@dataclass(frozen=True)
class CloseRoom:
    """The room closes: everybody is told, and nobody is let in any more."""

    reason: str


@dataclass(frozen=True)
class Stop:
    """The hub thread ends."""


Item = JoinRequest | Received | LinkEnded | Stored | LogTrouble | CloseRoom | Stop
