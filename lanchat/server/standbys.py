"""The hub's part of a room that can move: copies for a failover, acks that wait for them, papers, and handovers.

Only a room with papers has it. In other rooms `Commands.standbys` is None, which costs nothing.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol import standby as wire
from lanchat.protocol.ids import is_verified, member_id
from lanchat.protocol.messages import UNNUMBERED, Closing, FromHost, Left, Moved, Told
from lanchat.protocol.timeline import index_of, make_seq, term_of
from lanchat.protocol.timing import Timing
from lanchat.room.members import Member
from lanchat.room.room import Room
from lanchat.room.succession import plausible_term
from lanchat.server.batch import Batch
from lanchat.server.company import Company
from lanchat.server.followers import Followers
from lanchat.server.handover import Handovers
from lanchat.server.items import HandOver, Item, JoinRequest, LaterTerm, MoveItem, Named, WebChanged, YieldTo
from lanchat.server.replication import NOBODY, DiskPosition, Replication
from lanchat.server.rules import KeptRules
from lanchat.server.session import Session
from lanchat.server.sessions import Sessions
from lanchat.server.shown import ShownPapers
from lanchat.server.term import Standing
from lanchat.threads import now_ms

_COUNTS = 16  # bits for the counts of the heartbeats of one term

_log = logging.getLogger(__name__)


class Standbys:
    """The standbys of a room, as its host sees them. Owned by the hub thread.

    Args:
        saved: what is on the host's disk when it begins.
        clock: s.
        yielded: called once the room is hosted elsewhere; never waits.
        uptime: as for `Company`.
    """

    def __init__(
        self,
        standing: Standing,
        room: Room,
        sessions: Sessions,
        saved: DiskPosition,
        rules: KeptRules,
        timing: Timing,
        clock: Callable[[], float],
        yielded: Callable[[], None],
        uptime: Callable[[], float] | None = None,
    ) -> None:
        self.replication = Replication(saved, timing, standing.epoch << _COUNTS)
        self.followers = Followers(standing, self.replication)
        self.company = Company(timing, clock, uptime)
        parts = (standing, room, sessions, self.followers, self.replication, timing, clock, yielded)
        self.handovers = Handovers(*parts)
        self.standing, self._room, self._sessions = standing, room, sessions
        self._private = saved.private  # the number of the last private message
        self._rules = rules
        self._timing, self._clock, self._yielded = timing, clock, yielded
        self.blocked: Mapping[str, int] = {}  # ports that cannot be reached, by nick; replaced as a whole by any thread
        self._beat_at, self._promised = 0.0, False  # whether everybody expects the next heartbeat
        self._guests_stay = True  # else those of the last host have left
        self._settled_at: float | None = None  # when members who have not come over from the last host count as gone
        self._shown = ShownPapers(standing)
        self.later_term = -1  # the highest epoch that has begun elsewhere, as its own record says
        self.wasteful: frozenset[int] = frozenset()  # who seems to use up the terms, by index; any thread may read it
        self._rises_at = 0.0  # s, before which no term begins above another one again
        rules.keep({"owner": standing.owner, "term": standing.paper, **self.standing.kept()})
        rules.save()

    @property
    def pause(self) -> float | None:
        """How long the hub may wait for its next item, in s; None: without end."""
        busy = self.followers or self._promised or self.handovers.frozen or self._settled_at is not None
        busy = busy or self._is_below
        return self._timing.follow_sweep if busy or self.replication.sync != NOBODY else self.company.pause

    @property
    def safe(self) -> DiskPosition:
        """The position up to which acks may go."""
        return self.replication.safe

    def expect_roster(self) -> None:
        """Wait for the people who were in the room at the last host: they come over without a `joined`.

        Nobody waits for guests: who has proven no identity comes back as somebody new, and wants the nick again.
        """
        self._settled_at, self._guests_stay = self._clock() + self._timing.roster, False

    # ---- what comes in

    def admit(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items of these that are handled now. The others wait."""
        others_host = self.standing.named is not None and bool(self.standing.named.standbys)
        return self.handovers.admit(self.company.admit(items, self.gone, others_host=others_host))

    @property
    def holds_back(self) -> bool:
        """Whether no event may be numbered now."""
        return self.handovers.frozen or self.company.is_waking

    def came(self, request: JoinRequest, batch: Batch) -> None:
        """A member has entered the room."""
        self.followers.came(request, self._clock())
        self.company.came(request.session)
        self._learn(*request.papers, batch)
        if request.session.member is not None and request.key:
            for message in (self.standing.shown(), self.standing.where(), self._heartbeat()):
                self._send(request.session, message, batch)

    def gone(self, session: Session) -> None:
        """A session has ended."""
        self.followers.gone(session, self._clock())
        self.company.gone(session)

    def receive(self, session: Session, message: wire.StandbyMessage, batch: Batch) -> None:
        """Handle what a member's computer says about its copy."""
        now = self._clock()
        match message:
            case wire.Offer():
                self.followers.offered(session, message, now)
                self.name(Named(b"", self.followers.places(session)), batch)
            case wire.Follow():
                if self.followers.follow(session, message, now):
                    self._begin(session, batch)
                    self.name(Named(b"", self.followers.places(session)), batch)
            case wire.Stored():
                self.followers.stored(session, message, now)
            case wire.Promoted():
                self.handovers.promoted(session, message)
            case wire.Delegation(paper=paper):
                self.name(Named(paper, ()), batch)

    def move(self, item: MoveItem, batch: Batch) -> None:
        """Do what another thread asks for, by `Moving`."""
        match item:
            case Named():
                self.name(item, batch)
            case HandOver():
                self.handovers.begin(item)
            case YieldTo(index):
                self.handovers.yield_to(index)
            case LaterTerm(epoch):
                self._hear_of(epoch)
            case WebChanged():
                self._rules.change_web(item)
                self.change_rules(batch)

    def name(self, item: Named, batch: Batch) -> None:
        """Send everybody a new list of standbys, and their addresses."""
        try:
            changed = bool(item.paper) and self.standing.learn(item.paper)
        except ProtocolError as error:
            _log.warning("not taken: %s", error)
            return
        moved = self.standing.put(item.places, pages=self._rules.rules.web)
        if changed:
            self.followers.drop_unnamed(self._clock())
        if changed or moved:
            self._rules.keep(self.standing.kept())
            self._send_to_members([*([self.standing.shown()] if changed else []), self.standing.where()], batch)

    def _learn(self, delegation: bytes, term: bytes, batch: Batch) -> None:
        """Look at the papers that a newcomer has shown."""
        if newer := self._shown.newer_list(delegation):
            self.name(Named(newer, ()), batch)
        if (later := self._shown.later_term(term)) is not None:
            self._hear_of(later.epoch)

    def _hear_of(self, epoch: int) -> None:
        """Note that this term has begun elsewhere. The watch looks whether its host is still there."""
        if epoch <= max(self.later_term, self.standing.epoch):
            return
        _log.warning("a later term of this room has begun elsewhere: epoch %d", epoch)
        self.later_term, ago = epoch, now_ms() - self.standing.began
        if term_of(epoch) > plausible_term(term_of(self.standing.epoch), ago):
            self.wasteful |= {index_of(epoch)}

    @property
    def _is_below(self) -> bool:
        """Whether a term has begun elsewhere that is later than ours."""
        return self.later_term > self.standing.epoch

    def _rise(self, batch: Batch) -> None:
        """Begin a term above. Else what is said here would count for less than what another half of the room had."""
        self._rises_at = self._clock() + self._timing.company
        try:
            self.standing.rise(self.later_term, self._room.seq, batch.now)
        except (LanchatError, OSError) as error:
            _log.warning("no term begins above the one that was seen: %s", error)
            return
        self._rules.keep({"term": self.standing.paper})
        self._send_to_members([self.standing.shown()], batch)
        standing, nick = self.standing, self._room.host_nick
        seq, by = make_seq(standing.epoch, 1), member_id(standing.key)
        self._sessions.happen(Moved(seq, batch.now, by, nick, standing.epoch, "", "merge"), batch)

    def change_rules(self, batch: Batch) -> None:
        """Send changed access rules to the copies."""
        self._send_rules(self.followers.sessions, batch)

    def carry(self, told: Told, batch: Batch) -> None:
        """A private message goes into the log, and so into the copies."""
        self._private = told.number
        for session in self.followers.sessions:
            self._send(session, told, batch)

    def saved(self, position: DiskPosition) -> None:
        """Our own disk has everything up to this position."""
        self.replication.saved(position)

    def close(self, closing: Closing) -> None:
        """End the room for everybody, on behalf of its owner."""
        self._sessions.closing = closing
        self._yielded()

    # ---- what goes out

    def end_batch(self, batch: Batch) -> Sequence[Item]:
        """To be called at the end of each batch, before its acks. Returns held items that are handled now."""
        everything, rev = DiskPosition(self._room.seq, self._private), self._rules.rev
        if self.handovers.over:
            return self.handovers.go_on(everything, rev, batch)
        now = self._clock()
        self.company.look(now)
        if self.replication.tick(now):
            self._beat_at = now + self._timing.heartbeat
            self._send_to_members([self._heartbeat()], batch)
        elif now >= self._beat_at and (self.followers or self._promised):
            self._beat_at = now + self._timing.heartbeat
            self._send_to_members([self._heartbeat()], batch)
        if self.handovers.frozen:
            return self.handovers.go_on(everything, rev, batch)
        if self._is_below and now >= self._rises_at:
            self._rise(batch)
        if not self._guests_stay:
            self._guests_stay = True
            self._settle([member for member in self._room.members if not is_verified(member.id)], batch)
        if self._settled_at is not None and now >= self._settled_at:
            self._settled_at = None
            self._settle(self._room.members, batch)
        return ()

    def _begin(self, session: Session, batch: Batch) -> None:
        """Send a standby that begins to follow what it cannot fetch, and the private messages of this batch so far."""
        self._send_rules([session], batch)
        self._send(session, self._heartbeat(), batch)
        for told in [record for record in batch.records if isinstance(record, Told)]:
            self._send(session, told, batch)

    def _settle(self, members: Iterable[Member], batch: Batch) -> None:
        """Those of these people who have not come over have left."""
        words = f"when the room moved to {self._room.host_nick}"
        for member in [member for member in members if not member.sessions]:
            self._sessions.publish(Left(UNNUMBERED, batch.now, member.id, member.nick, "lost", words), batch)

    def _send_rules(self, copies: Sequence[Session], batch: Batch) -> None:
        if (state := self._rules.state) is None:
            _log.warning("no computer can take the room over: too many people are banned")
            return
        for session in copies:
            self._send(session, state, batch)

    def _send_to_members(self, messages: Sequence[FromHost], batch: Batch) -> None:
        for session in self._sessions:
            for message in messages:
                self._send(session, message, batch)

    def _send(self, session: Session, message: FromHost, batch: Batch) -> None:
        self._sessions.send(session, message, batch)

    def _heartbeat(self) -> wire.Heartbeat:
        replication, self._promised = self.replication, bool(self.followers)
        beat = round(self._timing.heartbeat * 1000) if self._promised else 0
        return wire.Heartbeat(self._room.seq, replication.safe.seq, replication.sync, replication.count, beat)
