"""Members of a room, and what the room's rules decide besides events. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from lanchat.protocol.messages import Closing, Event, Notice, Present, Receipt, Said, Told, Welcome


@dataclass(eq=False, slots=True)
class Member:
    """Somebody in the room: a key together with a nick. Owned by the room."""

    id: str
    nick: str
    host: bool = False
    sessions: int = 0  # at this host


@dataclass(frozen=True)
class Reply:
    """The session that asked gets this message, nobody else."""

    message: Notice | Receipt | Told


class Repeated(NamedTuple):
    """The session said again what the room knows already: it alone hears it once more, and waits for its ack."""

    said: Said


@dataclass(frozen=True)
class SendTo:
    """All sessions of this member id get this message, nobody else."""

    to: str
    message: Told | Notice


@dataclass(frozen=True)
class Store:
    """The log stores this private message; once it has, the session that asked gets the receipt."""

    told: Told
    receipt: Receipt | None = None


@dataclass(frozen=True)
class Close:
    """The session that asked ends."""


@dataclass(frozen=True)
class Kick:
    """All sessions of this member end, with these words."""

    member: Member
    closing: Closing


@dataclass(frozen=True)
class SaveAccess:
    """The access rules have changed and must outlast a restart of the host."""

    bans: dict[str, str]  # nick by banned member id
    locked: bool  # nobody new is admitted


Effect = Reply | Repeated | SendTo | Store | Close | Kick | SaveAccess
Decision = Event | Effect  # an event is a draft: it has no number yet, and has not happened before `Room.apply`


@dataclass(frozen=True)
class Snapshot:
    """The state of the room for a new session, as it was just before the first live event."""

    welcome: Welcome
    present: tuple[Present, ...]
    past: tuple[Event, ...]
    private: tuple[Told, ...]  # private messages that wait for this member
