"""The recent events of a room, for returning members, for newcomers, and to deduplicate resends. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping

from lanchat.protocol.limits import RECENT, RECENT_SIZE, memory_of, memory_of_all
from lanchat.protocol.messages import Event, Said

RESUME = 500  # events that a returning member gets at once; older ones are fetched page by page
RESUME_SIZE = 64 * 1024  # characters of those events; a quarter of what a link's outbox holds in an attack
HISTORY = 50  # messages that a newcomer sees
RECALLED = 256  # older messages, read from the log to recognise resends: as many as four members resend at once


class RecentEvents:
    """The last events of a room. Owned by the room."""

    def __init__(self) -> None:
        self.said: dict[tuple[str, str], Said] = {}  # by member id and message id, so that resends are recognised
        self._events: deque[Event] = deque()
        self._size = 0  # bytes of their texts in memory
        self._lines: deque[Said] = deque(maxlen=HISTORY)
        self._recalled: deque[tuple[str, str]] = deque()

    def add(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, Said):
            self._size += memory_of(event.text)
            self._lines.append(event)
            self.said[event.by, event.id] = event
        self._forget()

    def extend(self, said: Mapping[tuple[str, str], Said]) -> list[Said]:
        """Add messages by member id and message id, in order: as `add` does with each, in a part of the time.

        Returns:
            These messages.
        """
        self.said |= said
        events = list(said.values())
        self._events.extend(events)
        self._lines.extend(events)
        self._size += memory_of_all([event.text for event in events])
        self._forget()
        return events

    def recall(self, said: Iterable[Said]) -> None:
        """Add messages that are too old to be in memory, so that resends of them are recognised now."""
        new = [event for event in said if (event.by, event.id) not in self.said]
        self._recalled.extend((event.by, event.id) for event in new)
        self.said.update(((event.by, event.id), event) for event in new)
        while len(self._recalled) > max(RECALLED, len(new)):
            self.said.pop(self._recalled.popleft(), None)

    def since(self, after: int) -> tuple[tuple[Event, ...], int]:
        """The part of the past that is sent to a session when it joins.

        Args:
            after: the last seq that its member has; -1 for a newcomer, who gets the last messages.

        Returns:
            The events, and the seq after which they begin; 0: no event before them is missing.
        """
        past = self._last(after)
        if after < 0 or not past:
            return past, 0
        earlier = len(self._events) - len(past) - 1  # the index of the last event that is not in it
        complete = self._events[earlier].seq <= after if earlier >= 0 else past[0].seq <= after + 1
        return past, 0 if complete else past[0].seq - 1

    def _last(self, after: int) -> tuple[Event, ...]:
        found: list[Event] = []
        size = 0
        for event in reversed(self._lines if after < 0 else self._events):
            size += len(event.text) if isinstance(event, Said) else 0
            if event.seq <= after or len(found) == RESUME or size > RESUME_SIZE:
                break
            found.append(event)
        return tuple(reversed(found))

    def _forget(self) -> None:
        """Drop the oldest events until the limits are kept."""
        events, said = self._events, self.said
        while (surplus := len(events) - RECENT) > 0 or self._size > RECENT_SIZE:
            oldest = [events.popleft() for _ in range(max(surplus, 1))]
            lines = [event for event in oldest if isinstance(event, Said)]
            self._size -= memory_of_all([event.text for event in lines])
            for event in lines:
                said.pop((event.by, event.id), None)
