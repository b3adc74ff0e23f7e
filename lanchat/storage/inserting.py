"""Inserts events into the table of a log, many with one statement."""

import sqlite3
from collections.abc import Sequence
from itertools import chain

from lanchat.protocol.messages import Event
from lanchat.storage.schema import COLUMNS, row_of

TOGETHER = 64  # events in one statement, since sqlite3 hands over the interpreter around each one (limit: 999 values)

_INSERT = f"INSERT OR IGNORE INTO event ({COLUMNS}) VALUES "
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_ONE = _INSERT + _ROW  # the values are those of `row_of`
_INSERT_TOGETHER = _INSERT + ", ".join([_ROW] * TOGETHER)


def insert(db: sqlite3.Connection, events: Sequence[Event]) -> int:
    """Insert these events, except those that are there already. Requires a transaction.

    Returns:
        How many are new.
    """
    added, remaining = 0, len(events) % TOGETHER
    for at in range(0, len(events) - remaining, TOGETHER):
        rows = map(row_of, events[at : at + TOGETHER])
        added += db.execute(_INSERT_TOGETHER, tuple(chain.from_iterable(rows))).rowcount
    if remaining:
        added += db.executemany(INSERT_ONE, map(row_of, events[-remaining:])).rowcount
    return added
