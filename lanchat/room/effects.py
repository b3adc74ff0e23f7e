"""Who is in a room, and what the room's rules make happen. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from lanchat.protocol.messages import Closing, Event, Notice, Pong, Present, Receipt, Said, Told, Welcome


@dataclass(eq=False, slots=True)
class Member:
    """Somebody in the room. Owned by the room."""

    id: str
    nick: str
    host: bool = False
    links: int = 1


class Deliver(NamedTuple):  # one for each message: a frozen dataclass takes three times as long to make
    """Everybody gets this event, and the log."""

    event: Event


@dataclass(frozen=True)
class Reply:
    """The link that asked gets this, nobody else."""

    message: Notice | Pong | Receipt | Said | Told


@dataclass(frozen=True)
class SendTo:
    """All links of this member id get this, nobody else."""

    to: str
    message: Told | Notice


@dataclass(frozen=True)
class Store:
    """The log keeps this private message; when it has it, the link that asked gets the receipt."""

    told: Told
    receipt: Receipt | None = None


@dataclass(frozen=True)
class Close:
    """The link that asked is done."""


@dataclass(frozen=True)
class Kick:
    """All links of this member are done, with these words."""

    member: Member
    closing: Closing


@dataclass(frozen=True)
class DropOldest:
    """This member has too many links, some of them perhaps dead unseen: the oldest makes room."""

    member: Member


@dataclass(frozen=True)
class SaveAccess:
    """The access rules have changed and must outlast this start of the host."""

    bans: dict[str, str]  # nick by member id
    locked: bool  # to newcomers


Effect = Deliver | Reply | SendTo | Store | Close | Kick | DropOldest | SaveAccess


@dataclass(frozen=True)
class Admitted:
    """A newcomer's place, and all that it must be told before the first live event."""

    member: Member
    welcome: Welcome
    present: tuple[Present, ...]
    past: tuple[Event, ...]
    effects: tuple[Effect, ...]
    private: tuple[Told, ...] = ()
