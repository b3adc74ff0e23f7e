"""The file of a log: schema, rows, and what becomes of a damaged one. Together with archive.py the door of `sqlite3`.

Exactly one connection writes and checkpoints a file at a time; whoever makes a `Store` holds the lock that sees to it
(SQLite 3.7.0 to 3.51.2 can damage a WAL that two connections checkpoint; Debian 12 has 3.40). archive.py has the readers.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.framing import FROM_HOST, decode, encode
from lanchat.protocol.messages import Event, Joined, Left, Renamed, Said
from lanchat.room.keep import Keep

Failure = sqlite3.Error  # what every method of a Store may raise

SCHEMA = (  # steps; the file's user_version says how many it has. Only ever add to them
    """
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,  -- ms since 1970
        kind TEXT NOT NULL,  -- as on the wire: said, joined, left, renamed
        by TEXT NOT NULL,
        nick TEXT NOT NULL,
        id TEXT,  -- said: the sender's own
        text TEXT,  -- said: text; left: reason; renamed: to
        mark INTEGER NOT NULL DEFAULT 0  -- said: action; joined: host
    );
    -- A resend is stored once. Not for plain members ("~..."): they have no ids of their own and never resend.
    CREATE UNIQUE INDEX said_once ON event (by, id) WHERE kind = 'said' AND by < '~';
    -- The first key that used a nick, also when the entry that said so is no longer kept.
    CREATE TABLE owner (nick TEXT PRIMARY KEY, by TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    """,
    """
    CREATE VIEW said AS SELECT seq, text FROM event WHERE kind = 'said';
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = 'said', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2'
    );
    -- Indexing each message with its own commit costs three quarters of the messages a second; so it waits here.
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
)
COLUMNS = "seq, at, kind, by, nick, id, text, mark"
BUSY_LIMIT = 1.0  # s to wait for somebody else's lock on the file, in a thread that may wait
WAL_LIMIT = 4 * 1024 * 1024  # bytes the WAL keeps after a checkpoint
STEP = 1000  # entries indexed or taken out in one transaction: some 30 ms, which an acknowledgement may wait
SMALL_STEPS = 200  # entries one looks for behind a hole in a damaged file before the steps double; a page holds fewer
MAX_OWNERS = 10_000  # nicks that a room is told about
STRIDE = 1_000_000  # numbers left out after a crash; more than the events that can wait in memory
_ALL_SEQ = 2**53 - 1

_log = logging.getLogger(__name__)

Row = tuple[int, int, str, str, str, str | None, str | None, int]


class Damaged(Exception):
    """The file is no log any more."""


@dataclass(frozen=True)
class Standing:
    """What a log knows when it opens."""

    seq: int  # of the last event
    first: int  # the seq below which nothing new may be numbered: seq, or higher after a crash
    entries: int
    unindexed: int
    owners: tuple[tuple[str, str], ...]


