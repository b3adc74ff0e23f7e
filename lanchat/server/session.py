"""Who sits at the hub, and what reaches it: the items of its inbox."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lanchat.protocol.messages import FromHost, FromMember, Said
from lanchat.room.effects import Member


class Outlet(Protocol):
    """What the hub asks of a link. Nothing here waits."""

    @property
    def reason(self) -> str: ...
    def send(self, plain: bytes) -> None: ...
    def finish(self, plain: bytes = b"") -> None: ...


class Door(Protocol):
    """What the hub asks of a way into the room."""

    @property
    def echoes(self) -> bool:
        """Whether whoever says something hears it back."""

    @property
    def remembers(self) -> bool:
        """Whether a newcomer is told who is there and what was said."""

    def encode(self, message: FromHost) -> bytes:
        """The message as this door tells it; b"" for what it does not tell."""


Stay = Callable[[], None]  # the rest of a link's life, once its greeting is done


@dataclass(eq=False)
class Session:
    """A link's place at the hub. Made by a door's greeting; from Arrived on, `member` is the hub's own."""

    link: Outlet
    door: Door
    member: Member | None = None
    deaf: bool = False  # wants nothing of what others say


@dataclass(frozen=True)
class JoinRequest:
    """Somebody has shown who they are and wants in."""

    session: Session
    id: str
    nick: str
    after: int = -1
    any_nick: bool = False  # this one cannot be asked again: where the nick is taken, the next free one will do


@dataclass(frozen=True)
class Received:
    """What one read of a link brought."""

    session: Session
    messages: list[FromMember]


@dataclass(frozen=True)
class Recalled:
    """From the log: what somebody is about to say again, and had said too long ago for the room to have it at hand."""

    said: list[Said]


@dataclass(frozen=True)
class LinkEnded:
    """The link is over."""

    session: Session


@dataclass(frozen=True)
class Saved:
    """The log keeps everything up to here."""

    seq: int


@dataclass(frozen=True)
class Posted:
    """The log keeps so many of the private messages it was given, from the first one on."""

    number: int


@dataclass(frozen=True)
class LogTrouble:
    """Why the log keeps nothing now; "" when that is over."""

    text: str


@dataclass(frozen=True)
class CloseRoom:
    """The room closes: tell everybody and let nobody in any more."""

    reason: str


@dataclass(frozen=True)
class Stop:
    """The thread ends."""


Item = JoinRequest | Received | Recalled | LinkEnded | Saved | Posted | LogTrouble | CloseRoom | Stop
