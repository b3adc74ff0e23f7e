"""What other threads ask of the hub of a room that can move: names for standbys, a handover, yielding."""

import queue
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from lanchat.network.uptime import uptime
from lanchat.protocol.messages import UNNUMBERED, Moved
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.standby import Merging, Recruit
from lanchat.protocol.timing import Timing
from lanchat.room import succession
from lanchat.room.members import Member
from lanchat.room.merging import to_merge
from lanchat.room.room import Room
from lanchat.server.followers import Volunteer
from lanchat.server.hub import Hub
from lanchat.server.items import Asked, HandOver, LaterTerm, Named, WebChanged, YieldTo
from lanchat.server.replication import DiskPosition
from lanchat.server.rules import KeptRules
from lanchat.server.standbys import Standbys
from lanchat.server.term import Standing, Term
from lanchat.storage.identity import Identity
from lanchat.storage.log import Opened
from lanchat.threads import now_ms

_ANSWER = 1.0  # s that the hub may need for its answer beyond the time that it gives a handover


class Moving:
    """The part of a host for rooms that can move. All methods are for any thread, once the hub runs.

    Args:
        hub: before its start.
        yielded: called from a thread of its own once the room is hosted elsewhere.
    """

    def __init__(
        self,
        term: Term,
        room: Room,
        hub: Hub,
        identity: Identity,
        opened: Opened,
        rules: KeptRules,
        timing: Timing,
        yielded: Callable[[], None],
    ) -> None:
        now = now_ms()
        self.standing = Standing(term, room.id, identity.public, identity.sign, opened.timeline, now)
        self._hub, self._room, self._rules, self._timing = hub, room, rules, timing
        self._standbys = Standbys(
            self.standing,
            room,
            hub.sessions,
            DiskPosition(room.seq, opened.private_number),
            rules,
            timing,
            time.monotonic,
            lambda: threading.Thread(target=yielded, name="yielded").start(),
            uptime,
        )
        hub.let_move(self._standbys)
        nick = next((place.nick for place in term.places if place.index == term.index), "")
        moved = Moved(UNNUMBERED, now, identity.id, nick, self.standing.epoch, term.before, term.reason)
        self._first = moved if term.reason else None
        for present in term.roster:
            room.expect(Member(present.id, present.nick, present.host, present.key))
        if term.roster:
            self._standbys.expect_roster()

    @property
    def paper(self) -> bytes:
        """The record of this term, for `Promoted`."""
        return self.standing.paper

    @property
    def volunteers(self) -> tuple[Volunteer, ...]:
        """The members' computers that may be named standbys."""
        return self._standbys.followers.volunteers

    @property
    def banned(self) -> Collection[str]:
        """The member ids of those who may not enter."""
        return self._rules.rules.bans  # the rules are replaced as a whole

    def to_merge(self) -> list[Merging]:
        """What may be missing at the host to which this one has yielded. To be called once the hub has ended."""
        if not self._standbys.handovers.was_apart:
            return []  # a host that got the room from this one has all of it, and may have changed it
        rules = self._rules.rules
        return to_merge(rules.bans, self._room.private, locked=rules.locked)

    @property
    def successor(self) -> str:
        """The nick of the person whose computer took the room over; "": nobody did, or the nick is not known."""
        return self._standbys.handovers.successor

    @property
    def elsewhere(self) -> bool:
        """Whether another computer hosts the room by now, so that this one only sends everybody there."""
        closing = self._hub.sessions.closing
        return closing is not None and closing.code == "moved"

    @property
    def shown(self) -> tuple[bytes, bytes, bytes, bool]:
        """What a card shows of a room that can move: the papers, and whether the host has company."""
        return (*self.standing.papers, bool(self._standbys.company))

    @property
    def as_peer(self) -> succession.Peer:
        """What this host has to show where another one hosts the same room."""
        standing, company = self.standing, bool(self._standbys.company)
        return succession.Peer(standing.index, standing.epoch, self._room.seq, "hosts", company=company)

    @property
    def unlinked(self) -> dict[int, Place]:
        """The addresses, by index, of computers that may host the room and do not follow this host now."""
        following = self._standbys.followers.indexes
        return {i: p for i, p in self.standing.places.items() if i != self.standing.index and i not in following}

    @property
    def sync(self) -> int:
        """The index of the standby that acks wait for; -1: nobody."""
        return self._standbys.replication.sync

    def begin(self) -> None:
        """Publish that the room has moved here, if it has. To be called before the hub starts and after the log has."""
        if self._first is not None:
            self._hub.begin(self._first)

    def note_blocked(self, ports: Mapping[str, int]) -> None:
        """The ports of candidates that cannot be reached, by nick."""
        self._standbys.blocked = ports

    def recruit(self, volunteer: Volunteer) -> None:
        """Ask this member's computer to become a standby. The hub sends the question, so it comes after the welcome."""
        session = volunteer.session
        self._hub.inbox.put_now(Asked(session, lambda _: session.encode(Recruit())))

    def name(self, paper: bytes, *places: Place) -> None:
        """Pass on a list of standbys that the owner has signed; b"": only these places are new."""
        self._hub.inbox.put_now(Named(paper, places))

    @property
    def papers(self) -> Papers:
        """What this host knows of who may host the room."""
        standing = self.standing
        return Papers(standing.room, standing.owner, standing.delegation, standing.paper)

    @property
    def origins(self) -> frozenset[str]:
        """The web origins of all pages of this room."""
        return frozenset(origin for place in list(self.standing.places.values()) for origin in place.origins)

    def change_web(self, changed: WebChanged, at: Sequence[str]) -> None:
        """Note that browsers join in another way from now on; the copies get that as well.

        Args:
            at: the addresses of our page, as in `Place`.
        """
        self._hub.inbox.put_now(changed)
        if (own := self.standing.places.get(self.standing.index)) is not None:
            self.name(b"", own.with_page(at))

    def learn(self, paper: bytes) -> None:
        """A member has shown this list of standbys, which the owner has signed."""
        self._hub.inbox.put_now(Named(paper, ()))

    def yield_to(self, index: int) -> None:
        """Send everybody to the computer with this index, which hosts the room as well and has precedence."""
        self._hub.inbox.put_now(YieldTo(index))

    def rise_above(self, epoch: int) -> None:
        """A computer that does not go before us has begun this term: begin one above it."""
        self._hub.inbox.put_now(LaterTerm(epoch))

    @property
    def wasteful(self) -> frozenset[int]:
        """Who seems to use up the terms of the room, by index."""
        return self._standbys.wasteful

    def hand_over(self, index: int | None = None) -> str:
        """Hand the room over to the standby with this index; None: to the sync standby. Waits some seconds at most.

        Returns:
            Why the room stays here, as a sentence; "": the standby hosts it now.
        """
        answer: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._hub.inbox.put_now(HandOver(index, answer.put))
        try:
            return answer.get(timeout=self._timing.sync_wait + self._timing.promotion + _ANSWER)
        except queue.Empty:
            return "The room itself does not answer."
