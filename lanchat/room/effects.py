"""The effects that the rules of a room can have besides events. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from lanchat.protocol.file_messages import FileEnd, FileEntry, FilePrivate, FileRefused
from lanchat.protocol.messages import Closing, Event, Notice, Present, Receipt, Said, Told
from lanchat.protocol.people import Owner, PeopleEnd
from lanchat.protocol.status import Status
from lanchat.room.members import Member


@dataclass(frozen=True)
class Reply:
    """The session that asked gets this message, and no other session does."""

    message: Notice | Receipt | Told | Owner | Present | PeopleEnd | FileEntry | FileEnd | FileRefused


class Repeated(NamedTuple):
    """The session resent a message that the room knows. Only this session gets it again, and waits for its ack."""

    said: Said


@dataclass(frozen=True)
class SendTo:
    """All sessions of this member id get this message, and no other session does."""

    to: str
    message: Told | Notice


@dataclass(frozen=True)
class Store:
    """The log stores this private message. When it is stored, the session that asked gets the receipt."""

    told: Told
    receipt: Receipt | None = None


@dataclass(frozen=True)
class StoreFile:
    """The log stores this state of a file for one person, and nobody is told."""

    file: FilePrivate


@dataclass(frozen=True)
class Announce:
    """All sessions get this status. It is not stored."""

    status: Status


@dataclass(frozen=True)
class Close:
    """The session that asked is closed."""


@dataclass(frozen=True)
class Kick:
    """All sessions of this member are closed, with this last line."""

    member: Member
    closing: Closing


@dataclass(frozen=True)
class SaveAccess:
    """The access rules have changed. They must be stored, so that they survive a restart of the host."""

    bans: dict[str, str]  # nick by banned member id
    locked: bool  # newcomers are not admitted


@dataclass(frozen=True)
class OpenTicket:
    """The session that asked gets a ticket for one transfer of this file.

    Args:
        id: of the FileSend; "": of a file that is fetched.
        up: for sending.
        name: of a file that a browser downloads by an address; "": the ticket is for a transfer link.
    """

    file: str
    size: int
    id: str = ""
    up: bool = False
    name: str = ""


Effect = Reply | SendTo | Announce | Store | StoreFile | Close | Kick | SaveAccess | OpenTicket
# An event among the decisions is a draft: it has no number yet, and has not happened before `Room.apply`.
Decision = Event | FilePrivate | Repeated | Effect
