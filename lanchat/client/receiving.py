"""The receiving half of a member: it passes events on without a gap and without a duplicate. Pure.

An event is passed on once, by its seq. A message that was resent after a crash of the host, or after the room has
moved, has another seq and is recognised by its sender and id. Where two hosts have numbered events apart, the timeline
of the host that we enter says up to which number our copy agrees with it. Events that the host no longer has in memory
are fetched page by page, and live events wait until the gap is filled.
"""

from collections import deque
from collections.abc import Mapping

from lanchat.client.dedup import DEDUP_WINDOW, FileDedup, PrivateDedup
from lanchat.client.events import weight
from lanchat.errors import ConnectionLost, ProtocolError
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Fetch, Joined, Page, Present, Said, Welcome
from lanchat.protocol.timeline import MAX_ENTRIES, Timeline, epoch_of, make_seq, n_of

# Terms whose last number is remembered; no host shows a timeline of more than half as many.
MAX_POSITIONS = 2 * MAX_ENTRIES
CATCH_UP = 2000  # events that somebody who was away is shown, at most; a screen paints them within 0.1 s
LATER_LIMIT = 10_000  # weight of live events that wait for pages; a host that does not send them by then is given up


def check_welcome(welcome: Welcome, own_id: str) -> None:
    """Compare the member id that the host gives us with our own key.

    People compare fingerprints to find an attacker in between, who must not be able to choose what both sides see.

    Raises:
        ProtocolError: the host gives us another id.
    """
    if welcome.id != own_id:
        raise ProtocolError("The host says that you have another key than yours: somebody may be impersonating it.")


def check_host(somebody: Present | Joined, host_id: str) -> None:
    """Compare the member that the host calls the host with the key that it showed.

    Raises:
        ProtocolError: the host claims another key than its own, or says that somebody else has its key.
    """
    id = somebody.id if isinstance(somebody, Present) else somebody.by
    if somebody.host and id != host_id:
        raise ProtocolError("The host claims to have another key than it showed: somebody may be impersonating it.")
    if id == host_id and not somebody.host:
        raise ProtocolError("The host says that somebody else has its key.")


