"""Repairs a damaged log: everything readable is copied, and the damaged file is renamed, never overwritten."""

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from lanchat.protocol.ids import is_key_of, is_verified
from lanchat.protocol.messages import Event, Got, Record, Told
from lanchat.protocol.text import safe_text
from lanchat.protocol.timeline import MAX_N, MAX_TERM, epoch_of, make_epoch, make_seq, term_of
from lanchat.storage.moving import EXTENT
from lanchat.storage.private_files import stored_files
from lanchat.storage.problems import FAILURES, Damaged
from lanchat.storage.readonly import ReadOnlyFile
from lanchat.storage.schema import COLUMNS, OwnerRow, event_of, looks_of, private_columns, private_of
from lanchat.storage.store import Store

CHECK_LIMIT = 32 * 1024 * 1024  # bytes; a smaller file is checked at each start (0.2 s), a larger one after a crash
_LAST_SEQ = 2**53 - 1
_STEPS = (*range(1, 201), *(2**power for power in range(8, 17)))  # over a damaged place; a page holds fewer events
_PROBES = sorted({int(1.5**power) for power in range(28)})  # tried first where there may never have been a term
_MORE_TERMS = 64  # tried after the last one that is known

_log = logging.getLogger(__name__)


def is_small(path: Path) -> bool:
    """Whether this file can be checked at each start."""
    return path.exists() and path.stat().st_size < CHECK_LIMIT


def open_store(path: Path, *, durable: bool, suspect: bool = False) -> tuple[Store, str]:
    """Open the store of this file. A damaged file is repaired first.

    The caller holds the lock of the file. A kill in the middle of a repair does no harm: the copy takes the name of
    the file only when it is complete.

    Args:
        durable, suspect: as for `Store`.

    Returns:
        The store, and a sentence about the damage; "" if there was none.

    Raises:
        LanchatError: a later version has written the file.
        FAILURES, OSError: it cannot be used now.
    """
    copy = path.with_name(f"{path.name}.rescued")
    if copy.exists() and not path.exists():  # the copy was complete when the damaged file was renamed
        os.replace(copy, path)
        return Store(path, durable=durable), "The log was damaged; what could be read of it was recovered."
    try:
        return Store(path, durable=durable, suspect=suspect), ""
    except Damaged as damage:
        _log.warning("%s is damaged (%s)", path, safe_text(str(damage)))
    for tail in ("", "-wal", "-shm"):
        copy.with_name(copy.name + tail).unlink(missing_ok=True)  # of a repair that was cut short
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    store = Store(copy, durable=True)
    try:
        # Owners first, because they may be older than all events.
        store.rescue(_rescued_owners(path), _rescued_keys(path), _rescued_terms(path))
        store.moving.set_state(_rescued_state(path))
        store.moving.keep_aside(_rescued_aside(path))
        rescued = sum(store.add(records) for records in readable(path))
        store.add(_rescued_shown(path))
    finally:
        store.close()
    renamed = _rename_damaged(path)
    os.replace(copy, path)
    words = f"The log was damaged; {rescued} entries were recovered. The damaged file is now {renamed}"
    return Store(path, durable=durable), words


