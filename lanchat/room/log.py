"""Where the events of a room are kept."""

from collections.abc import Callable
from typing import Protocol

from lanchat.protocol.messages import Event


class Log(Protocol):
    """Takes events from the hub and says when they are kept."""

    def open(self, on_saved: Callable[[int], None]) -> tuple[Event, ...]:
        """Start. `on_saved(seq)` is called, from any thread, when everything up to this seq is kept.

        Returns:
            The last events of an earlier evening, in order.
        """

    def append(self, events: list[Event]) -> None:
        """Keep these events. Hub thread only; never waits."""

    def close(self) -> None:
        """Keep what is still to be kept, then stop."""


class NoLog:
    """Keeps nothing: the room lives as long as its host (`--ephemeral`)."""

    def open(self, on_saved: Callable[[int], None]) -> tuple[Event, ...]:
        self._on_saved = on_saved
        return ()

    def append(self, events: list[Event]) -> None:
        self._on_saved(events[-1].seq)

    def close(self) -> None:
        pass