class Incoming:
    """Tracks which events this member has. Owned by the reader thread, except for `private` and `files`.

    Args:
        look_back: the number of events that are wanted at first before those that the host sends by itself.
    """

    def __init__(self, look_back: int = 0) -> None:
        self.seq = -1  # of the last event
        self._look_back = look_back
        self.private = PrivateDedup()
        self.files = FileDedup()
        self._timeline: Timeline | None = None  # of the host that we are with; None: it has none
        self._positions: dict[int, int] = {}  # the last n of each epoch, without a hole before it
        self._gap_until = 0  # events up to this seq are missing; 0: none are
        self._expected = -1  # an earlier run has everything up to this seq; -1: this does not matter any more
        self.wanted: Fetch | None = None  # the request that follows from the event that was taken last
        self.renumbered: list[Said] = []  # messages that were taken before, and have another place in the room now
        self._later: list[Event] = []  # live events that wait until the gap is filled
        self._later_load = 0  # their weight
        self._known: set[tuple[str, str]] = set()  # sender and id of the last messages
        self._order: deque[tuple[str, str]] = deque()  # the same, oldest first

    def enter(self, timeline: Timeline | None) -> int:
        """Begin with a host, for the first time or again.

        Returns:
            The number after which the events are missing here; -1 for a newcomer, and for a copy that shares nothing
            with this timeline.
        """
        after = self.seq
        if timeline is not None and after >= 0:
            after = timeline.common(self._positions)
        self._timeline = timeline
        return 0 if after < 0 and self._look_back else after  # 0: no event is here; more is sent than to a newcomer

    def expect(self, positions: Mapping[int, int], timeline: Timeline | None) -> None:
        """Fetch what follows the end of an earlier run, if the past that the host sends begins later.

        Args:
            positions: of that run when it ended; nothing: there was none.
            timeline: of the host.
        """
        if timeline is not None:
            self._expected = timeline.common(positions)
        elif positions:
            self._expected = make_seq(max(positions), positions[max(positions)])

    @property
    def positions(self) -> dict[int, int]:
        """The last `n` of each term, with no hole before it, of what was passed on."""
        return {**self._positions}

    @property
    def filling(self) -> bool:
        """Whether events are missing that were asked for."""
        return self._gap_until > 0

    def learn(self, timeline: Timeline | None) -> None:
        """The host has told its timeline after the welcome."""
        self._timeline = timeline

    def resume(self, welcome: Welcome, after: int, *, deaf: bool = False) -> Fetch | None:
        """Note that the member has reconnected.

        Args:
            after: what `enter` returned.
            deaf: whether the missed messages of others are not wanted.

        Returns:
            What to fetch, if the past that follows the welcome does not begin where ours ends.
        """
        if self.seq < 0 and self._look_back:
            return self.look_back(welcome)
        self._set_position(min(after, welcome.seq))  # a host that has lost its log counts from a lower number again
        if deaf:
            return None
        self._gap_until, self._later, self._later_load = welcome.since, [], 0
        return Fetch(max(0, self.seq)) if self._gap_until else None

    def look_back(self, welcome: Welcome) -> Fetch | None:
        """What to fetch for a newcomer who wants more of the past than follows the welcome."""
        if not self._look_back or not welcome.since:
            return None
        self._gap_until, self._later, self._later_load = welcome.since, [], 0
        number, timeline = self._look_back, self._timeline
        return Fetch(max(0, timeline.before(welcome.since, number) if timeline else welcome.since - number))

    def page(self, page: Page) -> tuple[Fetch | None, list[Event]]:
        """Handle the end of a page. Returns what to fetch next, and the events that need not wait any more."""
        if page.upto < self._gap_until:
            return Fetch(page.upto), []
        later, self._gap_until, self._later, self._later_load = self._later, 0, [], 0
        return None, [event for waiting in later for event in self.take(waiting)]

    def take(self, event: Event) -> list[Event]:
        """Handle an event. Returns the events to pass on now: this one, or none. See also `wanted`.

        Raises:
            ConnectionLost: the host does not send the missing events.
        """
        if self._expected >= 0:
            self._catch_up(event.seq)
        if self._gap_until and event.seq > self._gap_until:
            if self._later_load >= LATER_LIMIT:
                raise ConnectionLost("The host does not send what was said before.")
            self._later.append(event)
            self._later_load += weight(event)
            return []
        if event.seq <= self.seq:
            return []
        self._advance(event.seq)
        if isinstance(event, Said) and not self._is_first(event):
            self.renumbered.append(event)
            return []
        return [event]

    def _catch_up(self, first: int) -> None:
        """The first event has come: ask for those before it that were missed."""
        after, self._expected = self._expected, -1
        if epoch_of(after) == epoch_of(first) or n_of(first) > CATCH_UP:  # numbers of one term follow each other
            after = max(after, first - 1 - CATCH_UP)
        if after + 1 < first:
            self._set_position(after)
            self._gap_until, self.wanted = first - 1, Fetch(after)

    def _set_position(self, seq: int) -> None:
        self.seq = seq
        epoch = epoch_of(seq)
        self._positions = {one: n for one, n in self._positions.items() if one < epoch}
        if seq >= 0:
            self._take_earlier(epoch)
            self._positions[epoch] = n_of(seq)

    def _advance(self, seq: int) -> None:
        epoch = epoch_of(seq)
        if epoch not in self._positions:
            self._take_earlier(epoch)
        self._positions[epoch] = n_of(seq)
        if len(self._positions) > MAX_POSITIONS:
            del self._positions[min(self._positions)]
        self.seq = seq

    def _take_earlier(self, epoch: int) -> None:
        """Something of this term has come, so every term before it is complete."""
        if self._timeline is not None:
            self._positions.update((past, n) for past, n in self._timeline.past if past < epoch)

    def _is_first(self, said: Said) -> bool:
        if not is_verified(said.by):
            return True  # the ids of guests' messages are not unique, and guests never resend
        key = said.by, said.id
        if key in self._known:
            return False
        self._known.add(key)
        self._order.append(key)
        if len(self._order) > DEDUP_WINDOW:
            self._known.discard(self._order.popleft())
        return True
