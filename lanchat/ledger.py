"""What a member has of the room, and what the room has of the member. Pure.

Nothing twice: an event comes once, by its seq; and what was said again after its host had crashed, and so has
another number, is known by its sender and id. Nothing missing: what was said while we were away and is not in the
host's memory any more is fetched page by page, and what happens meanwhile waits.
"""

from lanchat.errors import ConnectionLost
from lanchat.protocol.messages import Event, Fetch, Page, Said, Say, Welcome

RECENT = 10_000  # messages known by sender and id, for those that come again
LATER_LIMIT = 10_000  # events that wait for a page; a host that owes us pages so long is given up


class Past:
    """The events we have. Owned by the reader thread."""

    def __init__(self) -> None:
        self.seq = -1  # of the last one
        self._hole = 0  # up to this seq we lack events
        self._later: list[Event] = []
        self._heard: dict[tuple[str, str], None] = {}  # sender and id of what we have, oldest first

    def resume(self, welcome: Welcome) -> Fetch | None:
        """We are back; what to ask for, if the past that comes along does not begin where ours ends."""
        self.seq = min(self.seq, welcome.seq)  # a host that lost its record counts anew from there
        self._hole, self._later = welcome.since, []
        return Fetch(max(0, self.seq)) if self._hole else None

    def page(self, page: Page) -> tuple[Fetch | None, list[Event]]:
        """A page is complete: what to ask for next, and the events that need not wait any more."""
        if page.upto < self._hole:
            return Fetch(page.upto), []
        later, self._hole, self._later = self._later, 0, []
        return None, [event for waiting in later for event in self.take(waiting)]

    def take(self, event: Event) -> list[Event]:
        """The events that are news now: this one, or none.

        Raises:
            ConnectionLost: the host keeps us waiting for the past.
        """
        if self._hole and event.seq > self._hole:
            if len(self._later) >= LATER_LIMIT:
                raise ConnectionLost("the host does not send what was said before")
            self._later.append(event)
            return []
        if event.seq <= self.seq:
            return []
        self.seq = event.seq
        return [event] if not isinstance(event, Said) or self._is_first(event) else []

    def _is_first(self, said: Said) -> bool:
        key = said.by, said.id
        if key in self._heard and not said.by.startswith("~"):
            return False
        self._heard[key] = None
        if len(self._heard) > RECENT:
            del self._heard[next(iter(self._heard))]
        return True


class Unkept:
    """What we said and no host has acknowledged yet, oldest first. Not thread safe: its owner has a lock for it."""

    def __init__(self) -> None:
        self._says: dict[str, tuple[Say, int]] = {}  # by id, with its seq once it has one

    def __len__(self) -> int:
        return len(self._says)

    @property
    def says(self) -> list[Say]:
        return [say for say, _ in self._says.values()]

    def add(self, say: Say) -> None:
        self._says[say.id] = say, 0

    def numbered(self, said: Said) -> None:
        """One of ours came back from the host."""
        if said.id in self._says:
            self._says[said.id] = self._says[said.id][0], said.seq

    def acknowledged(self, seq: int) -> tuple[str, ...]:
        """Everything up to this seq is kept: the ids of ours that this concerns."""
        kept = tuple(id for id, (_, said) in self._says.items() if 0 < said <= seq)
        for id in kept:
            del self._says[id]
        return kept
