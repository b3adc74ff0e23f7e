"""The host's log on its disk. One thread, "log", has the one connection that writes; the hub only queues.

All that waits is kept in one transaction (group commit): a commit waits for the disk, whatever its size.
While the disk takes nothing the room goes on, what is to be kept waits in memory, and nothing is acknowledged.
"""

import logging
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.limits import MAILBOX_AGE, MAILBOX_KNOWN
from lanchat.protocol.messages import Event, Record, Said, Told
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.storage.log import IN_MEMORY, OnStored, OnTrouble, Opened, ignore
from lanchat.storage.reader import LogReader
from lanchat.storage.repair import open_store
from lanchat.storage.retention import EVERYTHING, Retention
from lanchat.storage.store import STEP, Failure, Store, StoreProblem, in_words, problem_of
from lanchat.threads import join_started

BATCH = 1000  # events in one transaction; more would let the first of them wait for the last
WAITING_LIMIT = 32 * 1024 * 1024  # bytes of memory for what the disk does not take: some 80,000 usual messages
INDEX_AFTER = 1.0  # s of quiet, after which what was said is indexed for searching ...
INDEX_LIMIT = 4000  # messages; ... or so many, quiet or not
CHECK_LIMIT = 32 * 1024 * 1024  # bytes of a file that is looked through at each start (0.2 s); larger: after a crash
PRUNE_EVERY = 600.0  # s
CLOSE_LIMIT = 3.0  # s for a disk that takes nothing to take what still waits, when the room closes
_NEVER = math.inf
_OVERHEAD = 320  # bytes of an event in memory besides its text

_log = logging.getLogger(__name__)


