"""What becomes of a damaged log: it is set aside, never overwritten, and what can be read of it is copied."""

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from lanchat.errors import ProtocolError
from lanchat.protocol.framing import FROM_HOST, decode, encode
from lanchat.protocol.messages import Event, Record, Told
from lanchat.storage.schema import COLUMNS, PRIVATE_COLUMNS, Row, event_of
from lanchat.storage.store import Damaged, Store, tolerant

_ALL_SEQ = 2**53 - 1
_SMALL_STEPS = 200  # entries one looks for behind a hole in a damaged file before the steps double; a page holds fewer

_log = logging.getLogger(__name__)


def open_store(path: Path, *, durable: bool, suspect: bool = False) -> tuple[Store, str]:
    """The store of this file; a damaged one is set aside, and what can be read of it is copied first.

    Whoever calls this holds the lock of the file. A kill in the middle costs nothing: the copy takes the name of the
    file only when it is whole.

    Returns:
        The store, and what there is to say about damage; usually "".

    Raises:
        LanchatError: a later version has written it.
        Failure, OSError: it cannot be used now.
    """
    copy = path.with_name(f"{path.name}.rescued")
    if copy.exists() and not path.exists():  # the copy was whole when the damaged file was set aside
        os.replace(copy, path)
        return Store(path, durable=durable), "the log was damaged; what could be read of it was copied"
    try:
        return Store(path, durable=durable, suspect=suspect), ""
    except Damaged as damage:
        _log.warning("%s is damaged (%s)", path, damage)
    for tail in ("", "-wal", "-shm"):
        copy.with_name(copy.name + tail).unlink(missing_ok=True)  # of a rescue that came to no end
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    store = Store(copy, durable=True)
    try:
        rescued = sum(store.add(records) for records in _rescued(path))
    finally:
        store.close()
    aside = _set_aside(path)
    os.replace(copy, path)
    words = f"the log was damaged; {rescued} entries of it could be read, and the file is now {aside}"
    return Store(path, durable=durable), words


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for tail in ("", "-wal"):  # what is in the WAL belongs to it
        if (part := path.with_name(path.name + tail)).exists():
            os.rename(part, aside.with_name(aside.name + tail))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    return aside


def _rescued(path: Path) -> Iterator[Sequence[Record]]:
    """What can be read of a damaged file, page by page; around holes in it, if need be."""
    try:
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error:
        return
    db.text_factory = tolerant
    after, failures = -1, 0
    try:
        yield _rescued_private(db)
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
                after += 1 << max(0, failures - _SMALL_STEPS)
            yield page
    finally:
        db.close()


def _rescued_private(db: sqlite3.Connection) -> list[Told]:
    found: list[Told] = []
    try:
        for row in db.execute(f"SELECT {PRIVATE_COLUMNS} FROM private ORDER BY number"):
            if _passes(told := Told(*row)):
                found.append(told)
    except sqlite3.Error:  # what comes before a hole is better than nothing
        pass
    return found


def _sound(row: Row) -> Event | None:
    event = event_of(row)
    return event if event is not None and _passes(event) else None


def _passes(record: Record) -> bool:
    """Whether the wire would let it through."""
    try:
        return decode(encode(record), FROM_HOST) == record
    except (ProtocolError, TypeError, ValueError, OverflowError):
        return False
