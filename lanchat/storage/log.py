"""Where the events of a room are kept: what the hub and the doors ask of a log, and the log that keeps nothing.

The one on disk is in sqlite_log.py.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection
from itertools import islice
from typing import Protocol

from lanchat.protocol.messages import Event, Said, Told

AT_HAND = 10_000  # events that a log gives back when it opens, and that NoLog holds in memory


def ignore(text: str) -> None:
    """For whoever does not ask about trouble."""


class Log(Protocol):
    """Takes events from the hub and says when they are kept."""

    @property
    def seq(self) -> int:
        """Events are numbered from the one after this. Known after `open`.

        It is that of the last event, or a higher one: after a crash members may have seen events that were not
        kept yet, and a number stands for one event only, so those numbers are never given again.
        """

    @property
    def owners(self) -> tuple[tuple[str, str], ...]:
        """(nick, id of the first member who used it), oldest first. Known after `open`, and not kept up to date."""

    @property
    def private(self) -> tuple[Told, ...]:
        """The private messages of earlier evenings, in order. Known after `open`, and not kept up to date."""

    @property
    def full(self) -> bool:
        """The disk takes nothing and memory holds all it may: let nobody say anything more. Any thread."""

    def open(self, on_saved: Callable[[int], None], on_trouble: Callable[[str], None] = ignore) -> tuple[Event, ...]:
        """Start. Both functions are called from any thread.

        Args:
            on_saved: everything up to this seq is kept.
            on_trouble: why nothing is kept now; "" when that is over. What waits is kept then.

        Returns:
            The last events of an earlier evening, in order; at most AT_HAND.

        Raises:
            LanchatError: it cannot be used at all.
        """

    def append(self, events: list[Event]) -> None:
        """Keep these events. Hub thread only; never waits."""

    def post(self, private: list[Told], on_posted: Callable[[int], None]) -> None:
        """Keep these private messages, in place of what there is of them. Hub thread only; never waits.

        Args:
            on_posted: called from any thread: so many of those that were posted since `open` are kept.
        """

    def read(self, after: int, limit: int) -> list[Event]:
        """The first events after this seq, kept or still waiting. May wait for the disk: not for the hub thread.

        Raises:
            LanchatError: the disk does not give them.
        """

    def find(self, by: str, ids: Collection[str]) -> list[Said]:
        """Those of these messages of one member that are in the log, however long ago. As `read`."""

    def close(self) -> None:
        """Keep what is still to be kept, then stop. May be called twice."""


class NoLog:
    """Keeps nothing on disk: the room lives as long as its host (`--ephemeral`)."""

    seq = 0
    owners: tuple[tuple[str, str], ...] = ()
    private: tuple[Told, ...] = ()
    full = False
    _posted = 0

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=AT_HAND)
        self._lock = threading.Lock()  # guards _events

    def open(self, on_saved: Callable[[int], None], on_trouble: Callable[[str], None] = ignore) -> tuple[Event, ...]:
        self._on_saved = on_saved
        return ()

    def append(self, events: list[Event]) -> None:
        with self._lock:
            self._events.extend(events)
        self._on_saved(events[-1].seq)

    def post(self, private: list[Told], on_posted: Callable[[int], None]) -> None:
        self._posted += len(private)
        on_posted(self._posted)

    def read(self, after: int, limit: int) -> list[Event]:
        with self._lock:
            return list(islice((event for event in self._events if event.seq > after), limit))

    def find(self, by: str, ids: Collection[str]) -> list[Said]:
        return []  # what it still has, the room itself has at hand

    def close(self) -> None:
        pass
