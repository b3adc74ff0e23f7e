"""Reads the file of a log, even while its host goes on writing it."""

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from lanchat.errors import LanchatError, LogDamaged
from lanchat.protocol.file_messages import FilePrivate
from lanchat.protocol.framing import message_of
from lanchat.protocol.messages import Event, Said, Told
from lanchat.protocol.standby import Owned
from lanchat.storage.migrations import IS_ASCII, WITH_BOXES, WITH_FILES, WITH_KEYS, WITH_PRIVATE, WITH_SHOWN, WITH_WORDS
from lanchat.storage.private_files import FILE_COLUMNS, file_of
from lanchat.storage.problems import FAILURES, StoreProblem, in_words, problem_of
from lanchat.storage.readonly import BUSY_LIMIT, ReadOnlyFile
from lanchat.storage.schema import COLUMNS, EVENTS, PRIVATE, PRIVATE_FILES, event_of, private_columns, private_of
from lanchat.storage.search import parse_search
from lanchat.storage.selection import Selection

PORTION = 5000  # rows that are read at once ...
PORTION_SIZE = 1_000_000  # characters and bytes; ... and no more than so much text and boxes
_VALUES = 500  # values in one statement; SQLite before 3.32 takes 999
_FEW = 500  # rows that are read from the end at once, and held in memory
_REPAIR = "Open the room with lanchat host, or join it, once more: that repairs the file."

T = TypeVar("T")

_log = logging.getLogger(__name__)