class Store:
    """One connection that writes. Owned by one thread at a time.

    Args:
        durable: a commit is on the disk when it returns (FULL), not only with the operating system (NORMAL).
        suspect: look through the whole file first.

    Raises:
        Damaged: it is no log any more.
        LanchatError: a later version has written it.
        Failure: it cannot be opened now.
    """

    def __init__(self, path: Path, *, durable: bool, suspect: bool = False) -> None:
        if path.exists() and path.stat().st_size == 0:
            raise Damaged("it is empty")
        self._db = sqlite3.connect(path, timeout=BUSY_LIMIT, isolation_level=None, check_same_thread=False)
        self._db.text_factory = tolerant
        try:
            self._prepare(durable, suspect)
        except sqlite3.Error as error:
            self._db.close()
            if is_damage(error):
                raise Damaged(str(error)) from None
            raise
        except BaseException:
            self._db.close()
            raise

    def standing(self) -> Standing:
        facts: dict[str, int] = dict(self._db.execute("SELECT name, value FROM fact"))
        last = self._one("SELECT max(seq) FROM event") or 0
        first = max(last, facts.get("first", 0))
        if not facts.get("clean", 1):
            first += STRIDE
        owners = tuple(self._db.execute("SELECT nick, by FROM owner ORDER BY seq LIMIT ?", (MAX_OWNERS,)))
        entries, unindexed = self._one("SELECT count(*) FROM event"), self._one("SELECT count(*) FROM unindexed")
        return Standing(last, first, entries, unindexed, owners)

    def begin(self, first: int) -> None:
        """Numbers from `first` on may be given from now on; without `end` they count as given."""
        self._db.execute(
            "INSERT INTO fact VALUES ('clean', 0), ('first', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (first,),
        )

    def end(self) -> None:
        """All events that were ever numbered are kept."""
        self._db.execute("UPDATE fact SET value = 1 WHERE name = 'clean'")

    def last(self, number: int) -> tuple[Event, ...]:
        rows = self._db.execute(f"SELECT {COLUMNS} FROM event ORDER BY seq DESC LIMIT ?", (number,)).fetchall()
        return tuple(event for row in reversed(rows) if (event := event_of(row)))

    def add(self, events: Sequence[Event]) -> int:
        """Keep these in one transaction; what is there already, by its seq or by sender and id, is left as it is.

        Returns:
            How many are new.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            cursor = self._db.executemany(
                f"INSERT OR IGNORE INTO event ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(row_of, events)
            )
            if nicks := [nick for event in events if (nick := _nick_used(event))]:
                self._db.executemany("INSERT OR IGNORE INTO owner VALUES (?, ?, ?)", nicks)
        return cursor.rowcount

    def index(self) -> bool:
        """Let a search find some of what was added by the index too; before that it looks through the texts.

        Returns:
            Whether there may be more.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            some = "(SELECT seq FROM unindexed ORDER BY seq LIMIT ?)"
            self._db.execute(f"INSERT INTO words (rowid, text) SELECT seq, text FROM said WHERE seq IN {some}", (STEP,))
            return self._db.execute(f"DELETE FROM unindexed WHERE seq IN {some}", (STEP,)).rowcount == STEP

    def prune(self, keep: Keep, entries: int, now: int) -> int:
        """Take out a few of the oldest entries that need not be kept.

        Args:
            entries: how many there are.
            now: ms since 1970.

        Returns:
            How many were taken out; call again until it is 0.
        """
        if keep.entries is not None:
            oldest = self._db.execute(
                "SELECT seq FROM event ORDER BY seq LIMIT ?", (min(STEP, max(0, entries - keep.entries)),)
            ).fetchall()
        elif keep.age is not None:
            rows = self._db.execute("SELECT seq, at FROM event ORDER BY seq LIMIT ?", (STEP,)).fetchall()
            oldest = []
            for seq, at in rows:
                if at >= now - keep.age:
                    break
                oldest.append((seq,))
        else:
            return 0
        if oldest:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute("DELETE FROM event WHERE seq <= ?", oldest[-1])
        return len(oldest)

    def close(self) -> None:
        self._db.close()

    def _prepare(self, durable: bool, suspect: bool) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._db.execute("PRAGMA fullfsync = 1")  # macOS: fsync alone stops at the drive's cache
        self._db.execute("PRAGMA checkpoint_fullfsync = 1")
        self._db.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            version = self._one("PRAGMA user_version")
            if version > len(SCHEMA):
                raise LanchatError(
                    "a later lanchat has written this room's log", "use that one, or open another room: --new"
                )
            if version == 0 and self._one("SELECT count(*) FROM sqlite_master"):
                raise Damaged("it is the database of another program")
            for step in SCHEMA[version:]:
                self._run(step)
            if version < len(SCHEMA):
                self._db.execute(f"PRAGMA user_version = {len(SCHEMA)}")
        clean = self._one("SELECT min(value) FROM fact WHERE name = 'clean'")
        if suspect or clean == 0:
            self._check()

    def _check(self) -> None:
        found = self._one("PRAGMA quick_check(1)")
        if found != "ok":
            raise Damaged(str(found))
        try:
            self._db.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            _log.warning("the index for searching is damaged and made anew")
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute("INSERT INTO words (words) VALUES ('rebuild')")
                self._db.execute("DELETE FROM unindexed")

    def _run(self, script: str) -> None:
        """Like `executescript`, which would commit first."""
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self._db.execute(statement)
                statement = ""

    def _one(self, question: str) -> Any:
        return self._db.execute(question).fetchone()[0]


