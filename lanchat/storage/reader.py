"""Reads the file of a log, even while its host goes on writing it."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from lanchat.errors import LanchatError, LogDamaged
from lanchat.protocol.messages import Event, Said, Told
from lanchat.storage.schema import COLUMNS, PRIVATE_COLUMNS, WITH_PRIVATE, WITH_WORDS, event_of
from lanchat.storage.search import has_words, parse_search
from lanchat.storage.store import StoreProblem, in_words, problem_of, tolerant

BUSY_LIMIT = 2.0  # s to wait while the writer opens or closes the file
_VALUES = 500  # values in one statement; SQLite before 3.32 takes 999
_REPAIR = "Open the room with lanchat host, or join it, once more: that repairs the file."


class LogReader:
    """One log on this machine. Any thread.

    Each call opens a read-only connection of its own and may wait for the disk. A reader never writes and never
    checkpoints, so it delays nobody (see store.py).

    Every method may raise:
        LogDamaged: the file is not readable as a log, and stays so until it is repaired.
        LanchatError: it cannot be read now.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def events_after(self, seq: int, limit: int) -> list[Event]:
        """The first events after this seq."""
        return self._events("SELECT {} FROM event WHERE seq > ? ORDER BY seq LIMIT ?", [seq, limit])

    def find(self, by: str, ids: Collection[str]) -> list[Said]:
        """The messages with these ids that the log has.

        Args:
            by: the sender's member id; nothing is found for an unverified one, whose messages have no ids of their own.
            ids: given by the sender.
        """
        found: list[Event] = []
        wanted = sorted(ids)
        for at in range(0, len(wanted), _VALUES):
            some = wanted[at : at + _VALUES]
            marks = ", ".join("?" * len(some))  # `by < '~'` lets the index `said_once` serve
            question = f"SELECT {{}} FROM event WHERE kind = 'said' AND by = ? AND by < '~' AND id IN ({marks})"
            found += self._events(question, [by, *some])
        return [event for event in found if isinstance(event, Said)]

    def last_events(self, *, number: int | None = None, since: int = 0, search: str = "") -> list[Event]:
        """The last events, oldest first.

        Args:
            number: at most this many; None: all.
            since: ms since 1970.
            search: only messages with all of these words, or with words that begin like them; "": all events.
        """
        conditions: list[str] = ["at >= ?"]
        values: list[str | int] = [since]
        wanted = parse_search(search)
        if wanted.words or wanted.parts:
            conditions.append("kind = 'said'")
        if wanted.words:
            conditions.append(
                "(seq IN (SELECT rowid FROM words WHERE words MATCH ?)"
                " OR seq IN (SELECT seq FROM unindexed) AND has_words(text, ?))"
            )
            values += [" ".join(f'"{word}" *' for word in wanted.words), " ".join(wanted.words)]
        for part in wanted.parts:
            conditions.append("instr(lower(text), lower(?))")
            values.append(part)
        values.append(-1 if number is None else number)
        question = f"SELECT {{}} FROM event WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?"
        return self._events(question, values, WITH_WORDS if wanted.words else 1)[::-1]

    def last_private(self, *, number: int | None = None, since: int = 0, search: str = "") -> list[Told]:
        """The last private messages in a member's history; the arguments are those of `last_events`.

        Not for a host's log: the private messages that wait there belong to other people.
        """
        wanted = parse_search(search)
        parts = ["instr(lower(text), lower(?))"] * len(wanted.parts)
        conditions = " AND ".join(["at >= ?", "text <> ''", "has_words(text, ?)", *parts])
        values = [since, " ".join(wanted.words), *wanted.parts, -1 if number is None else number]
        question = f"SELECT {PRIVATE_COLUMNS} FROM private WHERE {conditions} ORDER BY number DESC LIMIT ?"
        with self._open() as (db, version):
            rows = db.execute(question, values).fetchall() if version >= WITH_PRIVATE else []
        return [Told(*row) for row in reversed(rows)]

    def _events(self, question: str, values: Sequence[str | int], version: int = 1) -> list[Event]:
        with self._open(version) as (db, _):
            rows = db.execute(question.format(COLUMNS), values).fetchall()
        return [event for row in rows if (event := event_of(row))]

    @contextmanager
    def _open(self, least: int = 1) -> Iterator[tuple[sqlite3.Connection, int]]:
        """Open a connection. Gives it, and the version of the schema that the file has.

        Args:
            least: the version that the question needs.
        """
        try:
            with closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=BUSY_LIMIT)) as db:
                db.execute("PRAGMA wal_autocheckpoint = 0")
                db.text_factory = tolerant
                db.create_function("has_words", 2, has_words, deterministic=True)
                version: int = db.execute("PRAGMA user_version").fetchone()[0]
                if version < least:
                    raise LogDamaged(f"Cannot read {self._path}: its tables are missing or too old.", _REPAIR)
                yield db, version
        except sqlite3.Error as error:
            text = f"Cannot read {self._path}: {in_words(error)}"
            if problem_of(error) is StoreProblem.DAMAGED:
                raise LogDamaged(text, _REPAIR) from None
            raise LanchatError(text) from None