class SqliteLog:
    """A `Log` in a file. Whoever makes it holds the lock of the room's folder.

    Args:
        keep: what is older, or more, is taken out now and then.
        on_damage: told in a sentence when the file was damaged and had to be set aside.
        wall: ms since 1970; asked once, so that a clock that jumps later makes nothing old.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep: Retention = EVERYTHING,
        on_damage: Callable[[str], None] = ignore,
        wall: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self._retry = timing.log_retry
        self._path = path
        self._reader = LogReader(path)
        self._keep = keep
        self._on_damage = on_damage
        self._wall = wall
        self._waiting: deque[Record] = deque()
        self._size = 0  # bytes of what waits
        self._closing = False
        self._lock = threading.Condition()  # guards _waiting, _size, _closing
        self._thread: threading.Thread | None = None
        self._store: Store | None = None  # of the log thread, from `open` on
        self._trouble = ""
        self._seq = 0  # the number that the file was opened with
        self._ticket = 0  # records appended
        self._stored = 0  # records stored

    @property
    def full(self) -> bool:
        return self._size > WAITING_LIMIT

    def open(self) -> Opened:
        self._started = self._wall(), time.monotonic()
        try:
            small = self._path.exists() and self._path.stat().st_size < CHECK_LIMIT
            self._store, damage = open_store(self._path, durable=True, suspect=small)
            state = self._store.state()
            self._seq = max(state.first, self._wall()) if damage else state.first  # lost numbers are below
            self._store.begin(self._seq)
            past = self._store.last(IN_MEMORY)
            self._store.prune_private(MAILBOX_KNOWN, before=self._started[0] - MAILBOX_AGE)
            private = self._store.private()
        except (Failure, OSError) as error:
            if self._store is not None:
                self._store.close()
                self._store = None
            raise LanchatError(
                f"Cannot use {self._path}: {in_words(error)}.",
                "Fix that, or host a room that stores nothing: --ephemeral",
            ) from None
        if damage:
            self._on_damage(damage)
        self._kept, self._entries, self._unindexed = state.seq, state.entries, state.unindexed
        return Opened(past, self._seq, state.owners, private)

    def start(self, on_stored: OnStored, on_trouble: OnTrouble = ignore) -> None:
        self._on_stored, self._on_trouble = on_stored, on_trouble
        self._thread = threading.Thread(target=self._run, name="log")
        self._thread.start()

    def append(self, records: Sequence[Record]) -> int:
        size = sum(map(_size, records))
        with self._lock:
            self._waiting.extend(records)
            self._size += size
            self._lock.notify()
        self._ticket += len(records)
        return self._ticket

    def read(self, after: int, limit: int) -> list[Event]:
        with self._lock:
            waiting = [event for event in self._waiting if not isinstance(event, Told) and event.seq > after]
        kept = self._reader.events_after(after, limit)  # after looking at what waits: it may be kept any moment
        last = kept[-1].seq if kept else after
        return [*kept, *(event for event in waiting if event.seq > last)][:limit]

    def find(self, by: str, ids: Collection[str]) -> list[Said]:
        with self._lock:
            waiting = {e.id: e for e in self._waiting if isinstance(e, Said) and e.by == by and e.id in ids}
        return list((waiting | {said.id: said for said in self._reader.find(by, ids)}).values())

    def close(self) -> None:
        with self._lock:
            self._closing = True
            self._lock.notify()
        if self._thread is not None:
            join_started(self._thread)
        elif self._store is not None:  # opened, and never started
            self._store.close()

    def _run(self) -> None:
        over_at = 0.0
        self._prune_at = time.monotonic()
        self._index_at = self._prune_at + INDEX_AFTER if self._unindexed else _NEVER
        while True:
            with self._lock:
                pause = min(self._prune_at, self._index_at) - time.monotonic()
                self._lock.wait_for(lambda: self._waiting or self._closing, max(0.0, pause))
                batch, closing = list(islice(self._waiting, BATCH)), self._closing
            if not batch:
                self._tidy(closing)
                if closing:
                    break
            elif self._save(batch):
                if self._unindexed > INDEX_LIMIT:
                    self._index()
            else:
                if closing:
                    over_at = over_at or time.monotonic() + CLOSE_LIMIT
                    if time.monotonic() > over_at:
                        break
                self._rest(closing)
        self._end()

    def _tidy(self, closing: bool) -> None:
        """What can wait for a quiet moment."""
        now = time.monotonic()
        if closing:
            while self._unindexed:
                self._index()
        elif now >= self._index_at:
            self._index()
        elif now >= self._prune_at and not self._prune():
            self._prune_at = now + PRUNE_EVERY

    def _save(self, batch: list[Record]) -> bool:
        """Returns: whether it is on the disk now."""
        try:
            if self._store is None:
                self._store, damage = open_store(self._path, durable=True, suspect=True)
                self._store.begin(self._seq)
                state = self._store.state()
                self._entries, self._unindexed = state.entries, state.unindexed
                if not damage and state.seq < self._kept:
                    damage = "the log's file was replaced: what was kept in it up to now is gone"
                if damage:
                    self._on_damage(damage)
            added = self._store.add(batch)
        except (Failure, OSError, LanchatError) as error:
            self._fail(error)
            return False
        seqs = [record.seq for record in batch if not isinstance(record, Told)]
        self._stored += len(batch)
        self._kept = seqs[-1] if seqs else self._kept
        self._entries += added
        self._unindexed += added
        self._index_at = time.monotonic() + INDEX_AFTER
        with self._lock:
            for _ in batch:
                self._waiting.popleft()
            self._size -= sum(map(_size, batch))
        self._on_stored(self._stored, self._kept)
        if self._trouble:
            _log.warning("events are kept again")
            self._trouble = ""
            self._on_trouble("")
        return True

    def _fail(self, error: Failure | OSError | LanchatError) -> None:
        if self._store is not None and (isinstance(error, Failure) and not _passes(error)):
            self._store.close()  # the file may be damaged, or another one: look at it anew
            self._store = None
        trouble = str(error) if isinstance(error, LanchatError) else in_words(error)
        if trouble != self._trouble:
            _log.warning("events are not kept: %s", trouble)
            self._trouble = trouble
            self._on_trouble(trouble)

    def _rest(self, closing: bool) -> None:
        with self._lock:
            self._lock.wait_for(lambda: self._closing and not closing, self._retry / 4 if closing else self._retry)

    def _index(self) -> None:
        """A step of it; what was added must not wait long behind it."""
        if self._store is None:
            return
        try:
            more = self._store.index()
        except Failure as error:
            _log.warning("cannot index what was said: %s", in_words(error))
            more = False
        self._unindexed = max(STEP, self._unindexed - STEP) if more else 0
        self._index_at = self._index_at if more else _NEVER

    def _prune(self) -> bool:
        """Returns: whether there may be more to take out."""
        if self._store is None:
            return False
        began_wall, began = self._started
        now = began_wall + int((time.monotonic() - began) * 1000)
        try:
            gone = self._store.prune(self._keep, self._entries, now)
            if not gone:
                self._store.prune_private(MAILBOX_KNOWN, before=now - MAILBOX_AGE)
        except Failure as error:
            _log.warning("cannot take out old events: %s", in_words(error))
            return False
        self._entries -= gone
        return gone > 0

    def _end(self) -> None:
        if self._waiting:
            _log.error("%d events could not be kept: %s", len(self._waiting), self._trouble)
        if self._store is None:
            return
        try:
            if not self._waiting:
                self._store.end()
        except Failure as error:
            _log.warning("cannot close the log in order: %s", in_words(error))
        self._store.close()


def _size(record: Record) -> int:
    return _OVERHEAD + (sys.getsizeof(record.text) if isinstance(record, Said | Told) else 0)


def _passes(error: Failure) -> bool:
    """Whether this says nothing about the file itself."""
    return problem_of(error) in (StoreProblem.DISK_FULL, StoreProblem.LOCKED)