def open_store(path: Path, *, durable: bool, suspect: bool = False) -> tuple[Store, str]:
    """The store of this file; a damaged one is set aside first, and what can be read of it is copied.

    Whoever calls this holds the lock of the file.

    Returns:
        The store, and what there is to say about damage; usually "".

    Raises:
        LanchatError: a later version has written it.
        Failure, OSError: it cannot be used now.
    """
    try:
        return Store(path, durable=durable, suspect=suspect), ""
    except Damaged as damage:
        aside = _set_aside(path)
        _log.warning("%s is damaged (%s), set aside as %s", path, damage, aside)
    store = Store(path, durable=durable)
    rescued = sum(store.add(events) for events in _rescued(aside))
    return store, f"the log was damaged; {rescued} entries of it could be read, and the file is now {aside}"


def is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "no such table" in str(error)


def in_words(error: sqlite3.Error | OSError) -> str:
    """Why it cannot be used now, for a person."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return "the disk is full"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "another program holds the file"
        case sqlite3.SQLITE_READONLY:
            return "the file is read-only"
        case _:
            return (error.strerror if isinstance(error, OSError) else None) or str(error)


def tolerant(data: bytes) -> str:
    """A damaged character is no reason to lose a line."""
    return data.decode(errors="replace")


def row_of(event: Event) -> Row:
    start = event.seq, event.at
    match event:
        case Said():
            return (*start, "said", event.by, event.nick, event.id, event.text, int(event.action))
        case Joined():
            return (*start, "joined", event.by, event.nick, None, None, int(event.host))
        case Left():
            return (*start, "left", event.by, event.nick, None, event.reason, 0)
        case Renamed():
            return (*start, "renamed", event.by, event.nick, None, event.to, 0)


def event_of(row: Row) -> Event | None:
    """None for a kind that this version does not know."""
    seq, at, kind, by, nick, id, text, mark = row
    match kind:
        case "said":
            return Said(seq, at, by, nick, id or "", text or "", bool(mark))
        case "joined":
            return Joined(seq, at, by, nick, bool(mark))
        case "left":
            return Left(seq, at, by, nick, text or "")
        case "renamed":
            return Renamed(seq, at, by, nick, text or "")
    return None


def _nick_used(event: Event) -> tuple[str, str, int] | None:
    """The nick that this event gives to a key, the key's member id, and when."""
    match event:
        case Joined(by=by, nick=nick) | Renamed(by=by, to=nick) if not by.startswith("~"):
            return nick, by, event.seq
    return None


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for tail in ("", "-wal"):  # what is in the WAL belongs to it
        if (part := path.with_name(path.name + tail)).exists():
            os.rename(part, aside.with_name(aside.name + tail))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    return aside


def _rescued(path: Path) -> Iterator[list[Event]]:
    """The events of a damaged file that can be read, page by page; around holes in it, if need be."""
    try:
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error:
        return
    db.text_factory = tolerant
    after, failures = -1, 0
    try:
        while after < _ALL_SEQ:
            page: list[Event] = []
            start = after
            try:
                for row in db.execute(f"SELECT {COLUMNS} FROM event WHERE seq > ? ORDER BY seq LIMIT 1000", (after,)):
                    after, failures = row[0], 0
                    if event := _sound(row):
                        page.append(event)
                if after == start:
                    return
            except sqlite3.Error:  # a hole: step over it, in small steps first
                failures += 1
                after += 1 << max(0, failures - SMALL_STEPS)
            yield page
    finally:
        db.close()


def _sound(row: Row) -> Event | None:
    """The event, if it is one that the wire would let through."""
    try:
        event = event_of(row)
        return event if event is not None and decode(encode(event), FROM_HOST) == event else None
    except (ProtocolError, TypeError, ValueError, OverflowError):
        return None