class LogReader:
    """One log on this machine. Any thread.

    Args:
        on_damage: called with the number of entries that a method has left out, because their rows are damaged.

    Each call opens a read-only connection of its own and may wait for the disk. A reader never writes and never
    checkpoints, so it delays nobody (see store.py).

    Every method may raise:
        LogDamaged: the file is not readable as a log, and stays so until it is repaired.
        LanchatError: it cannot be read now.
    """

    def __init__(self, path: Path, on_damage: Callable[[int], None] = lambda number: None) -> None:
        self._path = path
        self._file = ReadOnlyFile(path, BUSY_LIMIT)
        self._on_damage = on_damage

    def events_after(self, seq: int, limit: int) -> list[Event]:
        """The first events after this seq."""
        return self._events("SELECT {} FROM event WHERE seq > ? ORDER BY seq", [seq], limit)

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

    def has_said(self, by: str, before: int) -> bool:
        """Whether this member has said something before this time, in ms since 1970. Never for an unverified one."""
        question = "SELECT 1 FROM event WHERE kind = 'said' AND by = ? AND by < '~' AND at < ?"  # index `said_once`
        with self._open() as (db, _):
            return db.execute(question, (by, before)).fetchone() is not None

    def events(
        self, *, number: int | None = None, since: int = 0, search: str = "", visits: bool = True
    ) -> Iterator[Event]:
        """The last events, oldest first. They are read in portions, so that they need little memory at a time.

        Args:
            number: at most this many; None: all.
            since: ms since 1970.
            search: only messages with all of these words, or with words that begin like them; "": all events.
            visits: also who came and went.
        """
        wanted = parse_search(search)
        conditions = ["seq > :after", "at >= :since"]
        conditions += [] if visits else ["kind NOT IN ('joined', 'left')"]
        parts = {f"part{number}": part for number, part in enumerate(wanted.parts)}
        if wanted:
            quick = [f"(instr(lower(text), :{name}) OR NOT {IS_ASCII.format('text')})" for name in parts]
            conditions += ["kind = 'said'", *quick, "matches(text)"]
        indexed = bool(wanted.words) and self._version() >= WITH_WORDS  # else every text is read
        match = " ".join(f'"{word}" *' for word in wanted.words)
        values: dict[str, str | int] = {"since": since, "match": match, **parts}
        version = WITH_WORDS if indexed else 1
        yield from self._last(
            Selection[Event](EVENTS, COLUMNS, event_of, conditions, values, version, wanted.matches, indexed), number
        )

    def private(self, *, number: int | None = None, since: int = 0) -> Iterator[Told]:
        """The last private messages that are not finished, as they were stored: sealed. They are in the order in which
        they came, and read in portions too.

        Args:
            number: at most this many; None: all.
            since: ms since 1970.
        """
        version = self._version()
        if version < WITH_PRIVATE:
            return
        there = "(box <> x'' OR text <> '')" if version >= WITH_BOXES else "text <> ''"
        conditions = ["number > :after", "at >= :since", there]
        columns = private_columns(version)
        yield from self._last(
            Selection(PRIVATE, columns, private_of, conditions, {"since": since}, WITH_PRIVATE), number
        )

    def _version(self) -> int:
        """The version of the schema that the file has."""
        with self._open() as (_, version):
            return version

    def _last(self, selection: Selection[T], number: int | None) -> Iterator[T]:
        """The last rows of a selection, oldest first."""
        if number is not None and number <= _FEW:
            yield from self._few(selection, number)
            return
        after = -1 if number is None else self._before(selection, number)
        damaged, more = 0, number != 0
        while more:
            rows, more = self._portion(selection, after)
            damaged += sum(item is None for _, item in rows)
            yield from (item for _, item in rows if item is not None)
            after = rows[-1][0] if rows else after
        self._report(damaged)

    def _few(self, selection: Selection[T], number: int) -> list[T]:
        """The last few rows of a selection, in one query. A damaged row does not count."""
        found: list[T] = []
        damaged = 0
        with self._open(selection.version, selection.matches) as (db, _):
            values = {**selection.values, "after": -1}
            lists = [db.execute(question, values) for question in selection.backwards()]
            with closing(merge(*lists, key=itemgetter(0), reverse=True)) as rows:
                for _, *row in rows if number else ():
                    if (item := selection.read(row)) is None:
                        damaged += 1
                        continue
                    found.append(item)
                    if len(found) == number:
                        break
        self._report(damaged)
        return found[::-1]

    def _before(self, selection: Selection[T], number: int) -> int:
        """The key before the last rows, this many of them. A damaged row takes nobody's place."""
        with self._open(selection.version, selection.matches) as (db, _):
            rows = db.execute(selection.question("DESC"), {**selection.values, "after": -1})
            sound = (key for key, *row in rows if isinstance(key, int) and selection.read(row) is not None)
            return min(islice(sound, number), default=0) - 1

    def _portion(self, selection: Selection[T], after: int) -> tuple[list[tuple[int, T | None]], bool]:
        """Returns: the keys of some rows, and what these hold; and whether there may be more rows."""
        question = selection.question(f"LIMIT {PORTION}")
        rows: list[tuple[int, T | None]] = []
        size = 0
        with self._open(selection.version, selection.matches) as (db, _):
            for key, *row in db.execute(question, {**selection.values, "after": after}):
                rows.append((key, selection.read(row)))
                size += sum(len(value) for value in row if isinstance(value, str | bytes))
                if size > PORTION_SIZE:
                    break
        return rows, len(rows) == PORTION or size > PORTION_SIZE

    def private_files(self, *, since: int = 0) -> Iterator[FilePrivate]:
        """The files for one person, as they were stored: with sealed offers. `since` as for `private`."""
        if self._version() < WITH_FILES:
            return
        conditions, values = ["number > :after", "at >= :since"], {"since": since}
        files = Selection[FilePrivate](PRIVATE_FILES, FILE_COLUMNS, file_of, conditions, values, WITH_FILES)
        yield from self._last(files, None)

    def private_after(self, number: int, limit: int) -> list[Told]:
        """The first private messages after this number, each with its own, the finished ones among them."""
        with self._open() as (db, version):
            question = (
                f"SELECT number, {private_columns(version)} FROM private WHERE number > ? ORDER BY number LIMIT ?"
            )
            rows = db.execute(question, (number, limit)).fetchall() if version >= WITH_PRIVATE else []
        return [told for number, *row in rows if (told := private_of(row, number))]

    def owners_after(self, seq: int, limit: int) -> list[Owned]:
        """The first owners of nicks whose events come after this seq."""
        with self._open() as (db, version):
            question = (
                "SELECT nick, by, coalesce(key, x''), seq FROM owner LEFT JOIN member_key USING (by)"
                " WHERE seq > ? ORDER BY seq LIMIT ?"
            )
            rows = db.execute(question, (seq, limit)).fetchall() if version >= WITH_KEYS else []
        found = (message_of(Owned, dict(zip(("nick", "id", "key", "seq"), row, strict=True))) for row in rows)
        return [owned for owned in found if owned is not None]

    def shown_private(self, number: int) -> list[tuple[str, str]]:
        """Sender and id of the last private messages that were shown, at most this many, oldest first."""
        with self._open() as (db, version):
            question = "SELECT by, id FROM private WHERE shown ORDER BY number DESC LIMIT ?"
            rows = db.execute(question, (number,)).fetchall() if version >= WITH_SHOWN else []
        return [(by, id) for by, id in reversed(rows) if isinstance(by, str) and isinstance(id, str)]

    def was_shown(self, sender: str, id: str) -> bool:
        """Whether the private message, or file, of this sender with this id was shown."""
        with self._open() as (db, version):
            for table, least in (("private", WITH_SHOWN), ("private_file", WITH_FILES)):
                question = f"SELECT 1 FROM {table} WHERE shown AND by = ? AND id = ?"
                if version >= least and db.execute(question, (sender, id)).fetchone() is not None:
                    return True
        return False

    def _events(self, question: str, values: Sequence[str | int], number: int | None = None) -> list[Event]:
        """The events in the first rows that hold any: so many, or all."""
        found: list[Event] = []
        damaged = 0
        with self._open() as (db, _):
            for row in db.execute(question.format(COLUMNS), values):
                if len(found) == number:
                    break
                event = event_of(row)
                if event is None:
                    damaged += 1
                else:
                    found.append(event)
        self._report(damaged)
        return found

    def _report(self, damaged: int) -> None:
        if damaged:
            _log.warning("%d entries of %s are damaged and left out", damaged, self._path)
            self._on_damage(damaged)

    @contextmanager
    def _open(
        self, least: int = 1, matches: Callable[[str], bool] = lambda text: True
    ) -> Iterator[tuple[sqlite3.Connection, int]]:
        """Open a connection. Gives it, and the version of the schema that the file has.

        Args:
            least: the version that the question needs.
            matches: the function of that name in the question.
        """

        def checked(text: object) -> bool:
            return not isinstance(text, str) or matches(text)  # a damaged one is found, and left out as such

        try:
            with closing(self._file.connect()) as db:
                db.execute("PRAGMA wal_autocheckpoint = 0")
                db.create_function("matches", 1, checked, deterministic=True)
                version: int = db.execute("PRAGMA user_version").fetchone()[0]
                if version < least:
                    raise LogDamaged(f"Cannot read {self._path}: its tables are missing or too old.", _REPAIR)
                yield db, version
        except (*FAILURES, OSError) as error:
            text = f"Cannot read {self._path}: {in_words(error)}"
            if problem_of(error) is StoreProblem.DAMAGED:
                raise LogDamaged(text, _REPAIR) from None
            raise LanchatError(text) from None
