"""The receiving half of a member: it passes events on without a gap and without a duplicate. Pure.

An event is passed on once, by its seq. A message that was resent after a crash of the host, or after the room has
moved, has another seq and is recognised by its sender and id. Where two hosts have numbered events apart, the timeline
of the host that we enter says up to which number our copy agrees with it. Events that the host no longer has in memory
are fetched page by page, and live events wait until the gap is filled.
"""

from collections import deque
from collections.abc import Callable, Iterable

from lanchat.client.events import PrivateFile, PrivateMessage, weight
from lanchat.errors import ConnectionLost, ProtocolError
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Fetch, Joined, Page, Present, Said, Welcome
from lanchat.protocol.timeline import MAX_ENTRIES, Timeline, epoch_of, n_of

DEDUP_WINDOW = 10_000  # messages remembered by sender and id, so that duplicates are recognised
MAX_POSITIONS = (
    2 * MAX_ENTRIES
)  # terms whose last number is remembered; no host shows a longer timeline than half of that
CATCH_UP = 2000  # events that somebody who was away is shown, at most; a screen paints them within 0.1 s
LATER_LIMIT = 10_000  # weight of live events that wait for pages; a host that does not send them by then is given up


def check_welcome(welcome: Welcome, own_id: str) -> None:
    """Compare the member id that the host gives us with our own key.

    People compare fingerprints to find somebody in between, who must not be able to choose what both sides see.

    Raises:
        ProtocolError: the host gives us another id.
    """
    if welcome.id != own_id:
        raise ProtocolError("The host says that you have another key than yours: somebody may be impersonating it.")


def check_host(somebody: Present | Joined, host_id: str) -> None:
    """Compare what the host says about who hosts with the key that it showed.

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
        look_back: so many events before those that the host sends by itself are wanted at first.
    """

    def __init__(self, look_back: int = 0) -> None:
        self.seq = -1  # of the last event
        self._look_back = look_back
        self.private = PrivateDedup()
        self.files = FileDedup()
        self._timeline: Timeline | None = None  # of the host that we are with; None: it has none
        self._positions: dict[int, int] = {}  # the last n of each epoch, without a hole before it
        self._gap_until = 0  # events up to this seq are missing; 0: none are
        self._expected = -1  # an earlier run has all up to this seq; -1: that is of no account any more
        self.wanted: Fetch | None = None  # what is to be asked for because of the event that was taken last
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
        return 0 if after < 0 and self._look_back else after  # as one who has nothing, gets more than a newcomer does

    def expect(self, seq: int, timeline: Timeline | None) -> None:
        """Begin where an earlier run has ended, if the host's past begins later than that.

        Args:
            seq: of the last event that the earlier run has stored; -1: there was none.
            timeline: of the host.
        """
        if timeline is not None and seq >= 0:
            before = {epoch: n for epoch, n in timeline.past if epoch < epoch_of(seq)}
            seq = timeline.common({**before, epoch_of(seq): n_of(seq)})
        self._expected = seq

    @property
    def filling(self) -> bool:
        """Whether events are missing that were asked for."""
        return self._gap_until > 0

    def learn(self, timeline: Timeline | None) -> None:
        """The host has told its timeline only now."""
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
            self._positions[epoch] = n_of(seq)

    def _advance(self, seq: int) -> None:
        epoch = epoch_of(seq)
        if epoch not in self._positions and self._timeline is not None:  # so every term before this one is complete
            self._positions.update((past, n) for past, n in self._timeline.past if past < epoch)
        self._positions[epoch] = n_of(seq)
        if len(self._positions) > MAX_POSITIONS:
            del self._positions[min(self._positions)]
        self.seq = seq

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


class FileDedup:
    """Recognises what comes again of files for one person. Not thread safe, as PrivateDedup.

    The last DEDUP_WINDOW are remembered here, and the disk is asked about those of earlier runs. Those that could not
    be opened are remembered apart: what a host makes up does not keep a true one from being shown.
    """

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], tuple[str, bool]] = {}  # state, and whether it has been shown; oldest first
        self._unopened: dict[tuple[str, str], tuple[str, bool]] = {}

    def arrived(self, file: PrivateFile, was_shown: Callable[[str, str], bool]) -> tuple[bool, bool]:
        """Whether this is new, and whether the file is known to have been shown.

        Args:
            was_shown: whether the disk says so of the file of this sender with this id.
        """
        known, key = self._window(file), (file.by, file.id)
        state, shown = known.get(key, ("", False))
        if not state and file.state != "removed":
            shown = not file.problem and was_shown(*key)
            new = not shown
        else:
            new = state != file.state
        known[key] = file.state, shown
        if len(known) > DEDUP_WINDOW:
            del known[next(iter(known))]
        return new, shown

    def confirm(self, file: PrivateFile) -> None:
        """This file has been shown."""
        known, key = self._window(file), (file.by, file.id)
        if key in known:
            known[key] = known[key][0], True

    def _window(self, file: PrivateFile) -> dict[tuple[str, str], tuple[str, bool]]:
        return self._unopened if file.problem else self._opened


class PrivateDedup:
    """Recognises private messages that come again, by sender and id. Not thread safe: its owner has a lock for it.

    The last DEDUP_WINDOW are remembered here. For those before them the disk is asked, since a host can make up senders
    and seal by their keys until an old message is forgotten here. Those that could not be opened are remembered apart:
    a host that makes some up neither keeps a true one from being shown nor has it forgotten.
    """

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], bool] = {}  # whether each has been shown; oldest first
        self._unopened: dict[tuple[str, str], bool] = {}
        self._complete = True  # whether all that were ever opened are remembered here

    def recall(self, shown: Iterable[tuple[str, str]]) -> None:
        """Remember messages that an earlier run has shown, by sender and id."""
        self._opened |= dict.fromkeys(shown, True)
        self._complete = len(self._opened) < DEDUP_WINDOW

    def arrived(self, message: PrivateMessage, was_shown: Callable[[str, str], bool]) -> tuple[bool, bool]:
        """Whether this message comes for the first time, and whether it is known to have been shown."""
        return self.is_new(message, was_shown), self.is_confirmed(message)

    def is_new(self, message: PrivateMessage, was_shown: Callable[[str, str], bool] = lambda sender, id: False) -> bool:
        """Whether this message comes for the first time.

        Args:
            was_shown: whether the disk says that the message of this sender with this id was shown.
        """
        known, key = self._window(message), (message.by, message.id)
        if key in known:
            return False
        shown = known[key] = not (self._complete or message.problem) and was_shown(*key)
        if len(known) > DEDUP_WINDOW:
            del known[next(iter(known))]
            self._complete = self._complete and known is not self._opened
        return not shown

    def confirm(self, message: PrivateMessage) -> None:
        """This message has been shown."""
        known = self._window(message)
        if (message.by, message.id) in known:
            known[message.by, message.id] = True

    def is_confirmed(self, message: PrivateMessage) -> bool:
        return self._window(message).get((message.by, message.id), False)

    def _window(self, message: PrivateMessage) -> dict[tuple[str, str], bool]:
        return self._unopened if message.problem else self._opened
