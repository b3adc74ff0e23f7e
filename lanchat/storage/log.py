"""The log of a room: what the hub and the doors ask of one, and the log that stores nothing.

The log on disk is in sqlite_log.py.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from lanchat.protocol.messages import Event, Record, Said, Told

IN_MEMORY = 10_000  # events that a log gives back when it opens, and that NoLog holds

OnStored = Callable[[int, int], None]
OnTrouble = Callable[[str], None]


def ignore(text: str) -> None:
    """For whoever does not ask about trouble."""


@dataclass(frozen=True)
class Opened:
    """What a log held when it was opened.

    Args:
        past: the last events, in order; at most IN_MEMORY.
        seq: the next event gets a number above this one. It is that of the last event, or a higher one: after a
            crash members may have seen events that were not stored yet. A number stands for one event only, so those
            numbers are never given out again.
        owners: (nick, id of the first member who used it), oldest first.
        private: the private messages, in order; without a text: delivered, or dropped.
    """

    past: tuple[Event, ...] = ()
    seq: int = 0
    owners: tuple[tuple[str, str], ...] = ()
    private: tuple[Told, ...] = ()


class Log(Protocol):
    """Takes records from the hub and says when they are stored."""

    @property
    def full(self) -> bool:
        """Whether the disk takes nothing and memory holds all it may, so that nobody may say more. Any thread."""

    def open(self) -> Opened:
        """Read what is there. No thread is started yet.

        Raises:
            LanchatError: it cannot be used at all.
        """

    def start(self, on_stored: OnStored, on_trouble: OnTrouble = ignore) -> None:
        """Begin to store. Both functions are called from any thread.

        Args:
            on_stored: called with a ticket and a seq: every record up to that ticket is stored, and with it every
                event up to that seq.
            on_trouble: called with why nothing is stored now; "" when that is over. Records wait until then.
        """

    def append(self, records: Sequence[Record]) -> int:
        """Store these: events, and private messages in place of what was stored of them. Hub thread only; never waits.

        Returns:
            The ticket of the last one: how many records have been appended since `open`.
        """

    def read(self, after: int, limit: int) -> list[Event]:
        """The first events after this seq, stored or still waiting. May wait for the disk: not for the hub thread.

        Raises:
            LanchatError: the disk does not give them.
        """

    def find(self, by: str, ids: Collection[str]) -> list[Said]:
        """Those of these messages of one member that are in the log, however old. As `read`."""

    def close(self) -> None:
        """Store what still waits, then stop. May be called twice."""


class NoLog:
    """Stores nothing on disk: the room lives as long as its host (`--ephemeral`)."""

    full = False

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=IN_MEMORY)
        self._lock = threading.Lock()  # guards _events
        self._ticket = 0
        self._seq = 0

    def open(self) -> Opened:
        return Opened()

    def start(self, on_stored: OnStored, on_trouble: OnTrouble = ignore) -> None:
        self._on_stored = on_stored

    def append(self, records: Sequence[Record]) -> int:
        events = [record for record in records if not isinstance(record, Told)]
        with self._lock:
            self._events.extend(events)
        self._ticket += len(records)
        self._seq = events[-1].seq if events else self._seq
        self._on_stored(self._ticket, self._seq)
        return self._ticket

    def read(self, after: int, limit: int) -> list[Event]:
        with self._lock:
            return list(islice((event for event in self._events if event.seq > after), limit))

    def find(self, by: str, ids: Collection[str]) -> list[Said]:
        return []  # what it still has, the room itself has in memory

    def close(self) -> None:
        pass
