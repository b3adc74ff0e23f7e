"""A member's history: the records that it has seen, in the tables of a log. `lanchat history` reads it, even offline.

Several processes of one person may be in the same room. Each of them adds its new records about once a second: take the
lock, open, write, close, release. So only one connection writes or checkpoints at a time (see store.py), nothing is
stored twice, and no process makes another wait. NORMAL is durable enough here: the file stays whole in any case, and
the last seconds, which a power cut may take, are on the host's disk.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Event, Got, Record, Said
from lanchat.storage.files import lock_file
from lanchat.storage.history_bounds import HistoryBounds
from lanchat.storage.log import ignore
from lanchat.storage.memory import waiting_size
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.reached import write_positions
from lanchat.storage.repair import open_store
from lanchat.storage.rooms import LOCK, LOG

FLUSH_EVERY = 1.0  # s
TELL_WITHIN = 0.1  # s, where somebody waits to be told: a person sees no wait, and what one screen shows is one write
MAX_WAITING = 20_000  # records in memory while the disk takes nothing; beyond that the oldest are not stored
MAX_WAITING_SIZE = 16 * 1024 * 1024  # bytes of memory that these records take, at most
CLOSE_LIMIT = 2.0  # s to get the last records on the disk; leaving must feel immediate
_RETRY = 0.05  # s until the lock is tried again

_log = logging.getLogger(__name__)


class HistoryWriter:
    """Writes the history of one room from a thread of its own, "history". `add` is for any thread and never waits.

    Args:
        folder: the room's, from `joined_folder`.
        on_trouble: called from that thread with a sentence: once when nothing can be stored, and when a damaged
            history was repaired.
    """

    def __init__(self, folder: Path, on_trouble: Callable[[str], None] = ignore) -> None:
        self._path = folder / LOG
        self._lock_path = folder / LOCK
        self._on_trouble = on_trouble
        self._reported = False
        self._suspect = True  # the whole file is checked at first, and after trouble
        self._bounds = HistoryBounds(lambda: time.monotonic() > self._deadline)
        self._waiting: deque[Record | Got] = deque()
        self._waiting_size = 0  # in memory
        self._reached: Mapping[int, int] | None = None  # with those that wait; replaced as a whole
        self._to_tell: list[Callable[[], None]] = []  # waiting for the records up to now
        self._tell_at = math.inf  # when the records must be written, because somebody waits
        self._telling = False
        self._trouble = False  # whether the disk took nothing at the last attempt
        self._closing = False
        self._deadline = math.inf  # when the last records must be stored
        self._change = threading.Condition()  # guards all of these
        self._thread = threading.Thread(target=self._run, name="history")
        self._thread.start()

    def add(
        self,
        records: Sequence[Record | Got],
        reached: Mapping[int, int] | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Store these records within about FLUSH_EVERY, with how far the history then reaches; see reached.py.

        Args:
            then: called from the thread of the history once they and all before them are in the file, or once the disk
                has refused them, of which `on_trouble` tells first. Never called if neither happens before the end.
        """
        with self._change:
            wakes = not self._waiting
            self._wait(records)
            self._reached = self._reached if reached is None else reached
            if then is not None:
                self._to_tell.append(then)
                if self._tell_at == math.inf:
                    self._tell_at, wakes = time.monotonic() + TELL_WITHIN, True
            if wakes:
                self._change.notify_all()

    def settle(self, limit: float) -> None:
        """Wait until everybody has been told who waits for that, for at most `limit` s."""
        with self._change:
            self._tell_at = 0.0
            self._change.notify_all()
            self._change.wait_for(lambda: not self._to_tell and not self._telling, limit)

    def close(self) -> None:
        """Write the waiting records, for at most CLOSE_LIMIT, then stop. May be called twice."""
        with self._change:
            self._closing = True
            self._deadline = min(self._deadline, time.monotonic() + CLOSE_LIMIT)
            self._change.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._closing)
                self._wait_for_more()
                batch, self._waiting, self._waiting_size = list(self._waiting), deque(), 0
                reached, self._reached = self._reached, None
                to_tell, self._to_tell, self._tell_at = self._to_tell, [], math.inf
                self._telling, closing = bool(to_tell), self._closing
            if not batch:
                return
            stored = self._write(batch, reached)
            if stored or self._trouble:
                for tell in to_tell:
                    tell()
                to_tell = []
            with self._change:
                self._to_tell, self._telling = [*to_tell, *self._to_tell], False
                if to_tell:  # another process has the lock
                    self._tell_at = time.monotonic() + TELL_WITHIN
                self._change.notify_all()
                if stored:
                    continue
                self._reached = self._reached if reached is None or self._reached is not None else reached
                later, self._waiting, self._waiting_size = self._waiting, deque(), 0
                self._wait([*batch, *later])
            if closing:
                if time.monotonic() >= self._deadline:
                    _log.warning("%d records were not stored", len(batch))
                    return
                time.sleep(_RETRY)

    def _wait_for_more(self) -> None:
        """Wait for more to write at once. Requires holding the lock."""
        write_at = time.monotonic() + FLUSH_EVERY
        while not self._closing and (rest := min(write_at, self._tell_at) - time.monotonic()) > 0:
            self._change.wait(rest)

    def _write(self, batch: Sequence[Record | Got], reached: Mapping[int, int] | None) -> bool:
        """Returns: whether the batch is in the file now."""
        self._trouble = False
        try:
            lock = lock_file(self._lock_path)
            if lock is None:
                return False
            try:
                self._write_locked(batch, reached)
            finally:
                lock.close()
            self._bounds.fit_all(self._path.parent.parent)
        except LanchatError as error:
            self._fail(f"The history of this room is not stored. {error}")
            return False
        except (*FAILURES, OSError) as error:
            self._fail(f"The history of this room is not stored: {in_words(error)}.")
            return False
        self._suspect = False
        return True

    def _write_locked(self, batch: Sequence[Record | Got], reached: Mapping[int, int] | None) -> None:
        store, damage = open_store(self._path, durable=False, suspect=self._suspect)
        try:
            if self._bounds.make_room(store.pruning):
                if store.add(batch) < sum(isinstance(record, Event) for record in batch):
                    store.renumber(record for record in batch if isinstance(record, Said))
                self._bounds.added(batch)
                if reached is not None:  # not before: a crash between the two fetches once more what is stored
                    store.moving.set_state(write_positions(reached, store.moving.state()))
                while store.indexing.step():
                    pass
            else:
                _log.warning("%d records were not stored: there was no time to delete older ones", len(batch))
        finally:
            store.close()
        if damage:
            self._on_trouble(damage)

    def _wait(self, records: Iterable[Record | Got]) -> None:
        """Requires holding the lock."""
        self._waiting.extend(records)
        self._waiting_size += sum(map(waiting_size, records))
        while len(self._waiting) > MAX_WAITING or self._waiting_size > MAX_WAITING_SIZE:
            self._waiting_size -= waiting_size(self._waiting.popleft())

    def _fail(self, trouble: str) -> None:
        self._suspect = self._trouble = True
        _log.warning("%s", trouble)
        if not self._reported:
            self._reported = True
            self._on_trouble(trouble)
