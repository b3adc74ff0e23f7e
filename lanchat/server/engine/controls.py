"""Lines that the hosts of a room write to each other in its log, besides events and private messages. Pure.

These entries have no number. No member sees them, and no host stores them in its file, except for what becomes of files
for one person.
"""

from dataclasses import dataclass

import msgspec
from msgspec import Struct

from lanchat.errors import ProtocolError
from lanchat.protocol.engine import Ending
from lanchat.protocol.fields import Name, Short
from lanchat.protocol.file_messages import FilePrivate
from lanchat.protocol.messages import Notice, Told
from lanchat.protocol.status import Status


class _Control(Struct, frozen=True, tag_field="t", tag=str.lower, omit_defaults=True):
    """A line from one host to the others."""


class Here(_Control, frozen=True):
    """A member who is in the room already has a session at this host as well."""

    by: Short  # member id
    nick: Name


class NotHere(_Control, frozen=True):
    """A member has no session at this host any more, and still has one at another."""

    by: Short
    nick: Name


class Ruled(_Control, frozen=True):
    """New access rules, and members who are sent away."""

    banned: dict[Short, Name] = {}  # all bans from now on: nick by member id
    unbanned: tuple[Short, ...] = ()
    locked: bool = False
    sent_away: tuple[tuple[Short, Name], ...] = ()  # member ids and nicks
    code: Short = ""  # of their last line: "kicked" or "banned"


class PassOn(_Control, frozen=True):
    """All sessions of this member id get this message, and nobody stores it."""

    to: Short
    message: Told | Notice


class RoomOver(_Control, frozen=True):
    """The owner of the room closes it, at all hosts.

    Args:
        ending: signed by the owner. Without it the line means nothing, because every host may write it.
    """

    ending: Ending | None = None


@dataclass(frozen=True)
class Over:
    """A lease is over: members who were in the room by it alone have lost their host."""

    lease: int


Line = Here | NotHere | Ruled | Status | FilePrivate | PassOn | RoomOver
Control = Line | Over

_DECODER: "msgspec.json.Decoder[Line]" = msgspec.json.Decoder(Line)


def write_line(line: Line) -> bytes:
    return msgspec.json.encode(line)


def read_line(body: bytes) -> Line:
    """Read a line that another host has written for all hosts.

    Raises:
        ProtocolError: these bytes are no line between hosts.
    """
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ProtocolError("It is no line between hosts.") from None
