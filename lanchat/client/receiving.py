"""What a member has of the room, and what the room has of the member. Pure.

Nothing twice: an event comes once, by its seq; and what was said again after its host had crashed, and so has
another number, is known by its sender and id. Nothing missing: what was said while we were away and is not in the
host's memory any more is fetched page by page, and what happens meanwhile waits.
"""

from collections import deque

from lanchat.errors import ConnectionLost
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Fetch, Page, Receipt, Said, Say, Talk, Tell, Told, Welcome

RECENT = 10_000  # messages known by sender and id, for those that come again
REFUSED = 100  # private messages whose refusal is remembered for who asks
WINDOW = 64  # messages of ours on their way at once; whoever has more waits, and the host is not flooded
LATER_LIMIT = 10_000  # events that wait for a page; a host that owes us pages so long is given up


class Past:
    """The events we have. Owned by the reader thread."""

    def __init__(self) -> None:
        self.seq = -1  # of the last one
        self._hole = 0  # up to this seq we lack events
        self._later: list[Event] = []
        self._heard: set[tuple[str, str]] = set()  # sender and id of what we have ...
        self._order: deque[tuple[str, str]] = deque()  # ... oldest first

    def resume(self, welcome: Welcome, *, deaf: bool = False) -> Fetch | None:
        """We are back; what to ask for, if the past that comes along does not begin where ours ends.

        Args:
            deaf: what others said in the meantime is not wanted.
        """
        self.seq = min(self.seq, welcome.seq)  # a host that lost its record counts anew from there
        if deaf:
            return None
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
        if not is_verified(said.by):
            return True  # whoever came by the plain door has no ids of their own
        key = said.by, said.id
        if key in self._heard:
            return False
        self._heard.add(key)
        self._order.append(key)
        if len(self._order) > RECENT:
            self._heard.discard(self._order.popleft())
        return True


class Unacked:
    """What we said and no host has acknowledged yet, oldest first. Not thread safe: its owner has a lock for it."""

    def __init__(self) -> None:
        self._says: dict[str, tuple[Talk, int]] = {}  # by id, with its seq once it has one
        self.refused: dict[str, str] = {}  # why, by id: the last ones that the host will not have

    def __len__(self) -> int:
        return len(self._says)

    @property
    def talk(self) -> list[Talk]:
        return [say for say, _ in self._says.values()]

    def again(self) -> list[Talk]:
        """We are at a host anew: all there is to say, again.

        What had a number has none now: a host that crashed goes on far above, and what it acknowledges up there says
        nothing about what it had numbered before.
        """
        self._says = {id: (say, 0) for id, (say, _) in self._says.items()}
        return [Say(say.id, say.text, say.action, again=True) if isinstance(say, Say) else say for say in self.talk]

    def unheard(self, number: int) -> tuple[list[Talk], int]:
        """The newest of those that no host has repeated yet, oldest first, and how many there are in all."""
        unheard = [say for say, seq in self._says.values() if not seq]
        return unheard[-number:], len(unheard)

    def add(self, say: Talk) -> None:
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

    def addressed(self, told: Told) -> Tell | None:
        """A private one of ours came back: whom the host took the nick for, it must mean on a resend too.

        Returns:
            What to say from now on, where that is another message.
        """
        tell, _ = self._says.get(told.id, (None, 0))
        if not isinstance(tell, Tell) or tell.to:
            return None
        tell = Tell(tell.id, told.to, tell.nick, tell.text)
        self._says[tell.id] = tell, 0
        return tell

    def settled(self, receipt: Receipt) -> bool:
        """The host has a private one of ours, or will not have it.

        Returns:
            Whether that is news.
        """
        if self._says.pop(receipt.id, None) is None:
            return False
        if receipt.code == "refused":
            self.refused[receipt.id] = receipt.text
            if len(self.refused) > REFUSED:
                del self.refused[next(iter(self.refused))]
        return True


class ResendWindow:
    """What is said again after a lost link, a window at a time: a host sends away who says far too much at once.

    Not thread safe: its owner has a lock for it.
    """

    def __init__(self) -> None:
        self._waiting: deque[Talk] = deque()
        self._under_way: set[str] = set()  # ids of what was said again and not answered yet

    def begin(self, talk: list[Talk]) -> list[Talk]:
        """This is to be said again; what of it now."""
        self._waiting, self._under_way = deque(talk), set()
        return self._next()

    def is_behind(self, message: Talk) -> bool:
        """Whether this new message has to wait its turn behind old ones, as it does then."""
        if self._waiting:
            self._waiting.append(message)
        return bool(self._waiting)

    def answered(self, id: str) -> list[Talk]:
        """The host has heard this one; what to say next."""
        self._under_way.discard(id)
        return self._next() if self._waiting else []

    def _next(self) -> list[Talk]:
        now: list[Talk] = []
        while self._waiting and len(self._under_way) < WINDOW:
            now.append(self._waiting.popleft())
            self._under_way.add(now[-1].id)
        return now


class PrivateDedup:
    """Private messages that came, by sender and id. Not thread safe: its owner has a lock for it."""

    def __init__(self) -> None:
        self._came: dict[tuple[str, str], bool] = {}  # whether who shows them has taken them; oldest first

    def is_new(self, told: Told) -> bool:
        """Whether it comes for the first time."""
        if (told.by, told.id) in self._came:
            return False
        self._came[told.by, told.id] = False
        if len(self._came) > RECENT:
            del self._came[next(iter(self._came))]
        return True

    def taken(self, told: Told) -> None:
        self._came[told.by, told.id] = True

    def is_taken(self, told: Told) -> bool:
        return self._came.get((told.by, told.id), False)
