"""A standby's complete copy of a room, on its own disk: `LANCHAT_HOME/standby/ID/`, in the tables of a log.

One thread, "replica", has the one connection that writes. Records are on the disk (FULL) before it reports them as
stored, because the host acknowledges them then. The owner's copy is the folder in which the room was opened.
"""

import logging
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.limits import MAILBOX_AGE, MAILBOX_KNOWN
from lanchat.protocol.messages import Event, Private, Record, Said, Told
from lanchat.protocol.standby import CopyPosition, Owned
from lanchat.protocol.timeline import Timeline
from lanchat.storage.files import FileLock, file_errors
from lanchat.storage.memory import waiting_size
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.repair import is_small, open_store
from lanchat.storage.schema import looks_of
from lanchat.storage.store import Store
from lanchat.threads import Closable, join_started, now_ms

MAX_SIZE = 256 * 1024 * 1024  # bytes of one replica: 640,000 messages of 400 bytes; a laptop is no archive
SPARE = 1 << 30  # bytes that stay free on the disk
WAITING_LIMIT = 32 * 1024 * 1024  # bytes of memory for what the disk does not take; beyond that the copy is given up
INDEX_AFTER = 1.0  # s of quiet, after which new messages are added to the full-text index
_OWNER = 512  # bytes that the owner of a nick takes, in memory and on the disk: a nick, an id, a key
_CHECK_EVERY = 4 * 1024 * 1024  # bytes that are stored between two looks at the sizes
_INSTANCE_SIZE = 8  # bytes

_log = logging.getLogger(__name__)


