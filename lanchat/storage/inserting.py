"""Inserts events into the table of a log, many with one statement."""

import sqlite3
from collections.abc import Sequence
from itertools import chain

from lanchat.protocol.messages import Event, Said
from lanchat.storage.schema import COLUMNS, row_of

TOGETHER = 64  # events in one statement, since sqlite3 hands over the interpreter around each one (limit: 999 values)

_INSERT = f"INSERT OR IGNORE INTO event ({COLUMNS}) VALUES "
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_ONE = _INSERT + _ROW  # the values are those of `row_of`
_INSERT_TOGETHER = _INSERT + ", ".join([_ROW] * TOGETHER)
_INSERT_RUN = _INSERT + ", ".join(  # of one author, so that SQLite need not copy the id and the nick for each message
    f"(?{first}, ?{first + 1}, 'said', ?1, ?2, ?{first + 2}, ?{first + 3}, 0)" for first in range(3, 4 * TOGETHER, 4)
)


def insert(db: sqlite3.Connection, events: Sequence[Event]) -> int:
    """Insert these events, except those that are there already. Requires a transaction.

    Returns:
        How many are new.
    """
    added, remaining = 0, len(events) % TOGETHER
    for at in range(0, len(events) - remaining, TOGETHER):
        together = events[at : at + TOGETHER]
        if (values := _run(together)) is not None:
            added += db.execute(_INSERT_RUN, values).rowcount
        else:
            added += db.execute(_INSERT_TOGETHER, tuple(chain.from_iterable(map(row_of, together)))).rowcount
    if remaining:
        added += db.executemany(INSERT_ONE, map(row_of, events[-remaining:])).rowcount
    return added


def _run(events: Sequence[Event]) -> list[object] | None:
    """The values of _INSERT_RUN; None: these are not all messages of one author under one nick, or some are marked."""
    by, nick = events[0].by, events[0].nick
    values: list[object] = [by, nick]
    for event in events:
        if event.by != by or not isinstance(event, Said) or event.nick != nick or event.action or event.late:
            return None
        values += event.seq, event.at, event.id or None, event.text
    return values
