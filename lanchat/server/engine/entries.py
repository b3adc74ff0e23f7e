"""Entries of the shared log <-> records of a room. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from lanchat.errors import ProtocolError
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.file_messages import FilePrivate
from lanchat.protocol.framing import FROM_HOST, MAX_LINE, decode, decode_all, encode
from lanchat.protocol.messages import Event, Joined, Said, Told, numbered
from lanchat.protocol.status import Status
from lanchat.server.engine.controls import (
    Control,
    Here,
    Line,
    NotHere,
    Over,
    PassOn,
    RoomOver,
    Ruled,
    read_line,
    write_line,
)
from lanchat.server.engine.shared_log import CALL, Entry, Kind, Position, Proposal
from lanchat.server.engine.state import Change

LogRecord = Event | Told | Control  # what an entry of the log may hold

_DIGITS = len(str(MAX_NUMBER))
_TALK = Said, Told


def said_key(by: str, id: str) -> str:
    """The key of a message. It is the same at each host and on each resend."""
    return f"s{by} {id}"


def box_key(told: Told) -> str:
    """The key of a private message, or of its end. It is the same at each host and on each resend."""
    return f"{'p' if told.box or told.text else 'g'}{told.by} {told.id}"


def own_key(lease: int, number: int) -> str:
    """The key of a proposal that has no id of its own.

    Args:
        lease: of the host that proposes it.
    """
    return f"u{lease} {number}"


def lease_of(key: str) -> int:
    """The lease of the host that made this key by `own_key`; 0: the key was made in another way."""
    digits = key[1:].partition(" ")[0] if key.startswith("u") else ""
    return int(digits) if digits.isdecimal() and digits.isascii() else 0


def proposal_of(record: Event | Told | Line, key: str = "", changes: tuple[Change, ...] = ()) -> Proposal:
    """The proposal of a record.

    Args:
        key: of what has no id of its own.
        changes: of the state.
    """
    match record:
        case Said():
            return Proposal("e", said_key(record.by, record.id), encode(record).rstrip(b"\n"))
        case Told():
            kind: Kind = "p" if record.box or record.text else "g"
            return Proposal(kind, box_key(record), encode(record).rstrip(b"\n"))
        case Here() | NotHere() | Ruled() | Status() | FilePrivate() | PassOn() | RoomOver():
            return Proposal("k", key, write_line(record), changes)
        case _:
            return Proposal("r", key, encode(record).rstrip(b"\n"), changes)


def record_of(entry: Entry, after: Position) -> LogRecord:
    """The record in an entry that came from an engine. An event has its number.

    Args:
        after: the position of the entry before it.

    Raises:
        ProtocolError: the entry is none of ours, or its position is wrong.
    """
    if entry.position <= after:
        raise ProtocolError(f"Its entry {_name(entry)} comes after {after.seq}-{after.sub}.")
    if len(entry.body) > MAX_LINE:
        raise ProtocolError(f"Its entry {_name(entry)} is longer than {MAX_LINE} bytes.")
    is_event = entry.kind in ("e", "r")
    if is_event != (entry.position.sub == 0):
        raise ProtocolError(f"Its entry {_name(entry)} stands in the place of another kind of entry.")
    if entry.kind == "x":
        if not (entry.body.isdigit() and len(entry.body) <= _DIGITS):
            raise ProtocolError(f"Its entry {_name(entry)} names no lease.")
        return Over(int(entry.body))
    try:
        record = read_line(entry.body) if entry.kind == "k" else decode(entry.body, FROM_HOST)
    except ProtocolError as error:
        raise ProtocolError(f"Its entry {_name(entry)} cannot be read. {error}") from None
    if is_event and isinstance(record, Event):
        return numbered(record, entry.position.seq)
    if entry.kind == "k" and isinstance(record, Line):
        return record
    if entry.kind in ("p", "g") and isinstance(record, Told):
        return record
    raise ProtocolError(f"Its entry {_name(entry)} is of a kind that this version of lanchat does not know.")


def records_of(entries: Sequence[Entry], after: Position) -> list[tuple[Position, str, LogRecord]]:
    """The position, the key and the record of each of these entries, which follow each other.

    Args:
        after: the position of the entry before them.

    Raises:
        ProtocolError: as `record_of`.
    """
    if (said := _all_said(entries, after)) is not None:
        return said
    found = []
    for entry in entries:
        record = record_of(entry, after)
        found.append((entry.position, key_of(entry, record), record))
        after = entry.position
    return found


def _all_said(entries: Sequence[Entry], after: Position) -> list[tuple[Position, str, LogRecord]] | None:
    """The same, in half the time, if all of them are what somebody has said; None: they are not."""
    try:
        records = decode_all([entry.body for entry in entries], FROM_HOST)
    except ProtocolError:
        return None
    found: list[tuple[Position, str, LogRecord]] = []
    for entry, record in zip(entries, records, strict=False):
        position = entry.position
        if (
            entry.kind != "e"
            or position.sub
            or position <= after
            or len(entry.body) > MAX_LINE
            or type(record) is not Said
        ):
            return None
        found.append((position, said_key(record.by, record.id), numbered(record, position.seq)))
        after = position
    return found if len(found) == len(entries) else None


def _name(entry: Entry) -> str:
    return f"{entry.position.seq}-{entry.position.sub}"


def hosted_by(record: LogRecord, host: str) -> LogRecord:
    """The record as this host tells it to its members: each of the hosts says that the host is itself."""
    if isinstance(record, Joined) and record.host != (record.by == host):
        return structs.replace(record, host=not record.host)
    return record


def changes_rules(record: LogRecord) -> bool:
    """Whether the engine notes that this record changes the rules."""
    return not isinstance(record, _TALK)


def key_of(entry: Entry, record: LogRecord) -> str:
    """The key under which a record was proposed."""
    return said_key(record.by, record.id) if isinstance(record, Said) else entry.key


@dataclass(frozen=True)
class Surplus:
    """The arguments of a `SharedLog.trim`."""

    upto: int
    finished: tuple[str, ...]


def surplus(oldest: Sequence[Entry], stored: int) -> Surplus | None:
    """What may be dropped of these entries, which are the oldest ones; None: nothing.

    Args:
        stored: everything up to this seq is in the log of a host as well.
    """
    entries = [entry for entry in oldest[:CALL] if entry.position.seq <= stored]
    while entries and entries[-1].position.sub > 0:
        entries.pop()
    if not entries:
        return None
    return Surplus(entries[-1].position.seq, tuple(entry.key[1:] for entry in entries if entry.kind == "g"))
