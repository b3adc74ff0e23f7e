"""The file of a log and the one connection that writes it. `sqlite3` is used in a few modules of this folder alone.

Exactly one connection writes and checkpoints a file at a time; the owner of a `Store` holds the lock that ensures this
(SQLite 3.7.0 to 3.51.2 can damage a WAL that two connections checkpoint; Debian 12 has 3.40).
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.file_messages import FileChange, FileEvent, FilePrivate
from lanchat.protocol.folding import fold
from lanchat.protocol.limits import MAX_OWNED, memory_of
from lanchat.protocol.messages import Event, Got, Moved, Record, Said, Told
from lanchat.protocol.timeline import MAX_ENTRIES, MAX_N, Timeline, epoch_of, n_of
from lanchat.storage.files import check_no_link
from lanchat.storage.indexing import Indexing
from lanchat.storage.inserting import INSERT_ONE, insert
from lanchat.storage.log_state import LogState, read_state
from lanchat.storage.moving import Moving
from lanchat.storage.prepare import check, check_facts, migrate
from lanchat.storage.private_files import add_files, stored_files
from lanchat.storage.problems import FAILURES, Damaged, StoreProblem, problem_of, tolerant
from lanchat.storage.pruning import Pruning
from lanchat.storage.schema import (
    COLUMNS,
    OWNER_COLUMNS,
    PRIVATE_COLUMNS,
    OwnerRow,
    event_of,
    key_shown,
    looks_of,
    nick_used,
    private_of,
    private_row,
    row_of,
)

BUSY_LIMIT = 1.0  # s to wait for another program's lock on the file, in a thread that may wait
WAL_LIMIT = 4 * 1024 * 1024  # bytes that the WAL may keep after a checkpoint
_INSERT_PRIVATE = (  # one that is finished takes its new number, behind all others
    f"INSERT INTO private (number, {PRIVATE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (by, id) DO UPDATE SET box = x'', text = '', number = excluded.number"
    " WHERE excluded.box = x'' AND excluded.text = ''"
)
_KNOWN = "SELECT seq, text, mark & 1 FROM event WHERE kind = 'said' AND by = ? AND by < '~' AND id = ?"
_EARLIER = "SELECT seq, at FROM event WHERE kind = 'said' AND by = ? AND by < '~' AND id = ? AND text = ? AND seq < ?"


class Store:
    """One connection that writes. Owned by one thread at a time.

    Args:
        durable: a commit is on the disk when it returns (FULL), not only with the operating system (NORMAL). For a
            host's log, which also holds the keys of members.
        suspect: check the whole file first.

    Raises:
        Damaged: the file is not a log, or no longer one.
        LanchatError: a later version has written it.
        FAILURES, OSError: it cannot be opened now. So do all other methods; `problem_of` says why.
    """

    def __init__(self, path: Path, *, durable: bool, suspect: bool = False) -> None:
        check_no_link(path)
        self._durable = durable
        new = not path.exists()
        if not new and path.stat().st_size == 0:
            raise Damaged("it is empty")
        self._db = sqlite3.connect(path, timeout=BUSY_LIMIT, isolation_level=None, check_same_thread=False)
        self._db.text_factory = tolerant
        add_functions(self._db)
        self.pruning = Pruning(self._db)
        self.moving = Moving(self._db)
        try:
            if new and not durable:
                self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # for Pruning.give_back_some
            self._prepare(durable, suspect)
            self.indexing = Indexing(self._db)
            self._owned = self._number("SELECT count(*) FROM owner")
        except FAILURES as error:
            self._db.close()
            if problem_of(error) is StoreProblem.DAMAGED:
                raise Damaged(str(error)) from None
            raise
        except BaseException:
            self._db.close()
            raise

    def state(self) -> LogState:
        return read_state(self._db)

    def begin(self, first: int) -> Timeline:
        """Note that numbers above `first` may be given out now. Without a later `end` they count as given out.

        If it belongs to a later term than the last event, the term of that event is over.

        Returns:
            What the log consists of now.
        """
        epoch = epoch_of(first)
        last = self._number(f"SELECT coalesce(max(seq), 0) FROM event WHERE seq <= {MAX_NUMBER}")
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO fact VALUES ('clean', 0), ('first', ?)", (first,))
            if last and epoch_of(last) < epoch:
                self._db.execute("INSERT OR IGNORE INTO timeline VALUES (?, ?)", (epoch_of(last), n_of(last)))
        question = "SELECT epoch, last FROM timeline WHERE epoch < ? AND last <= ? ORDER BY epoch DESC LIMIT ?"
        past = self._db.execute(question, (epoch, MAX_N, MAX_ENTRIES)).fetchall()
        return Timeline(epoch, tuple(reversed(past)))

    def end(self) -> None:
        """Note that every event that was numbered is stored."""
        self._db.execute("UPDATE fact SET value = 1 WHERE name = 'clean'")

    def last(self, number: int, size: int) -> tuple[Event, ...]:
        """The last events, oldest first.

        Args:
            number: at most this many.
            size: bytes of memory that their texts may take.
        """
        events: list[Event] = []
        for row in self._db.execute(f"SELECT {COLUMNS} FROM event ORDER BY seq DESC LIMIT ?", (number,)):
            event = event_of(row)
            size -= memory_of(event.text) if isinstance(event, Said) else 0
            if size < 0:
                break
            events += [event] if event is not None else []
        return tuple(reversed(events))

    def files(self) -> tuple[FileChange, ...]:
        """All events about files, oldest first, and then the files for one person."""
        kinds = "kind <> 'said' AND kind IN ('file_offered', 'file_stored', 'file_removed')"  # index `other`
        rows = self._db.execute(f"SELECT {COLUMNS} FROM event WHERE {kinds} ORDER BY seq")
        return *(event for row in rows if isinstance(event := event_of(row), FileEvent)), *stored_files(self._db)

    def private(self) -> tuple[Told, ...]:
        """All private messages, oldest first."""
        rows = self._db.execute(f"SELECT {PRIVATE_COLUMNS} FROM private ORDER BY number")
        return tuple(told for row in rows if (told := private_of(row)))

    def add(self, records: Sequence[Record | Got]) -> int:
        """Store these in one transaction.

        An event that is stored already, by its seq or by sender and id, stays as it is. So does a private message,
        until it is finished: then it is emptied. With a `Got` it is marked as shown. For files see `add_files`.

        Returns:
            How many events are new.
        """
        events: list[Event] = [record for record in records if isinstance(record, Said)]  # nearly all
        others: list[Event] = []
        private: list[Told] = []
        files: list[FilePrivate | Got] = []
        for record in records if len(events) < len(records) else ():
            if isinstance(record, Told):
                private.append(record)
            elif isinstance(record, FilePrivate | Got):
                files.append(record)
            elif not isinstance(record, Said):
                others.append(record)
        events += others
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if private:
                self._db.executemany(_INSERT_PRIVATE, ((told.number or None, *private_row(told)) for told in private))
            if files:
                add_files(self._db, files)
            self.indexing.expect(events)
            added = insert(self._db, events)
            keys = [key for event in others if (key := key_shown(event))]
            if keys and self._durable and self._owned < MAX_OWNED:  # beyond that, newcomers own no nick to be found by
                self._db.executemany("INSERT OR IGNORE INTO member_key VALUES (?, ?)", keys)
            for event in others:
                if isinstance(event, Moved) and self._durable:
                    self.moving.end_term(event.seq)
            owned = self._own([row for event in others if (row := nick_used(event))])
        self._owned += owned  # not before the commit
        return added

    def rescue(
        self, owners: Sequence[OwnerRow], keys: Sequence[tuple[str, bytes]], terms: Sequence[tuple[int, int]]
    ) -> None:
        """Store what a log that is repaired holds besides its records.

        Args:
            owners: of nicks, the oldest first.
            keys: by member id; only those of owners are stored.
            terms: the epochs that are over, each with its last number.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            owned = self._own(owners)
            whose = {by for _, _, by, _ in owners[:MAX_OWNED]}
            self._db.executemany(
                "INSERT OR IGNORE INTO member_key VALUES (?, ?)", (key for key in keys if key[0] in whose)
            )
            self._db.executemany("INSERT OR IGNORE INTO timeline VALUES (?, ?)", terms)
        self._owned += owned

    def add_reused(self, said: Iterable[Said]) -> int:
        """Store, without their ids, messages that `add` left out because their senders had used the ids before.

        A sender that uses an id for two different messages has sent two messages. The same message with the same id is
        a resend, and stays stored once.

        Returns:
            How many were stored.
        """
        added = 0
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for event in said:
                known = self._db.execute(_KNOWN, (event.by, event.id)).fetchone()
                if known is not None and known[0] != event.seq and known[1:] != (event.text, event.action):
                    nameless = event.seq, event.at, event.by, event.nick, "", event.text, event.action, event.late
                    self.indexing.expect([event])
                    added += self._db.execute(INSERT_ONE, row_of(Said(*nameless))).rowcount
        return added

    def renumber(self, said: Iterable[Said]) -> None:
        """Move messages that `add` left out to the places that they have at another host now, because their authors
        have said them again. What they say, and when, stays as it is stored."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for event in said:
                values = event.by, event.id, event.text, event.seq
                for seq, at in self._db.execute(_EARLIER, values).fetchall():
                    self._db.execute("DELETE FROM event WHERE seq = ?", (seq,))
                    self.indexing.expect([event])
                    moved = event.seq, at, event.by, event.nick, event.id, event.text, event.action, event.late
                    self._db.execute(INSERT_ONE, row_of(Said(*moved)))

    def close(self) -> None:
        self._db.close()

    def _prepare(self, durable: bool, suspect: bool) -> None:
        self._db.execute("PRAGMA trusted_schema = ON")  # the view of what is indexed calls `fold`
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._db.execute("PRAGMA fullfsync = 1")  # macOS: fsync alone stops at the drive's cache
        self._db.execute("PRAGMA checkpoint_fullfsync = 1")
        self._db.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            migrate(self._db)
        check_facts(self._db)
        clean = self._number("SELECT coalesce(min(value), 1) FROM fact WHERE name = 'clean'")
        if suspect or not clean:
            check(self._db)

    def _own(self, rows: Sequence[OwnerRow]) -> int:
        """Store owners of nicks. Requires a transaction. Returns: how many of the nicks had no owner."""
        left = MAX_OWNED - self._owned  # beyond it, the room would make no use of them
        if not rows or left <= 0:
            return 0
        insert = f"INSERT OR IGNORE INTO owner ({OWNER_COLUMNS}) VALUES (?, ?, ?, ?)"
        return self._db.executemany(insert, rows[:left]).rowcount

    def _number(self, question: str) -> int:
        number: int = self._db.execute(question).fetchone()[0]
        return number


def add_functions(db: sqlite3.Connection) -> None:
    """Add the functions that the schema and its migrations use."""
    for function in (looks_of, fold):
        db.create_function(function.__name__, 1, partial(_of_text, function))


def _of_text(function: Callable[[str], str], value: object) -> str | None:
    return function(value) if isinstance(value, str) else None  # a damaged value is nobody's nick and no text
