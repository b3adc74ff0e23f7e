"""Records as rows of the tables of a log's file, and what these may hold. Pure; migrations.py makes the tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from lanchat.protocol.confusables import skeletons
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.file_messages import FileOffered, FileRemoved, FileStored
from lanchat.protocol.framing import message_of
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Joined, Left, Moved, Renamed, Said, Told
from lanchat.protocol.topic import Topic
from lanchat.storage.migrations import WITH_BOXES

COLUMNS = "seq, at, kind, by, nick, id, text, mark"
PRIVATE_COLUMNS = "id, at, by, nick, whom, whom_nick, box, text"

TYPES = {  # of the values that this program stores; SQLite itself stores any value in any column
    "event": {
        **dict.fromkeys(("seq", "at", "mark"), "number"),
        **dict.fromkeys(("kind", "by", "nick"), "text"),
        **dict.fromkeys(("id", "text"), "text or nothing"),
    },
    "private": {
        "at": "number",
        "shown": "number",
        "box": "bytes",
        **dict.fromkeys(("id", "by", "nick", "whom", "whom_nick", "text"), "text"),
    },
    "private_file": {
        **dict.fromkeys(("at", "size", "shown"), "number"),
        **dict.fromkeys(("box", "copy"), "bytes"),
        **dict.fromkeys(("id", "by", "nick", "whom", "whom_nick", "file", "sha256"), "text"),
    },
    "owner": {"seq": "number", **dict.fromkeys(("nick", "by"), "text")},
    "fact": {"name": "text", "value": "number"},
    "timeline": {"epoch": "number", "last": "number"},
}
_CONDITIONS = {
    "number": f"typeof({{0}}) = 'integer' AND {{0}} BETWEEN 0 AND {MAX_NUMBER}",
    "text": "typeof({0}) = 'text'",
    "bytes": "typeof({0}) = 'blob'",
    "text or nothing": "typeof({0}) IN ('text', 'null')",
}
OWNER_COLUMNS = "looks, nick, by, seq"


@dataclass(frozen=True)
class Table:
    """A table of a log whose oldest rows can be deleted."""

    name: str
    key: str  # the column that orders the rows, the oldest first
    size: str  # SQL for the bytes that a row takes


ROW_SIZE = 100  # bytes that a row takes besides its strings, in the table and in its indexes, about
_STRINGS = "coalesce(length(CAST({} AS BLOB)), 0)"


def _row_size(*columns: str) -> str:
    return " + ".join([str(ROW_SIZE), *map(_STRINGS.format, columns)])


EVENTS = Table("event", "seq", _row_size("by", "nick", "id", "text"))
PRIVATE = Table("private", "number", _row_size("id", "by", "nick", "whom", "whom_nick", "box", "text"))
PRIVATE_FILES = Table(
    "private_file", "number", _row_size("id", "by", "nick", "whom", "whom_nick", "file", "sha256", "box", "copy")
)

Row = tuple[int, int, str, str, str, str | None, str | None, int]
PrivateRow = tuple[str, int, str, str, str, str, bytes, str]
OwnerRow = tuple[str, str, str, int]


def row_of(event: Event) -> Row:
    """The values of COLUMNS."""
    if isinstance(event, Said):  # nearly all
        mark = event.action | event.late << 1
        return event.seq, event.at, "said", event.by, event.nick, event.id or None, event.text, mark
    start = event.seq, event.at
    match event:
        case Joined():
            return (*start, "joined", event.by, event.nick, None, None, int(event.host))
        case Left():
            return (*start, "left", event.by, event.nick, event.code or None, event.reason, 0)
        case Renamed():
            return (*start, "renamed", event.by, event.nick, None, event.to, 0)
        case FileOffered(id=id, file=file, name=name, size=size):
            return (*start, "file_offered", event.by, event.nick, id, f"{file} {name}", size)
        case FileStored(file=file, sha256=sha256):
            return (*start, "file_stored", event.by, event.nick, file, sha256, 0)
        case FileRemoved(file=file, reason=reason):
            return (*start, "file_removed", event.by, event.nick, file, reason, 0)
        case Moved():
            return (*start, "moved", event.by, event.nick, event.reason or None, event.before, event.epoch)
        case Topic():
            return (*start, "topic", event.by, event.nick, None, event.topic, 0)


def event_of(row: Sequence[object]) -> Event | None:
    """The event in a row with the values of COLUMNS.

    None: this version does not know its kind, or a value is one that no event may have, as in a damaged file. SQLite
    stores values of any type in any column.
    """
    seq, at, kind, by, nick, id, text, mark = row
    fields = {"seq": seq, "at": at, "by": by, "nick": nick}
    match kind:
        case "said":
            flags = mark if isinstance(mark, int) else 0
            texts = {"id": id or "", "text": text or ""}
            return message_of(Said, {**fields, **texts, "action": bool(flags & 1), "late": bool(flags & 2)})
        case "joined":
            return message_of(Joined, {**fields, "host": bool(mark)})
        case "left":
            return message_of(Left, {**fields, "code": id or "", "reason": text or ""})
        case "renamed":
            return message_of(Renamed, {**fields, "to": text or ""})
        case "file_offered":
            file, _, name = str(text).partition(" ")
            return message_of(FileOffered, {**fields, "id": id or "", "file": file, "name": name, "size": mark})
        case "file_stored":
            return message_of(FileStored, {**fields, "file": id, "sha256": text or ""})
        case "file_removed":
            return message_of(FileRemoved, {**fields, "file": id, "reason": text or ""})
        case "moved":
            return message_of(Moved, {**fields, "epoch": mark, "before": text or "", "reason": id or ""})
        case "topic":
            return message_of(Topic, {**fields, "topic": text or ""})
    return None


def private_of(row: Sequence[object], number: object = 0) -> Told | None:
    """The private message in a row with the values of PRIVATE_COLUMNS. None: as for `event_of`."""
    fields = dict(zip(("id", "at", "by", "nick", "to", "to_nick", "box", "text"), row, strict=True))
    fields["number"] = number
    return message_of(Told, fields) if isinstance(fields["box"], bytes) else None


def strange_rows(table: str) -> str:
    """The query for the first row of a table that holds a value of a wrong type, or a number out of range."""
    conditions = (_CONDITIONS[kind].format(column) for column, kind in TYPES[table].items())
    return f"SELECT 1 FROM {table} WHERE NOT ({' AND '.join(conditions)}) LIMIT 1"


def private_row(told: Told) -> PrivateRow:
    """The values of PRIVATE_COLUMNS."""
    return told.id, told.at, told.by, told.nick, told.to, told.to_nick, told.box, told.text


def private_columns(version: int) -> str:
    """PRIVATE_COLUMNS, to be read from a file of this version of the schema."""
    return PRIVATE_COLUMNS if version >= WITH_BOXES else PRIVATE_COLUMNS.replace("box", "x''")


def nick_used(event: Event) -> OwnerRow | None:
    """The row for the nick that an event gives to a key; None if it gives none."""
    match event:
        case Joined(by=by, nick=nick) | Renamed(by=by, to=nick) if is_verified(by):
            return looks_of(nick), nick, by, event.seq
    return None


def looks_of(nick: str) -> str:
    """The skeletons of a nick, as the key of its row."""
    return " ".join(sorted(skeletons(nick)))


def key_shown(event: Event) -> tuple[str, bytes] | None:
    """The member id and the key that an event shows; None if it shows none."""
    return (event.by, event.key) if isinstance(event, Joined) and event.key else None
