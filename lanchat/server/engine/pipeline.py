"""The two threads between a hub and its engine: one appends proposals, the other one reads the log.

hub -- propose --> engine-out: append, at most one call under way --> Answered --> hub
                   engine-in:  read, waiting for what is new ------> Fed -------> hub
"""

import threading
import time
from collections.abc import Mapping, Sequence

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.timing import Timing
from lanchat.server.engine.entries import records_of, surplus
from lanchat.server.engine.facts import HostFacts, stored_by_all, write_facts
from lanchat.server.engine.items import Answered, Ended, EnteredAgain, Fed, Outdated, Paused, TooEarly
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.shared_log import (
    BEGIN,
    CALL,
    Beat,
    Behind,
    EngineAway,
    Fenced,
    LeaseOver,
    Position,
    Proposal,
    Rules,
    Stale,
)
from lanchat.server.items import Item
from lanchat.threads import Closable, Inbox, join_started

_READ = 200  # entries of the stream at once; each holds 16 KiB of events, or a little more
_FED = 1000  # records that the hub gets at once
_DROPPED = 20  # entries of the stream that are looked at when some are to be dropped
_MISSED = 2  # failed attempts before anybody is told: a server that is restarted is back by then


class Pipeline(Closable):
    """Owned by the hub, but for what its threads do.

    Args:
        own: the room's own log, opened.
        after: the position of the last entry that the hub has.
        keep: entries that stay at the engine.
    """

    def __init__(self, own: EngineLog, after: Position, timing: Timing, *, keep: int = 100_000) -> None:
        self._own, self._log, self._timing, self._keep = own, own.shared, timing, keep
        self._read_upto = after
        self.hosts: Mapping[int, str] = {}  # the member id of each living host, by its lease; replaced as a whole
        self._next: Sequence[Proposal] = ()  # the call that is to be made, or under way ...
        self._known = after  # ... none of which was an entry up to this position ...
        self._rules: Rules = "any"  # ... and by which rules it was decided
        self._stands = False  # no call is made before the hub knows of its new lease
        self._closing = False
        self._lock = threading.Condition()  # guards these five
        self._threads = [
            threading.Thread(target=self._call, name="engine-out"),
            threading.Thread(target=self._read, name="engine-in"),
        ]

    def start(self, inbox: Inbox[Item]) -> None:
        """Begin to call and to read. What comes back goes into this inbox."""
        self._inbox = inbox
        for thread in self._threads:
            thread.start()

    def propose(self, proposals: Sequence[Proposal], known: Position, rules: Rules = "any") -> None:
        """Begin a call. The last one must be over. Hub thread only; never waits.

        Args:
            known, rules: as for `SharedLog.append`.
        """
        if proposals:
            with self._lock:
                self._next, self._known, self._rules = proposals, known, rules
                self._lock.notify_all()

    def go_on(self) -> None:
        """The hub knows of its new lease. Proposals of the old one are not appended any more."""
        with self._lock:
            self._next, self._stands = (), False

    def close(self) -> None:
        with self._lock:
            self._closing = True
            self._lock.notify_all()
        for thread in self._threads:
            join_started(thread)
        self._log.close()

    def _call(self) -> None:
        missed, is_over = 0, False
        own = BEGIN  # up to here the host knows every entry because it has appended the last ones itself
        beat_at = time.monotonic() + self._timing.beat  # `enter` was the first one
        while True:
            with self._lock:
                rest = max(0.0, beat_at - time.monotonic())
                self._lock.wait_for(lambda: (self._next and not self._stands) or self._closing, rest)
                proposals, known, rules = () if self._stands else self._next, self._known, self._rules
                if self._closing:
                    return
            try:
                if is_over:
                    self._enter_again()
                    is_over, own = False, BEGIN
                    continue
                if missed >= _MISSED or time.monotonic() >= beat_at:
                    self._beat()
                    beat_at = time.monotonic() + self._timing.beat
                if missed >= _MISSED:  # the hub learns it before what has waited is appended
                    self._inbox.put_now(Paused(""))
                    missed = 0
                if proposals:
                    own = self._log.append(proposals, self._read_upto.seq, max(known, own), rules)
                    over: Item = Answered()
            except Stale:
                over = Outdated()
            except Behind:
                over = TooEarly()
            except LeaseOver:
                is_over = True
                continue
            except EngineAway as error:
                missed += 1
                if missed == _MISSED:
                    self._inbox.put_now(Paused(str(error)))
                self._pause()
                continue
            except LanchatError as error:
                self._inbox.put_now(Ended(error))
                return
            missed = 0
            if proposals:
                with self._lock:
                    self._next = ()
                self._inbox.put_now(over)

    def _enter_again(self) -> None:
        """Enter the room again, and read on from the last entry that was read."""
        with self._lock:
            self._stands = True
        read = self._read_upto.seq
        entered = self._log.enter(read, known=True, facts=self._facts)
        if read < entered.base:
            what = f"{self._log.name} has dropped messages of this room that this computer has not heard."
            raise Fenced(what, "Start lanchat here again.")
        self._inbox.put_now(EnteredAgain(entered))

    def _beat(self) -> None:
        """Renew the lease, and drop entries at the engine if they are too many or in the files of all hosts."""
        beat = self._renew()
        while beat.entries > self._keep and not self._closing:
            stored = min(self._own.stored, stored_by_all(beat.living))
            oldest = self._log.page(beat.base, _DROPPED)[: min(CALL, beat.entries - self._keep)]
            dropped = surplus(oldest, stored)
            if dropped is None:
                return
            self._log.trim(dropped.upto, dropped.finished)
            beat = self._renew()

    def _renew(self) -> Beat:
        beat = self._log.beat(self._read_upto.seq, self._facts)
        self.hosts = {one.lease: one.host for one in beat.living}
        return beat

    @property
    def _facts(self) -> bytes:
        return write_facts(HostFacts(self._own.stored))

    def _read(self) -> None:
        after = self._read_upto
        while not self._closing:
            try:
                records = records_of(self._log.read(after, _READ, self._timing.engine_read), after)
            except EngineAway:
                self._pause()
                continue
            except ProtocolError as error:
                words = f"{self._log.name} gives out what cannot be an entry of this room. {error}"
                self._inbox.put_now(Ended(LanchatError(words)))
                return
            except LanchatError as error:
                self._inbox.put_now(Ended(error))
                return
            if records:
                self._read_upto = after = records[-1][0]
                for at in range(0, len(records), _FED):
                    self._inbox.put(Fed(records[at : at + _FED]))

    def _pause(self) -> None:
        with self._lock:
            self._lock.wait_for(lambda: self._closing, self._timing.engine_retry)
