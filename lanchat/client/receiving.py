"""The receiving half of a member: what it has of the room, without a gap and without a duplicate. Pure.

An event comes once, by its seq. What was said again after its host had crashed has another seq, and is recognised by
its sender and id. What was said while we were away and is not in the host's memory any more is fetched page by page,
and what happens meanwhile waits.
"""

from collections import deque

from lanchat.errors import ConnectionLost
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Fetch, Page, Said, Told, Welcome

DEDUP_WINDOW = 10_000  # messages remembered by sender and id, for those that come again
LATER_LIMIT = 10_000  # events that wait for a page; a host that owes us pages so long is given up


class Incoming:
    """The events of the room that we have. Owned by the reader thread, but for private messages: see there."""

    def __init__(self) -> None:
        self.seq = -1  # of the last event
        self.private = PrivateDedup()
        self._gap_until = 0  # up to this seq we lack events
        self._later: list[Event] = []
        self._heard: set[tuple[str, str]] = set()  # sender and id of what we have ...
        self._order: deque[tuple[str, str]] = deque()  # ... oldest first

    def resume(self, welcome: Welcome, *, deaf: bool = False) -> Fetch | None:
        """We are connected again.

        Args:
            deaf: what others said in the meantime is not wanted.

        Returns:
            What to ask for, if the past that comes along does not begin where ours ends.
        """
        self.seq = min(self.seq, welcome.seq)  # a host that lost its log counts from there
        if deaf:
            return None
        self._gap_until, self._later = welcome.since, []
        return Fetch(max(0, self.seq)) if self._gap_until else None

    def page(self, page: Page) -> tuple[Fetch | None, list[Event]]:
        """A page is complete: what to ask for next, and the events that need not wait any more."""
        if page.upto < self._gap_until:
            return Fetch(page.upto), []
        later, self._gap_until, self._later = self._later, 0, []
        return None, [event for waiting in later for event in self.take(waiting)]

    def take(self, event: Event) -> list[Event]:
        """The events to hand on now that this one has come: this one, or none.

        Raises:
            ConnectionLost: the host keeps us waiting for the past.
        """
        if self._gap_until and event.seq > self._gap_until:
            if len(self._later) >= LATER_LIMIT:
                raise ConnectionLost("The host does not send what was said before.")
            self._later.append(event)
            return []
        if event.seq <= self.seq:
            return []
        self.seq = event.seq
        return [event] if not isinstance(event, Said) or self._is_first(event) else []

    def _is_first(self, said: Said) -> bool:
        if not is_verified(said.by):
            return True  # guests have no message ids of their own
        key = said.by, said.id
        if key in self._heard:
            return False
        self._heard.add(key)
        self._order.append(key)
        if len(self._order) > DEDUP_WINDOW:
            self._heard.discard(self._order.popleft())
        return True


class PrivateDedup:
    """Private messages that came, by sender and id. Not thread safe: its owner has a lock for it."""

    def __init__(self) -> None:
        self._confirmed: dict[tuple[str, str], bool] = {}  # whether it has been shown; oldest first

    def is_new(self, told: Told) -> bool:
        """Whether it comes for the first time."""
        if (told.by, told.id) in self._confirmed:
            return False
        self._confirmed[told.by, told.id] = False
        if len(self._confirmed) > DEDUP_WINDOW:
            del self._confirmed[next(iter(self._confirmed))]
        return True

    def confirm(self, told: Told) -> None:
        """It has been shown."""
        self._confirmed[told.by, told.id] = True

    def is_confirmed(self, told: Told) -> bool:
        return self._confirmed.get((told.by, told.id), False)
