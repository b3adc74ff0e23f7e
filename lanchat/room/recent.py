"""What a room remembers of its past: events for returning members, lines for newcomers, ids for resends. Pure."""

from collections import deque
from collections.abc import Iterable

from lanchat.protocol.messages import Event, Said

RESUME = 500  # events that a returning member gets at once; older ones it fetches page by page
RESUME_SIZE = 64 * 1024  # characters of them; a quarter of a link's outbox, into which more is to come
HISTORY = 50  # lines that a newcomer sees
RECENT = 10_000  # events held in memory, and message ids by which resends are recognised


class RecentEvents:
    """The last events of a room. Owned by the room."""

    def __init__(self) -> None:
        self.said: dict[tuple[str, str], Said] = {}  # by member id and message id
        self._said_keys: deque[tuple[str, str]] = deque()  # the same, oldest first; a dict walks over all it has lost
        self._events: deque[Event] = deque(maxlen=RECENT)
        self._lines: deque[Said] = deque(maxlen=HISTORY)

    def add(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, Said):
            self._lines.append(event)
            self._remember(event)

    def recall(self, said: Iterable[Said]) -> None:
        """Take in messages that were said too long ago to be here, so that resends of them are recognised."""
        for event in said:
            if (event.by, event.id) not in self.said:
                self._remember(event)

    def since(self, after: int) -> tuple[tuple[Event, ...], int]:
        """What a session is sent of the past.

        Args:
            after: the last seq that its member has; -1 for a newcomer, who gets the last lines.

        Returns:
            The events, and the seq that they begin after; 0 where nothing is missing before them.
        """
        past = self._last(after)
        if after < 0 or not past:
            return past, 0
        earlier = len(self._events) - len(past) - 1  # the last event that is not in it
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

    def _remember(self, said: Said) -> None:
        key = said.by, said.id
        self.said[key] = said
        self._said_keys.append(key)
        if len(self._said_keys) > RECENT:
            self.said.pop(self._said_keys.popleft(), None)
