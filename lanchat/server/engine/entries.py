"""Entries of the shared log <-> records of a room. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from lanchat.errors import ProtocolError
from lanchat.protocol.file_messages import FilePrivate
from lanchat.protocol.framing import FROM_HOST, MAX_LINE, decode, encode
from lanchat.protocol.messages import Event, Private, Record, Said, Told, numbered
from lanchat.server.engine.shared_log import CALL, Entry, Kind, Position, Proposal


def said_key(by: str, id: str) -> str:
    """The key of a message. It is the same at each host and on each resend."""
    return f"s{by} {id}"


def proposal_of(record: Record, unique: str) -> Proposal:
    """What to propose so that this happens.

    Args:
        unique: an id of this proposal among all of the room, for what has no id of its own.
    """
    body = encode(record).rstrip(b"\n")
    match record:
        case Said():
            return Proposal("e", said_key(record.by, record.id), body)
        case Told():
            kind: Kind = "p" if record.box or record.text else "g"
            return Proposal(kind, f"{kind}{record.by} {record.id}", body)
        case FilePrivate():
            return Proposal("k", f"u{unique}", body)
        case _:
            return Proposal("r", f"u{unique}", body)


def record_of(entry: Entry, after: Position) -> Record:
    """The record in an entry that came from an engine. An event has its number.

    Args:
        after: the place of the entry before it.

    Raises:
        ProtocolError: the entry is none of ours, or stands in a wrong place.
    """
    if entry.position <= after:
        raise ProtocolError(f"Its entry {_name(entry)} comes after {after.seq}-{after.sub}.")
    if len(entry.body) > MAX_LINE:
        raise ProtocolError(f"Its entry {_name(entry)} is longer than {MAX_LINE} bytes.")
    try:
        record = decode(entry.body, FROM_HOST)
    except ProtocolError as error:
        raise ProtocolError(f"Its entry {_name(entry)} cannot be read. {error}") from None
    is_event = entry.kind in ("e", "r")
    if is_event != (entry.position.sub == 0):
        raise ProtocolError(f"Its entry {_name(entry)} stands in the place of another kind of entry.")
    if is_event and isinstance(record, Event):
        return numbered(record, entry.position.seq)
    if not is_event and isinstance(record, Private):
        return record
    raise ProtocolError(f"Its entry {_name(entry)} is of a kind that this version of lanchat does not know.")


def _name(entry: Entry) -> str:
    return f"{entry.position.seq}-{entry.position.sub}"


def key_of(entry: Entry, record: Record) -> str:
    """The key that it was proposed under."""
    return said_key(record.by, record.id) if isinstance(record, Said) else entry.key


@dataclass(frozen=True)
class Surplus:
    """What is to be dropped: see `SharedLog.trim`."""

    upto: int
    keys: tuple[str, ...]
    finished: tuple[str, ...]


def surplus(oldest: Sequence[Entry], stored: int) -> Surplus | None:
    """What of these entries, the first ones, may be dropped; None: nothing.

    Args:
        stored: everything up to this seq is in the log of a host as well.

    Raises:
        ProtocolError: they are none of ours.
    """
    entries = [entry for entry in oldest[:CALL] if entry.position.seq <= stored]
    while entries and entries[-1].position.sub > 0:
        entries.pop()
    if not entries:
        return None
    keys, after = [], Position(-1)
    for entry in entries:
        keys.append(key_of(entry, record_of(entry, after)))
        after = entry.position
    finished = tuple(key[1:] for entry, key in zip(entries, keys, strict=True) if entry.kind == "g")
    return Surplus(after.seq, tuple(keys), finished)
