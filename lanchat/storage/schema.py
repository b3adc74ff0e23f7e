"""The schema of a log's file, its migrations, and records as rows of its tables. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from lanchat.protocol.confusables import skeletons
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.file_messages import FileOffered, FileRemoved, FileStored
from lanchat.protocol.framing import message_of
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Joined, Left, Moved, Renamed, Said, Told
from lanchat.protocol.topic import Topic

IS_ASCII = "length({0}) = length(CAST({0} AS BLOB))"  # most texts; calling Python for each of them would cost the most
_FOLDED = f"CASE WHEN {IS_ASCII} THEN {{0}} ELSE fold({{0}}) END"  # the index itself ignores the case of ASCII

SCHEMA = (  # migrations: the file's user_version is the number of those it has had. Only ever add to them
    """
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,  -- ms since 1970
        kind TEXT NOT NULL,  -- as on the wire: said, joined, left, renamed, moved, file_offered, ...
        by TEXT NOT NULL,
        nick TEXT NOT NULL,
        id TEXT,  -- said, file_offered: the sender's own; file_stored, file_removed: the file
        text TEXT,  -- said: text; left: reason; renamed: to; file_offered: file and name; file_stored: SHA-256
        mark INTEGER NOT NULL DEFAULT 0  -- said: action; joined: host; file_offered: size
    );
    -- A resend is stored once. Unverified members ("~...") have no ids of their own and never resend.
    CREATE UNIQUE INDEX said_once ON event (by, id) WHERE kind = 'said' AND by < '~';
    -- The first key that used a nick, also after the entry that said so was pruned.
    CREATE TABLE owner (nick TEXT PRIMARY KEY, by TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    """,
    """
    CREATE VIEW said AS SELECT seq, text FROM event WHERE kind = 'said';
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = 'said', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2'
    );
    -- Indexing each message in the commit that stores it costs three quarters of the messages a second: it waits here.
    CREATE TABLE unindexed (seq INTEGER PRIMARY KEY);
    CREATE TRIGGER said_in AFTER INSERT ON event WHEN new.kind = 'said' BEGIN
        INSERT INTO unindexed VALUES (new.seq);
    END;
    CREATE TRIGGER said_out AFTER DELETE ON event WHEN old.kind = 'said' BEGIN
        INSERT INTO words (words, rowid, text) SELECT 'delete', old.seq, old.text
            WHERE old.seq NOT IN (SELECT seq FROM unindexed);
        DELETE FROM unindexed WHERE seq = old.seq;
    END;
    INSERT INTO words (words) VALUES ('rebuild');
    """,
    """
    -- Private messages: in a host's log those that wait for their recipient, in a member's history all it sent and got.
    CREATE TABLE mail (
        number INTEGER PRIMARY KEY,  -- their order
        id TEXT NOT NULL,  -- the sender's own
        at INTEGER NOT NULL,  -- ms since 1970
        by TEXT NOT NULL,
        nick TEXT NOT NULL,
        whom TEXT NOT NULL,
        whom_nick TEXT NOT NULL,
        text TEXT NOT NULL,  -- '' once it was delivered: the rest is needed to recognise a resend
        UNIQUE (by, id)
    );
    """,
    "ALTER TABLE mail RENAME TO private;",
    """
    -- One row for each nick however it is spelled: a member could fill the table with spellings of its own nick.
    ALTER TABLE owner RENAME TO owner_by_spelling;
    CREATE TABLE owner (
        looks TEXT PRIMARY KEY,  -- its skeletons
        nick TEXT NOT NULL,  -- as its owner spelled it first
        by TEXT NOT NULL,
        seq INTEGER NOT NULL
    ) WITHOUT ROWID;
    INSERT OR IGNORE INTO owner SELECT looks_of(nick), nick, by, seq FROM owner_by_spelling ORDER BY seq;
    DROP TABLE owner_by_spelling;
    """,
    f"""
    -- The index holds what `fold` makes of a text, as a search does.
    DROP TRIGGER said_out;
    DROP VIEW said;
    CREATE VIEW said AS SELECT seq, {_FOLDED.format("text")} AS text FROM event WHERE kind = 'said';
    CREATE TRIGGER said_out AFTER DELETE ON event WHEN old.kind = 'said' BEGIN
        INSERT INTO words (words, rowid, text) SELECT 'delete', old.seq, {_FOLDED.format("old.text")}
            WHERE old.seq NOT IN (SELECT seq FROM unindexed);
        DELETE FROM unindexed WHERE seq = old.seq;
    END;
    DELETE FROM unindexed;
    INSERT INTO words (words) VALUES ('rebuild');
    """,
    """
    -- The terms that are over, each with its last number: see protocol/timeline.py.
    CREATE TABLE timeline (epoch INTEGER PRIMARY KEY, last INTEGER NOT NULL);
    """,
    """
    -- The public keys behind member ids, in a host's log: private messages for somebody who is away are sealed to them.
    CREATE TABLE member_key (by TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
    """,
    # A private message is sealed; `text` holds those from before, and those with a guest. Neither: it is finished.
    "ALTER TABLE private ADD COLUMN box BLOB NOT NULL DEFAULT x'';",
    # In a member's history: whether it was shown, so that a host that sends it again shows it to nobody a second time.
    "ALTER TABLE private ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;",
    """
    -- What a room that moves has besides its records: its rules, the owner's papers. See moving.py.
    CREATE TABLE state (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    -- Events that were removed because the room goes on without them: another host has numbered others in their place.
    CREATE TABLE set_aside (
        seq INTEGER PRIMARY KEY, at INTEGER, kind TEXT, by TEXT, nick TEXT, id TEXT, text TEXT, mark INTEGER
    );
    """,
    """
    -- Files for one person: in a host's log those that are there, in a member's history all it sent and got.
    -- `file` is the host's name; `size` and `sha256`, '' until it is whole, are of the sealed bytes. `box` is the offer
    -- for the recipient, `copy` for the sender, and `shown` says that the recipient has got it.
    CREATE TABLE private_file (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, nick TEXT NOT NULL,
        whom TEXT NOT NULL, whom_nick TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
        box BLOB NOT NULL, copy BLOB NOT NULL, shown INTEGER NOT NULL,
        UNIQUE (by, id)
    );
    """,
    # The few events that are no messages. Without it, a room looks through a million messages each time it is opened.
    "CREATE INDEX other ON event (kind) WHERE kind <> 'said';",
)
TABLES = {"event", "owner", "fact", "words", "unindexed", "private", "private_file", "timeline", "member_key"}
TABLES |= {"state", "set_aside"}
WITH_PRIVATE = 4  # the user_version from which on a file has private messages under the name `private` ...
WITH_WORDS = 6  # ... a full-text index of folded texts ...
WITH_KEYS = 8  # ... the keys of those who own nicks ...
WITH_BOXES = 9  # ... sealed private messages ...
WITH_SHOWN = 10  # ... marked once they were shown ...
WITH_STATE = 11  # ... what a room that moves has ...
WITH_FILES = 12  # ... and files for one person
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
