"""Bounds the histories on a member's disk while they grow: each of them, and all of them together.

The room is the host's, the disk is the member's: of a host that sends without end, the oldest records are deleted.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.file_messages import FilePrivate
from lanchat.protocol.messages import Got, Record, Told
from lanchat.storage.files import lock_file
from lanchat.storage.problems import FAILURES
from lanchat.storage.pruning import Pruning
from lanchat.storage.repair import open_store
from lanchat.storage.retention import NOTHING, Amount, fair_share
from lanchat.storage.rooms import LOCK, LOG
from lanchat.storage.schema import EVENTS, PRIVATE, PRIVATE_FILES, ROW_SIZE, Table, row_of

BOUNDS = {  # of one room; with messages of the usual length, the number of entries is reached first
    EVENTS: Amount(entries=200_000, size=100_000_000),
    PRIVATE: Amount(entries=20_000, size=20_000_000),
    PRIVATE_FILES: Amount(entries=10_000, size=20_000_000),
}
FILE_BOUND = 350_000_000  # bytes of one room's file, with the full-text index, which may be larger than the texts
TOTAL = 1_000_000_000  # bytes of the files of all rooms
PRUNED_TO = 0.9  # of a bound that was exceeded, so that records are not counted and deleted at every write
CHECK_EVERY = 16_000_000  # bytes that one room has grown by, after which the files of all rooms are checked

_log = logging.getLogger(__name__)


class HistoryBounds:
    """Keeps the history of one room within its bounds. Owned by the thread that writes the history.

    Args:
        stopped: whether the time is over; what is left to delete is then deleted the next time the room is joined.
    """

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._stored: dict[Table, Amount] = {}  # in each table, at most; empty until it is counted
        self._unchecked = CHECK_EVERY  # bytes added since the histories of all rooms were checked

    def make_room(self, pruning: Pruning) -> bool:
        """Delete what is beyond the bounds. To be called before records are added.

        Returns:
            Whether the history is within its bounds, so that records may be added.
        """
        deleted = False
        for table, bound in BOUNDS.items():
            if self._is_too_much(pruning, table, bound):
                deleted = True
                self._stored[table] = _drop(pruning, table, self._stored[table], bound.part(PRUNED_TO), self._stopped)
        if pruning.used > FILE_BOUND:
            deleted = True
            _merge(pruning, self._stopped)
            if pruning.used > FILE_BOUND:
                stored = self._stored[EVENTS]
                self._stored[EVENTS] = _drop(pruning, EVENTS, stored, stored.part(PRUNED_TO), self._stopped)
        if deleted:
            _give_back(pruning, self._stopped)
        return all(self._stored[table].beyond(bound) == NOTHING for table, bound in BOUNDS.items())

    def added(self, records: Sequence[Record | Got]) -> None:
        """Count records that were added. Some of them may have been stored before; a `Got` adds nothing."""
        new = [record for record in records if not isinstance(record, Got)]
        for table in BOUNDS:
            sizes = [size_of(record) for record in new if _table_of(record) is table]
            self._stored[table] += Amount(len(sizes), sum(sizes))
            self._unchecked += sum(sizes)

    def fit_all(self, folder: Path) -> None:
        """Delete the oldest records of the largest histories until all histories together are within TOTAL.

        This happens only after every CHECK_EVERY bytes. Small histories lose nothing, and one that another process is
        writing is left to that process. The caller must not hold the lock of a history.

        Args:
            folder: the folder that holds the folders of the rooms.
        """
        if self._unchecked < CHECK_EVERY:
            return
        self._unchecked = 0
        try:
            sizes = {path: path.stat().st_size for path in folder.glob(f"*/{LOG}")}
            if sum(sizes.values()) > TOTAL:
                share = fair_share(sizes.values(), TOTAL)
                for path, size in sizes.items():
                    if size > share:
                        _shrink(path, share, self._stopped)
                self._stored = {}
        except (LanchatError, *FAILURES, OSError) as error:
            _log.warning("cannot prune the histories in %s: %s", folder, error)

    def _is_too_much(self, pruning: Pruning, table: Table, bound: Amount) -> bool:
        if table in self._stored and self._stored[table].beyond(bound) == NOTHING:
            return False
        self._stored[table] = pruning.amount(table)
        return self._stored[table].beyond(bound) != NOTHING


def size_of(record: Record) -> int:
    """The bytes that the row of a record takes, as its table counts them."""
    boxes = 0
    match record:
        case Told():
            strings = [record.id, record.by, record.nick, record.to, record.to_nick, record.text]
            boxes = len(record.box)
        case FilePrivate():
            strings = [record.id, record.by, record.nick, record.to, record.to_nick, record.file, record.sha256]
            boxes = len(record.box) + len(record.copy)
        case _:
            strings = [text for text in row_of(record)[3:7] if text]
    return ROW_SIZE + boxes + sum(len(text.encode()) for text in strings)


def _table_of(record: Record) -> Table:
    match record:
        case Told():
            return PRIVATE
        case FilePrivate():
            return PRIVATE_FILES
        case _:
            return EVENTS


def _drop(pruning: Pruning, table: Table, stored: Amount, kept: Amount, stopped: Callable[[], bool]) -> Amount:
    """Delete the oldest rows until no more than `kept` is stored. Returns what is stored then."""
    while (surplus := stored.beyond(kept)) != NOTHING and not stopped():
        gone = pruning.drop_some(table, surplus)
        if gone == NOTHING:
            break
        stored = stored.beyond(gone)
    return stored


def _merge(pruning: Pruning, stopped: Callable[[], bool]) -> None:
    first = True
    while not stopped() and pruning.merge_some(first=first):
        first = False


def _give_back(pruning: Pruning, stopped: Callable[[], bool]) -> None:
    while not stopped() and pruning.give_back_some():
        pass


def _shrink(path: Path, size: int, stopped: Callable[[], bool]) -> None:
    """Delete the oldest records of this history until its file has about this size in bytes."""
    lock = lock_file(path.with_name(LOCK))
    if lock is None:
        return
    try:
        store, _ = open_store(path, durable=False)
        try:
            pruning = store.pruning
            _merge(pruning, stopped)
            part = PRUNED_TO * size / max(1, pruning.used)
            for table in BOUNDS:
                stored = pruning.amount(table)
                _drop(pruning, table, stored, stored.part(min(1.0, part)), stopped)
            _merge(pruning, stopped)
            _give_back(pruning, stopped)
        finally:
            store.close()
    finally:
        lock.close()
