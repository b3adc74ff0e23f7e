"""The interface of a room's log, for the hub and the doors; and the log that stores nothing.

The log on disk is in sqlite_log.py.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.file_messages import FileChange
from lanchat.protocol.limits import RECENT, RECENT_SIZE, memory_of
from lanchat.protocol.messages import Event, Private, Record, Said, Told
from lanchat.protocol.standby import Owned
from lanchat.protocol.timeline import Timeline

OnStored = Callable[[int, int], None]
OnTrouble = Callable[[str], None]


def ignore(text: str) -> None:
    """An `OnTrouble` that does nothing."""


@dataclass(frozen=True)
class Opened:
    """The content of a log when it is opened.

    Args:
        past: the last events, in order; at most RECENT, and RECENT_SIZE of their texts.
        seq: the next event gets a number above this one. It is the number of the last event, or, after a crash, before
            the first of a new term: members may have seen events that were not stored yet, and no number is ever given
            out twice.
        owners: (nick, id of the first member who used it), oldest first.
        private: the private messages, in order; one without a box is finished: delivered or dropped.
        timeline: the terms that the log continues, and the one that goes on or begins.
        keys: public keys of nick owners, by member id.
        files: the events about files, in order, and then the last state of each file for one person.
        private_number: the next private message gets a number above this one.
        state: rules and papers of a room that moves, by name: see moving.py.
        topic: the last one that was set, as long as the log keeps it.
    """

    past: tuple[Event, ...] = ()
    seq: int = 0
    owners: tuple[tuple[str, str], ...] = ()
    private: tuple[Told, ...] = ()
    timeline: Timeline = Timeline(0)
    keys: Mapping[str, bytes] = field(default_factory=dict)
    files: tuple[FileChange, ...] = ()
    private_number: int = 0
    state: Mapping[str, bytes] = field(default_factory=dict)
    topic: str = ""


class Log(Protocol):
    """Takes records from the hub and says when they are stored."""

    @property
    def full(self) -> bool:
        """Whether the disk takes nothing and the memory for waiting records is used up. Any thread."""

    @property
    def stores_at_once(self) -> bool:
        """Whether `append` stores the records before it returns, and `on_stored` is never called. Rooms with such a log
        have no standbys."""

    def open(self) -> Opened:
        """Open the log and read its content. No thread is started yet.

        Raises:
            LanchatError: the log cannot be used at all.
        """

    def start(self, on_stored: OnStored, on_trouble: OnTrouble = ignore) -> None:
        """Begin to store. Both functions are called from any thread.

        Args:
            on_stored: called with a ticket and a seq: every record up to that ticket is stored, and with it every
                event up to that seq.
            on_trouble: called with the reason when nothing can be stored, and with "" when that is over. Records wait
                until then.
        """

    def append(self, records: Sequence[Record]) -> int:
        """Take these records: events, and private messages, also to say that they are finished. Hub thread only; never
        waits.

        From now on `read` finds them. They are stored after `commit`, at the latest.

        Returns:
            The ticket of the last one: how many records have been appended since `open`.
        """

    def commit(self) -> None:
        """Begin to store what was appended. Hub thread only; never waits.

        It is apart from `append` so that the hub can deliver in between: a log thread that wakes up takes the
        interpreter's lock from the hub between two sends (measured: 0.7 ms later at the last of 100 members).
        """

    def set_state(self, values: Mapping[str, bytes]) -> None:
        """Store these values of `Opened.state`, together with the next records or soon. Any thread; never waits."""

    def private_after(self, number: int, limit: int) -> list[Told]:
        """The first private messages after this number. Waits and raises as `read`."""

    def owners_after(self, seq: int, limit: int) -> list[Owned]:
        """The first owners of nicks whose events come after this seq. Waits and raises as `read`."""

    def read(self, after: int, limit: int) -> list[Event]:
        """The first events after this seq, stored or still waiting. May wait for the disk: not for the hub thread.

        Raises:
            LanchatError: the disk cannot be read.
        """

    def between(self, after: int, before: int, limit: int, *, last: bool = False, said: bool = False) -> list[Event]:
        """The first or last events between these two seqs, in order; `said`: only messages. Waits and raises as
        `read`."""

    def seq_at(self, at: int) -> int:
        """The least seq from which on events are not before this time, in ms since 1970; MAX_NUMBER: there is none. The
        search halves the log, so a message that kept an earlier time may be missed. Waits and raises as `read`."""

    def find(self, by: str, ids: Collection[str]) -> list[Said]:
        """The messages of one member with these ids that are in the log, however old. Waits and raises as `read`."""

    def close(self) -> None:
        """Store the waiting records, then stop. May be called twice."""


class NoLog:
    """A log that stores nothing on disk: the room ends with its host (`--ephemeral`)."""

    full = False
    stores_at_once = True

    def __init__(self) -> None:
        self._events: deque[Event] = deque()  # bounded as the room's own are
        self._size = 0  # of their texts, in memory
        self._lock = threading.Lock()  # guards both
        self._ticket = 0

    def open(self) -> Opened:
        return Opened()

    def start(self, on_stored: OnStored, on_trouble: OnTrouble = ignore) -> None:
        pass

    def append(self, records: Sequence[Record]) -> int:
        events = [record for record in records if type(record) is Said or not isinstance(record, Private)]
        with self._lock:
            self._events.extend(events)
            self._size += sum(map(_size, events))
            while len(self._events) > RECENT or self._size > RECENT_SIZE:
                self._size -= _size(self._events.popleft())
        self._ticket += len(records)
        return self._ticket

    def commit(self) -> None:
        pass

    def read(self, after: int, limit: int) -> list[Event]:
        with self._lock:
            return list(islice((event for event in self._events if event.seq > after), limit))

    def between(self, after: int, before: int, limit: int, *, last: bool = False, said: bool = False) -> list[Event]:
        with self._lock:
            return part_of(self._events, after, before, limit, last=last, said=said)

    def seq_at(self, at: int) -> int:
        with self._lock:
            return next((event.seq for event in self._events if event.at >= at), MAX_NUMBER)

    def set_state(self, values: Mapping[str, bytes]) -> None:
        pass

    def private_after(self, number: int, limit: int) -> list[Told]:
        return []  # a room that stores nothing has no standbys

    def owners_after(self, seq: int, limit: int) -> list[Owned]:
        return []

    def find(self, by: str, ids: Collection[str]) -> list[Said]:
        return []  # the room itself has the same messages in memory

    def close(self) -> None:
        pass


def part_of(events: Iterable[Event], after: int, before: int, limit: int, *, last: bool, said: bool) -> list[Event]:
    """Of these events, which are in order, those for which `Log.between` asks."""
    found = [e for e in events if after < e.seq < before and (not said or isinstance(e, Said))]
    return found[max(0, len(found) - limit) :] if last else found[:limit]


def _size(event: Event) -> int:
    return memory_of(event.text) if isinstance(event, Said) else 0
