"""The file of a log, and the one connection that writes it. The door of `sqlite3`, with mend.py and archive.py.

Exactly one connection writes and checkpoints a file at a time; whoever makes a `Store` holds the lock that sees to it
(SQLite 3.7.0 to 3.51.2 can damage a WAL that two connections checkpoint; Debian 12 has 3.40). Readers: archive.py.
"""

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Event, Record, Told
from lanchat.storage.retention import Retention
from lanchat.storage.schema import COLUMNS, PRIVATE_COLUMNS, SCHEMA, event_of, nick_used, private_row, row_of

Failure = sqlite3.Error  # what every method of a Store may raise

BUSY_LIMIT = 1.0  # s to wait for somebody else's lock on the file, in a thread that may wait
WAL_LIMIT = 4 * 1024 * 1024  # bytes the WAL keeps after a checkpoint
TOGETHER = 64  # events in one statement, as sqlite3 lets the interpreter go, and waits for it, around each (999 values)
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT = f"INSERT OR IGNORE INTO event ({COLUMNS}) VALUES "
STEP = 500  # entries indexed or taken out in one transaction: some 15 ms, which an acknowledgement may wait
MAX_OWNERS = 10_000  # nicks that a room is told about
STRIDE = 1_000_000  # numbers left out after a crash; more than the events that can wait in memory

_log = logging.getLogger(__name__)


class Damaged(Exception):
    """The file is no log any more."""


@dataclass(frozen=True)
class LogState:
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

    def state(self) -> LogState:
        facts: dict[str, int] = dict(self._db.execute("SELECT name, value FROM fact"))
        last = self._one("SELECT max(seq) FROM event") or 0
        first = max(last, facts.get("first", 0))
        if not facts.get("clean", 1):
            first += STRIDE
        owners = tuple(self._db.execute("SELECT nick, by FROM owner ORDER BY seq LIMIT ?", (MAX_OWNERS,)))
        entries, unindexed = self._one("SELECT count(*) FROM event"), self._one("SELECT count(*) FROM unindexed")
        return LogState(last, first, entries, unindexed, owners)

    def begin(self, first: int) -> None:
        """Numbers from `first` on may be given from now on; without `end` they count as given."""
        self._db.execute(
            "INSERT INTO fact VALUES ('clean', 0), ('first', ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (first,),
        )

    def end(self) -> None:
        """All events that were ever numbered are kept."""
        self._db.execute("UPDATE fact SET value = 1 WHERE name = 'clean'")

    def last(self, number: int) -> tuple[Event, ...]:
        rows = self._db.execute(f"SELECT {COLUMNS} FROM event ORDER BY seq DESC LIMIT ?", (number,)).fetchall()
        return tuple(event for row in reversed(rows) if (event := event_of(row)))

    def private(self) -> tuple[Told, ...]:
        """All private messages, in order."""
        return tuple(Told(*row) for row in self._db.execute(f"SELECT {PRIVATE_COLUMNS} FROM mail ORDER BY number"))

    def add(self, records: Sequence[Record]) -> int:
        """Keep these in one transaction.

        An event that is there already, by its seq or by sender and id, is left as it is; of a private message there
        is only the text replaced.

        Returns:
            How many events are new.
        """
        events: list[Event] = []
        private: list[Told] = []
        for record in records:
            if isinstance(record, Told):
                private.append(record)
            else:
                events.append(record)
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if private:
                self._db.executemany(
                    f"INSERT INTO mail ({PRIVATE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (by, id) DO UPDATE SET text = excluded.text",
                    map(private_row, private),
                )
            added = 0
            for at in range(0, len(events) - TOGETHER + 1, TOGETHER):
                fields = [field for event in events[at : at + TOGETHER] for field in row_of(event)]
                added += self._db.execute(_INSERT + ", ".join([_ROW] * TOGETHER), fields).rowcount
            rest = events[len(events) - len(events) % TOGETHER :]
            if rest:
                added += self._db.executemany(_INSERT + _ROW, map(row_of, rest)).rowcount
            if nicks := [nick for event in events if (nick := nick_used(event))]:
                self._db.executemany("INSERT OR IGNORE INTO owner VALUES (?, ?, ?)", nicks)
        return added

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

    def prune(self, keep: Retention, entries: int, now: int) -> int:
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

    def prune_private(self, number: int, *, before: int = 0, waiting: bool = False) -> None:
        """Take out private messages from before this time (ms since 1970), and all but the last of the rest.

        Args:
            number: how many may stay.
            waiting: also of those that still have their text.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM mail WHERE at < ?", (before,))
            self._db.execute(
                "DELETE FROM mail WHERE number <= (SELECT max(number) FROM mail) - ? AND (text = '' OR ?)",
                (number, waiting),
            )

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
