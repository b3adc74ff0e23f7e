"""The entries about themselves that the hosts of a room on an engine write there, as JSON. Pure."""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from lanchat.protocol.binding import join_fields
from lanchat.protocol.delegation import Sign
from lanchat.protocol.fields import Bytes32, Name, Number
from lanchat.protocol.ids import member_id
from lanchat.protocol.places import Place
from lanchat.protocol.standby import Instance

T = TypeVar("T")


class Asking(Struct, frozen=True):
    """A computer asks to be a host of the room."""

    key: Bytes32  # Ed25519, raw
    instance: Instance
    nick: Name  # of its person

    @property
    def code(self) -> str:
        """The code that the person at that computer and the owner compare."""
        digits = member_id(self.key)[:8]
        return f"{digits[:4]}-{digits[4:]}"


class EngineRoom(Struct, frozen=True):
    """A room that is at an engine."""

    title: Name
    nick: Name  # of its owner
    owner: Bytes32  # key, raw


class Present(Struct, frozen=True):
    """A host that is there.

    Args:
        people: who are in the room through it.
    """

    place: Place
    people: Number = 0


class Ending(Struct, frozen=True):
    """The owner closes the room at all its hosts.

    Args:
        nick: of the owner.
        number: of the newest list of hosts. Those that are signed once the room is open again have higher ones, so
            nobody can close it by repeating this.
        signature: of the owner.
    """

    nick: Name
    number: Number
    signature: Annotated[bytes, Meta(max_length=64)] = b""

    def text(self, room: str) -> bytes:
        """What the owner of this room signs."""
        return join_fields(b"lanchat ending", b"1", room.encode(), str(self.number).encode(), self.nick.encode())

    def signed(self, room: str, sign: Sign) -> "Ending":
        return structs.replace(self, signature=sign(self.text(room)))


class _Dated(Struct, frozen=True):
    """Something, and when it was written, in ms since 1970 by the engine's clock."""

    at: Number
    what: msgspec.Raw


def write_dated(at: int, what: Asking | Present) -> bytes:
    return msgspec.json.encode(_Dated(at, msgspec.Raw(msgspec.json.encode(what))))


def read_dated(value: bytes, kind: type[T]) -> tuple[int, T | None]:
    """Read an entry. Returns the time at which it was written, and its content; None: it cannot be read."""
    dated = _read(value, _Dated)
    return (0, None) if dated is None else (dated.at, _read(dated.what, kind))


def write_room(room: EngineRoom) -> bytes:
    return msgspec.json.encode(room)


def read_room(value: bytes) -> EngineRoom | None:
    """Read what `write_room` has written; None: it cannot be read."""
    return _read(value, EngineRoom)


def _read(value: bytes | msgspec.Raw, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(value, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
