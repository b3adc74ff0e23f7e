"""The host's log on its disk. One thread, "log", has the one connection that writes; the hub only queues records.

All waiting records are stored in one transaction (group commit), because each commit waits for the disk, whatever its
size. While the disk takes nothing, the room goes on, records wait in memory, and nothing is acknowledged.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.limits import MAILBOX_AGE, MAILBOX_KNOWN, RECENT, RECENT_SIZE
from lanchat.protocol.messages import Event, Private, Record, Said, Told
from lanchat.protocol.standby import Owned
from lanchat.protocol.timeline import epoch_of, make_seq
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.storage.log import OnStored, OnTrouble, Opened, ignore, part_of
from lanchat.storage.paged_reader import PagedReader
from lanchat.storage.problems import FAILURES, Failure, in_words, passes
from lanchat.storage.repair import is_small, open_store
from lanchat.storage.retention import EVERYTHING, Retention
from lanchat.storage.store import Store
from lanchat.storage.terms import begin_term
from lanchat.storage.upkeep import Upkeep
from lanchat.storage.waiting import Transaction, Waiting
from lanchat.threads import join_started, now_ms

CLOSE_LIMIT = 3.0  # s that a closing room waits for a disk that takes nothing

_log = logging.getLogger(__name__)


class SqliteLog:
    """A `Log` in a file. Its owner holds the lock of the room's folder.

    Args:
        term: the least number of the term that begins. By default the log's own last term goes on, unless it has
            ended with a crash; then the next one begins, since members may have seen events that were not stored yet.
        index: of the host, see protocol/delegation.py.
        new_term: begin a term in any case, because the room has standbys, which may have begun one.
        keep: older or surplus entries are pruned periodically.
        checked: this program has checked the file, and alone has written to it since: a small one is not checked again.
        on_damage: called with a sentence when the file was damaged or replaced.
        wall: returns ms since 1970. It is called once, so that a clock that jumps later makes no entry old.
    """

    stores_at_once = False

    _engine = False  # whether the numbers come from an engine, see server/engine/log.py

    def __init__(
        self,
        path: Path,
        *,
        term: int = 0,
        index: int = OWNER_INDEX,
        new_term: bool = False,
        keep: Retention = EVERYTHING,
        checked: bool = False,
        on_damage: Callable[[str], None] = ignore,
        wall: Callable[[], int] = now_ms,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self._retry = timing.log_retry
        self._path = path
        self._reader = PagedReader(path)
        self._term = term
        self._host_index = index
        self._new_term = new_term
        self._keep, self._checked = keep, checked
        self._on_damage = on_damage
        self._wall = wall
        self._waiting = Waiting()
        self._thread: threading.Thread | None = None
        self._store: Store | None = None  # of the log thread, from `open` on
        self._trouble = ""
        self._seq = 0  # `Opened.seq`
        self._ticket = 0  # records appended
        self._stored = 0  # records stored

    @property
    def full(self) -> bool:
        return self._waiting.full

    def open(self) -> Opened:
        now = self._wall()
        self._upkeep = Upkeep(self._keep, now)
        try:
            suspect = not self._checked and is_small(self._path)
            self._store, damage = open_store(self._path, durable=True, suspect=suspect)
            state = self._store.state()
            whole = state.clean and not damage
            goes_on = self._store.moving.goes_on(self._engine, whole=whole) and not self._new_term
            self._seq = begin_term(self._path, state.given, self._term, self._host_index, goes_on=goes_on)
            timeline = self._store.begin(self._seq)
            past = self._store.last(RECENT, RECENT_SIZE)
            self._store.pruning.drop_delivered(MAILBOX_KNOWN, before=now - MAILBOX_AGE)
            private = self._store.private()
            files = self._store.files()
            self._upkeep.begin(self._store, state)
            numbered, values = self._store.moving.private_number(), self._store.moving.state()
        except (*FAILURES, OSError, LanchatError) as error:
            if self._store is not None:
                self._store.close()
                self._store = None
            if isinstance(error, LanchatError):
                raise
            raise LanchatError(
                f"Cannot use {self._path}: {in_words(error)}.",
                "Fix that, or host a room that stores nothing: --ephemeral",
            ) from None
        if damage:
            self._on_damage(damage)
        self._stored_seq = state.seq
        number = max(numbered, make_seq(epoch_of(self._seq), 0))  # two hosts give no two messages one number
        return Opened(past, self._seq, state.owners, private, timeline, state.keys, files, number, values, state.topic)

    def start(self, on_stored: OnStored, on_trouble: OnTrouble = ignore) -> None:
        self._on_stored, self._on_trouble = on_stored, on_trouble
        self._thread = threading.Thread(target=self._run, name="log")
        try:
            self._thread.start()
        except RuntimeError:  # no thread is left, so `close` has to close the file
            self._thread = None
            raise

    def append(self, records: Sequence[Record]) -> int:
        self._waiting.add(records)
        self._ticket += len(records)
        return self._ticket

    def commit(self) -> None:
        self._waiting.wake()

    def set_state(self, values: Mapping[str, bytes]) -> None:
        self._waiting.set_values(values)

    def private_after(self, number: int, limit: int) -> list[Told]:
        waiting = [told for told in self._waiting.records if isinstance(told, Told) and told.number > number]
        stored = self._reader.private_after(number, limit)  # second, as in `read`
        last = stored[-1].number if stored else number
        return [*stored, *(told for told in waiting if told.number > last)][:limit]

    def owners_after(self, seq: int, limit: int) -> list[Owned]:
        return self._reader.owners_after(seq, limit)  # of those that wait the standby gets the events themselves

    def read(self, after: int, limit: int) -> list[Event]:
        waiting = [event for event in self._waiting_events if event.seq > after]
        # The file comes second: an event that waits may be stored at any moment, and must not be missed.
        stored = self._reader.events_after(after, limit)
        last = stored[-1].seq if stored else after
        return [*stored, *(event for event in waiting if event.seq > last)][:limit]

    def between(self, after: int, before: int, limit: int, *, last: bool = False, said: bool = False) -> list[Event]:
        waiting = self._waiting_events
        stored = self._reader.events_between(after, before, limit, last=last, said=said)  # second, as in `read`
        known = stored[-1].seq if stored else after
        return part_of(
            [*stored, *(event for event in waiting if event.seq > known)], after, before, limit, last=last, said=said
        )

    def seq_at(self, at: int) -> int:
        waiting = self._waiting_events
        later = next((event.seq for event in waiting if event.at >= at), MAX_NUMBER)
        return min(self._reader.seq_at(at), later)

    def find(self, by: str, ids: Collection[str]) -> list[Said]:
        waiting = {e.id: e for e in self._waiting.records if isinstance(e, Said) and e.by == by and e.id in ids}
        return list((waiting | {said.id: said for said in self._reader.find(by, ids)}).values())

    def close(self) -> None:
        self._waiting.close()
        if self._thread is not None:
            join_started(self._thread)
        elif self._store is not None:  # the log was opened and never started
            self._store.close()

    def _run(self) -> None:
        over_at = 0.0
        while True:
            transaction = self._waiting.take(self._upkeep.pause)
            closing = transaction.closing
            if not transaction.portions and not transaction.values:
                self._upkeep.tidy(self._store, closing=closing)
                if closing:
                    break
            elif self._write(transaction):
                if self._upkeep.is_behind and self._store is not None:
                    self._upkeep.index(self._store)
            else:
                if closing:
                    over_at = over_at or time.monotonic() + CLOSE_LIMIT
                    if time.monotonic() > over_at:
                        break
                self._waiting.pause(self._retry, closing=closing)
        self._end()

    @property
    def _waiting_events(self) -> list[Event]:
        return [record for record in self._waiting.records if not isinstance(record, Private)]

    def _write(self, transaction: Transaction) -> bool:
        """Store these records and values. Returns whether they are on the disk now."""
        records = transaction.records
        try:
            if self._store is None:
                self._store = self._open_again()
            if transaction.values:
                self._store.moving.set_state(transaction.values)
            events = [record for record in records if isinstance(record, Said) or not isinstance(record, Private)]
            added = self._store.add(records) if records else 0
            if added < len(events):
                added += self._store.add_reused(event for event in events if isinstance(event, Said))
        except (*FAILURES, OSError, LanchatError) as error:
            self._fail(error)
            return False
        self._stored += len(records)
        self._stored_seq = events[-1].seq if events else self._stored_seq
        self._upkeep.added(added)
        self._waiting.stored(transaction)
        self._on_stored(self._stored, self._stored_seq)
        if self._trouble:
            _log.warning("events are stored again")
            self._trouble = ""
            self._on_trouble("")
        return True

    def _open_again(self) -> Store:
        """Open the file after an error that may have damaged it, and say what is lost."""
        store, damage = open_store(self._path, durable=True, suspect=True)
        self._store = store  # so that it is closed if the rest fails
        store.begin(self._seq)
        state = store.state()
        self._upkeep.begin(store, state)
        if not damage and state.seq < self._stored_seq:
            damage = "The log's file was replaced. Everything that was stored in it up to now is gone."
        if damage:
            self._on_damage(damage)
        return store

    def _fail(self, error: Failure | OSError | LanchatError) -> None:
        if self._store is not None and (isinstance(error, FAILURES) and not passes(error)):
            self._store.close()  # the file may be damaged or replaced, so it is opened and checked again
            self._store = None
        trouble = str(error) if isinstance(error, LanchatError) else in_words(error)
        if trouble != self._trouble:
            _log.warning("events are not stored: %s", trouble)
            self._trouble = trouble
            self._on_trouble(trouble)

    def _end(self) -> None:
        waiting = self._waiting.records
        if waiting:
            _log.error("%d events could not be stored: %s", len(waiting), self._trouble)
        if self._store is None:
            return
        try:
            if not waiting:
                self._store.end()
        except FAILURES as error:
            _log.warning("cannot close the log cleanly: %s", in_words(error))
        self._store.close()
