"""Adds messages to the full-text index of a log, in quiet moments. A search reads those that are not in it yet.

Nearly all messages are stored in the order of their numbers. So the messages that wait are those above the last indexed
number (the fact `indexed`), and those that came late, whose numbers are in `unindexed`.
"""

import sqlite3
from collections.abc import Iterable

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.messages import Event

STEP = 500  # entries indexed in one transaction: some 15 ms, which an acknowledgement may wait

_LATE = "INSERT OR IGNORE INTO unindexed SELECT :seq WHERE NOT EXISTS (SELECT 1 FROM event WHERE seq = :seq)"
_SOME_LATE = "(SELECT seq FROM unindexed ORDER BY seq LIMIT ?)"
_NEXT = f"SELECT seq FROM event WHERE kind = 'said' AND seq > ? AND seq <= {MAX_NUMBER} ORDER BY seq LIMIT ?"
_INDEX = "INSERT INTO words (rowid, text) SELECT seq, text FROM said WHERE seq"


class Indexing:
    """The indexing part of a `Store`, with the same owner and the same errors.

    Args:
        db: the store's connection, to a file with the newest tables.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        [self._last] = db.execute("SELECT coalesce(max(value), 0) FROM fact WHERE name = 'indexed'").fetchone()

    def expect(self, events: Iterable[Event]) -> None:
        """Note those of these events that come late. To be called before they are stored. Requires a transaction."""
        late = [{"seq": event.seq} for event in events if event.seq <= self._last]
        if late:
            self._db.executemany(_LATE, late)

    def step(self) -> bool:
        """Index some messages.

        Returns:
            Whether there may be more to index.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(f"{_INDEX} IN {_SOME_LATE}", (STEP,))
            late = self._db.execute(f"DELETE FROM unindexed WHERE seq IN {_SOME_LATE}", (STEP,)).rowcount
            last, new = self._db.execute(f"SELECT max(seq), count(*) FROM ({_NEXT})", (self._last, STEP)).fetchone()
            if new:
                self._db.execute(f"{_INDEX} > ? AND seq <= ?", (self._last, last))
                self._db.execute("UPDATE fact SET value = ? WHERE name = 'indexed'", (last,))
        self._last = last if new else self._last  # not before the commit
        return STEP in (late, new)
