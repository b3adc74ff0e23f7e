"""Deletes the oldest entries of a log: those that its retention does not cover, or that are beyond a bound."""

import sqlite3

from lanchat.storage.retention import NOTHING, Amount, Retention
from lanchat.storage.schema import EVENTS, Table

STEP = 500  # entries deleted in one transaction: some 15 ms, which an acknowledgement may wait
PAGES = 1000  # pages of the file that are merged or freed in one step: some 50 ms


class Pruning:
    """The deleting part of a `Store`, with the same owner and the same errors.

    Args:
        db: the store's connection.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._scanned = -1  # the seq up to which `_drop_older` has looked

    @property
    def entries(self) -> int:
        """How many events the log has. Reads the whole table."""
        number: int = self._db.execute("SELECT count(*) FROM event").fetchone()[0]
        return number

    def amount(self, table: Table) -> Amount:
        """How much this table holds. Reads the whole table."""
        return Amount(
            *self._db.execute(f"SELECT count(*), coalesce(sum({table.size}), 0) FROM {table.name}").fetchone()
        )

    def drop_some(self, table: Table, surplus: Amount) -> Amount:
        """Delete the oldest rows of a table until this amount is deleted, by entries and by bytes; at most STEP rows.

        Returns:
            The amount that was deleted. The caller goes on with the rest.
        """
        question = f"SELECT {table.key}, {table.size} FROM {table.name} ORDER BY {table.key} LIMIT ?"
        gone, last = NOTHING, None
        for key, size in self._db.execute(question, (STEP,)).fetchall():
            if surplus.beyond(gone) == NOTHING:
                break
            gone, last = gone + Amount(1, size), key
        if last is not None:
            self._delete(f"DELETE FROM {table.name} WHERE {table.key} <= ?", last)
        return gone

    def drop_uncovered(self, retention: Retention, entries: int, now: int) -> tuple[int, bool]:
        """Delete some of the events that the retention does not cover.

        Args:
            entries: how many events the log has.
            now: ms since 1970.

        Returns:
            How many were deleted, and whether the caller has to go on.
        """
        if retention.entries is not None:
            gone = self.drop_some(EVENTS, Amount(entries).beyond(Amount(retention.entries))).entries
            return gone, gone > 0
        if retention.age is not None:
            return self._drop_older(now - retention.age, now)
        return 0, False

    def _drop_older(self, before: int, now: int) -> tuple[int, bool]:
        """Delete some events from before a time. Returns what `drop_uncovered` does.

        The oldest ones are deleted, up to the first that is younger: whatever stands behind it was said later, by
        whatever clock. An event from later than now has a wrong time: it is as old as the next one with a right time.
        """
        rows = self._db.execute("SELECT seq, at FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (self._scanned, STEP))
        last_old: int | None = None
        seen = 0
        for seq, at in rows.fetchall():
            if isinstance(at, int) and before <= at <= now:
                break
            seen += 1
            self._scanned = seq
            if isinstance(at, int) and at < before:
                last_old = seq
        more = seen == STEP
        if not more:
            self._scanned = -1  # the next time from the beginning
        if last_old is None:
            return 0, more
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            return self._db.execute("DELETE FROM event WHERE seq <= ?", (last_old,)).rowcount, more

    def drop_delivered(self, number: int, *, before: int) -> None:
        """Delete old private messages and files for one person, and of the finished messages all but the newest.

        Args:
            number: at most this many finished ones stay, the newest.
            before: ms since 1970; older ones are deleted in any case.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM private WHERE at < ?", (before,))
            self._db.execute("DELETE FROM private_file WHERE at < ?", (before,))
            self._db.execute(
                "DELETE FROM private WHERE number <= (SELECT max(number) FROM private) - ? AND text = '' AND box = x''",
                (number,),
            )

    @property
    def used(self) -> int:
        """Bytes of the file that are in use."""
        pages, size = (int(self._db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size"))
        return (pages - self._free) * size

    def merge_some(self, *, first: bool) -> bool:
        """Merge some parts of the full-text index: until then it holds the words of deleted messages.

        Args:
            first: whether this is the first step of merging the whole index.

        Returns:
            Whether another step is needed.
        """
        before = self._db.total_changes
        self._db.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (-PAGES if first else PAGES,))
        return self._db.total_changes - before >= 2  # the end, by SQLite's page about FTS5

    def give_back_some(self) -> bool:
        """Free some unused pages: the file becomes smaller when the store is closed.

        A file that was made by an earlier version keeps its unused pages, and uses them again.

        Returns:
            Whether another step may free more.
        """
        free = self._free
        self._db.executescript(f"PRAGMA incremental_vacuum({PAGES})")  # `execute` would free a single page
        return 0 < self._free < free

    @property
    def _free(self) -> int:
        return int(self._db.execute("PRAGMA freelist_count").fetchone()[0])

    def _delete(self, statement: str, *values: int) -> None:
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(statement, values)
