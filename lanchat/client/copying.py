"""Fills a standby's copy of a room with events: first pages of the past, then the live events. Pure.

Live events come on the same link all the time. Those that come before the past is complete wait, so that the copy never
has a hole: everything before its last number is there. A single old event may also come live, because its author has
resent it. So the events of a page are stored only when the end of the page says how far it reaches.
"""

from lanchat.client.events import weight
from lanchat.protocol.messages import Event, Fetch, Page

WAITING_LIMIT = 10_000  # weight of live events that wait for the past; more are dropped and come as pages instead


class Copying:
    """The events of one link, in the order in which the copy stores them.

    Args:
        seq: of the last event in the copy; 0 for an empty one.
        live: of the last event that came before: the events after it are live.
    """

    def __init__(self, seq: int, live: int) -> None:
        self.seq = seq
        self._live = live
        self._filling = seq < live
        self._page: dict[int, Event] = {}  # by seq: of the page that is on its way
        self._waiting: dict[int, Event] = {}  # by seq
        self._load = 0  # their weight

    @property
    def complete(self) -> bool:
        """Whether everything that has come is in the copy."""
        return not self._filling

    def begin(self) -> Fetch | None:
        """The first request to the host."""
        return Fetch(self.seq) if self._filling else None

    def take(self, event: Event) -> list[Event]:
        """Handle an event of the link.

        Returns:
            What the copy stores now.
        """
        if event.seq <= self.seq:
            return []
        if not self._filling:
            self.seq = event.seq
            return [event]
        if event.seq <= self._live:
            if len(self._page) < WAITING_LIMIT:  # no host that keeps to the rules sends more
                self._page[event.seq] = event
        else:
            self._wait(event)
        return []

    def page(self, page: Page) -> tuple[Fetch | None, list[Event]]:
        """Handle the end of a page.

        Returns:
            The next request, and what the copy stores now.
        """
        if not self._filling:
            return None, []
        past = [event for seq, event in sorted(self._page.items()) if seq <= page.upto]
        self._page = {}
        if page.upto < self._live:
            self.seq = max(self.seq, page.upto)
            return Fetch(self.seq), past
        self._filling = False
        self.seq = past[-1].seq if past else self.seq
        waiting, self._waiting, self._load = sorted(self._waiting.items()), {}, 0
        return None, past + [event for _, one in waiting for event in self.take(one)]

    def _wait(self, event: Event) -> None:
        if event.seq not in self._waiting:
            self._waiting[event.seq] = event
            self._load += weight(event)
        if self._load > WAITING_LIMIT:
            self._live = max(self._waiting)
            self._waiting, self._load = {}, 0