def _rename_damaged(path: Path) -> Path:
    """Returns: the new path of the damaged file."""
    number = 1
    while (new := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for tail in ("", "-wal"):  # the WAL holds a part of the content
        if (part := path.with_name(path.name + tail)).exists():
            os.rename(part, new.with_name(new.name + tail))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    return new


def _rescued_owners(path: Path) -> list[OwnerRow]:
    """The readable owners in a damaged file, oldest first."""
    found: list[OwnerRow] = []
    for nick, by, seq in _rescued_rows(path, "SELECT nick, by, seq FROM owner"):
        if isinstance(nick, str) and isinstance(by, str) and is_verified(by) and isinstance(seq, int):
            found.append((looks_of(nick), nick, by, seq))
    return sorted(found, key=lambda row: row[-1])


def _rescued_keys(path: Path) -> list[tuple[str, bytes]]:
    """The readable keys in a damaged file, each with its member id."""
    rows = _rescued_rows(path, "SELECT by, key FROM member_key")
    return [(by, key) for by, key in rows if isinstance(by, str) and isinstance(key, bytes) and is_key_of(key, by)]


def _rescued_terms(path: Path) -> list[tuple[int, int]]:
    """The readable terms in a damaged file that are over, each with its last number."""
    found: list[tuple[int, int]] = []
    for epoch, last in _rescued_rows(path, "SELECT epoch, last FROM timeline"):
        if (
            isinstance(epoch, int)
            and isinstance(last, int)
            and 0 <= epoch <= epoch_of(_LAST_SEQ)
            and 0 <= last <= MAX_N
        ):
            found.append((epoch, last))
    return found


def _rescued_shown(path: Path) -> list[Got]:
    """The private messages that a damaged file says were shown, as far as it can be read."""
    rows = _rescued_rows(path, "SELECT by, id FROM private WHERE shown")
    return [Got(by, id) for by, id in rows if isinstance(by, str) and isinstance(id, str)]


def _rescued_state(path: Path) -> dict[str, bytes]:
    """The rules and papers in a damaged file. How much of the room it holds is left out, because that is not known now.

    The revision of rules that are lost is left out, too, so that somebody sends them again.
    """
    rows = _rescued_rows(path, "SELECT name, value FROM state")
    found = {name: value for name, value in rows if isinstance(name, str) and isinstance(value, bytes)}
    lost = EXTENT if "rules" in found else {*EXTENT, "rev"}
    return {name: value for name, value in found.items() if name not in lost}


def _rescued_aside(path: Path) -> list[Event]:
    """The events that were set aside in a damaged file, as far as it can be read."""
    rows = _rescued_rows(path, f"SELECT {COLUMNS} FROM set_aside ORDER BY seq")
    return [event for row in rows if (event := event_of(row)) is not None]


def _rescued_rows(path: Path, question: str) -> Iterator[Sequence[object]]:
    """The rows before a damaged place. None if an earlier version, which had no such table, has written the file."""
    with suppress(*FAILURES), closing(ReadOnlyFile(path, damaged=True).connect()) as db:
        yield from db.execute(question)


def readable(path: Path) -> Iterator[Sequence[Record]]:
    """The readable records of a damaged file: private messages, files for one person, then events, in portions.

    Damaged places are stepped over. The file is not changed.
    """
    file = ReadOnlyFile(path, damaged=True)
    try:
        db = file.connect()
    except (*FAILURES, OSError):
        return
    after, steps = -1, _Steps(db)
    try:
        yield _rescued_private(db)
        with suppress(*FAILURES):  # an earlier version, which had no such table, may have written the file
            yield stored_files(db)
        while after < _LAST_SEQ:
            page: list[Event] = []
            start = after
            try:
                for row in db.execute(f"SELECT {COLUMNS} FROM event WHERE seq > ? ORDER BY seq LIMIT 1000", (after,)):
                    after = row[0]
                    if event := event_of(row):
                        page.append(event)
                if after == start:
                    return
            except FAILURES:
                after = steps.behind(after)
            yield page
    finally:
        db.close()


class _Steps:
    """Steps over the damaged places of a file."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._starts = _starts(db)

    def behind(self, after: int) -> int:
        """The next number after which something is found; the last number of all where there is nothing."""
        stretches = [(after, True), *((start - 1, known) for start, known in self._starts if start > after)]
        for unreadable, known in stretches:
            if known or self._first(unreadable, _PROBES):
                if found := self._first(unreadable, _STEPS):
                    return found
        return _LAST_SEQ

    def _first(self, unreadable: int, steps: Iterable[int]) -> int:
        """Where reading goes on behind this number; 0 if none of these steps leads to a place that can be read."""
        return next(filter(None, (self._seek(unreadable + step) for step in steps)), 0)

    def _seek(self, number: int) -> int:
        """The number before the next event after this one; 0 where the file is damaged."""
        try:
            row = self._db.execute("SELECT seq FROM event WHERE seq > ? ORDER BY seq LIMIT 1", (number,)).fetchone()
        except FAILURES:
            return 0
        return _LAST_SEQ if row is None else max(number, row[0] - 1)


def _starts(db: sqlite3.Connection) -> list[tuple[int, bool]]:
    """The numbers before which a term may begin, in order, each with whether that term is known.

    Between two terms there are too many numbers to try them.
    """
    known = {0}
    with suppress(*FAILURES):
        known |= {epoch_of(seq) for (seq,) in db.execute("SELECT max(seq) FROM event") if isinstance(seq, int)}
    with suppress(*FAILURES):
        known |= {epoch for (epoch,) in db.execute("SELECT epoch FROM timeline") if isinstance(epoch, int)}
    known = {epoch for epoch in known if 0 <= epoch <= epoch_of(_LAST_SEQ)}
    last = min(max(map(term_of, known)) + _MORE_TERMS, MAX_TERM)
    epochs = known | {make_epoch(term, 0) for term in range(1, last + 1)}
    return [(make_seq(epoch, 0) - 1, epoch in known) for epoch in sorted(epochs)]


def _rescued_private(db: sqlite3.Connection) -> list[Told]:
    found: list[Told] = []
    try:
        [version] = db.execute("PRAGMA user_version").fetchone()
        for row in db.execute(f"SELECT {private_columns(version)} FROM private ORDER BY number"):
            if told := private_of(row):
                found.append(told)
    except FAILURES:  # the messages before a damaged place are better than nothing
        pass
    return found