class Replica(Closable):
    """The copy of one room. `append` and `wait` are for any thread, all else for the one that opened it.

    Args:
        path: of the log.
        lock: of its folder, released by `close`; None: somebody else holds it.
        limit: bytes that the copy may take, SPARE bytes of the disk left free; None: it is the room's own log.

    Raises:
        LanchatError: it cannot be used.
    """

    def __init__(self, path: Path, lock: FileLock | None = None, limit: int | None = None) -> None:
        self.path = path
        self._limit = limit
        self._lock = lock
        self._changed = threading.Condition()  # guards all below but the store
        self._records: list[Record] = []
        self._owned: list[Owned] = []
        self._values: dict[str, bytes] = {}
        self._size = 0  # bytes of memory that records and owners take
        self._closing = False
        self._trouble = ""
        self._thread: threading.Thread | None = None
        self._writing = threading.Lock()  # held while the store is used, which waits for the disk
        self._unchecked = 0  # bytes that were stored since the sizes were looked at
        self._store = self._open()
        now = now_ms()
        self._store.pruning.drop_delivered(MAILBOX_KNOWN, before=now - MAILBOX_AGE)
        self.state = self._store.moving.state()
        self.instance = self.state.get("instance", b"")
        if len(self.instance) != _INSTANCE_SIZE:
            self.instance = secrets.token_bytes(_INSTANCE_SIZE)
            self._store.moving.set_state({"instance": self.instance})
        self.held = CopyPosition()

    def follow(self, timeline: Timeline) -> CopyPosition:
        """Begin to follow a host: what is not on its timeline is set aside.

        Returns:
            What both have.

        Raises:
            LanchatError: the disk cannot be used.
        """
        with self._writing, self._errors():
            self._flush()
            after, gone = self._store.moving.follow(timeline)
            private, state = self._store.moving.private_number(), self._store.moving.state()
        if gone:
            _log.warning("%d events of this copy are not in the room any more, and were set aside", gone)
        with self._changed:
            private = max(private, _number(state, "private"))
            self.held = CopyPosition(after, private, _number(state, "rev"), _number(state, "count"))
            return self.held

    def common(self, timeline: Timeline) -> int:
        """The last number that this copy and a log of this timeline both have; -1: none.

        Raises:
            LanchatError: the disk cannot be used.
        """
        with self._writing, self._errors():
            self._flush()
            return timeline.common(self._store.moving.positions())

    def start(self, on_stored: Callable[[CopyPosition], None], on_trouble: Callable[[str], None]) -> None:
        """Begin to store. Both functions are called from the thread of the replica.

        Args:
            on_stored: called after each commit.
            on_trouble: called once with a sentence: nothing is stored any more.

        Raises:
            RuntimeError: this process has no thread left.
        """
        self._on_stored, self._on_trouble = on_stored, on_trouble
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="replica")
            thread.start()
            self._thread = thread

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be stored: it is closed, or was given up."""
        return self._closing or bool(self._trouble)

    @property
    def is_sound(self) -> bool:
        """Whether the file can be opened without a check: it was checked here, and nothing has gone wrong since."""
        return not self._trouble

    def append(self, records: Sequence[Record], owned: Sequence[Owned], values: Mapping[str, bytes]) -> None:
        """Store these in one transaction, or together with others. Never waits.

        What comes after too much has waited for the disk is dropped, because the copy is given up then.
        """
        with self._changed:
            if self.is_over or self._size > WAITING_LIMIT:
                return
            self._records += records
            self._owned += owned
            self._values |= values
            self._size += sum(map(waiting_size, records)) + _OWNER * len(owned)
            self._changed.notify_all()

    def wait(self, wanted: CopyPosition, timeout: float) -> bool:
        """Wait until so much is stored, apart from heartbeats. Returns whether it is."""

        def done() -> bool:
            held = self.held
            return held.seq >= wanted.seq and held.private >= wanted.private and held.rev >= wanted.rev

        with self._changed:
            self._changed.wait_for(lambda: done() or bool(self._trouble), timeout)
            return done()

    def finish(self) -> None:
        """Store what waits, then stop. The folder stays locked, so that a host can use it. May be called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            join_started(self._thread)
        with self._writing:
            self._store.close()

    def close(self) -> None:
        """May be called twice."""
        self.finish()
        if self._lock is not None:
            self._lock.close()

    def _run(self) -> None:
        unindexed = True
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._waits, INDEX_AFTER if unindexed else None)
                idle, closing = not self._waits, self._closing
            if idle and closing:
                return
            try:
                with self._writing:
                    if idle:
                        unindexed = self._store.indexing.step()
                        continue
                    held = self._flush()
                    unindexed = True
            except (*FAILURES, OSError, LanchatError) as error:
                self._fail(in_words(error) if isinstance(error, FAILURES) else str(error))
                return
            self._on_stored(held)

    @property
    def _waits(self) -> bool:
        """Whether there is something to store."""
        return bool(self._records or self._owned or self._values)

    def _flush(self) -> CopyPosition:
        """Store all that waits. Requires holding `_writing`.

        Raises:
            FAILURES, OSError, LanchatError: it cannot.
        """
        with self._changed:
            records, self._records, size, self._size = self._records, [], self._size, 0
            owned, self._owned = self._owned, []
            values, self._values = self._values, {}
        if size > WAITING_LIMIT:
            raise LanchatError("The disk is too slow to keep a copy of this room.")
        self._check_sizes(size)
        if owned:
            rows = [(looks_of(one.nick), one.nick, one.id, one.seq) for one in owned]
            self._store.rescue(rows, [(one.id, one.key) for one in owned if one.key], ())
        if records:
            events: list[Event] = [record for record in records if not isinstance(record, Private)]
            if self._store.add(records) < len(events):
                self._store.add_reused(event for event in events if isinstance(event, Said))
        if values:
            self._store.moving.set_state(values)
        with self._changed:
            held = self.held
            seq = max((one.seq for one in records if not isinstance(one, Private)), default=held.seq)
            private = max((one.number for one in records if isinstance(one, Told)), default=held.private)
            self.state |= values
            rev, count = _number(self.state, "rev"), _number(self.state, "count")
            private = max(private, held.private, _number(self.state, "private"))
            self.held = CopyPosition(max(seq, held.seq), private, rev, count)
            self._changed.notify_all()
            return self.held

    def _check_sizes(self, more: int) -> None:
        self._unchecked -= more
        if self._unchecked <= 0:
            self._unchecked = _CHECK_EVERY
            self.check()

    def check(self) -> None:
        """Check that the copy may grow.

        Raises:
            LanchatError: the copy is too large, or the disk too full.
        """
        if self._limit is None:
            return
        if sum(path.stat().st_size for path in self.path.parent.glob(f"{self.path.name}*")) > self._limit:
            raise LanchatError("The room is too large to keep a copy of it on this computer.")
        if shutil.disk_usage(self.path.parent).free < SPARE:
            raise LanchatError("The disk of this computer is too full to keep a copy of the room.")

    def _fail(self, trouble: str) -> None:
        _log.warning("this computer keeps no copy of the room any more: %s", trouble)
        with self._changed:
            self._trouble = trouble
            self._changed.notify_all()
        self._on_trouble(trouble)

    def _open(self) -> Store:
        with self._errors():
            store, damage = open_store(self.path, durable=True, suspect=is_small(self.path))
        if damage:
            _log.warning("%s", damage)
        return store

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with file_errors(self.path):
            try:
                yield
            except FAILURES as error:
                raise LanchatError(f"Cannot use {self.path}: {in_words(error)}.") from None


def _number(state: Mapping[str, bytes], name: str) -> int:
    text = state.get(name, b"")
    return int(text) if text.isdigit() and len(text) < 17 else 0
