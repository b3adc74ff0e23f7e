"""A member's part in a room that moves: it knows where the room may be, and it keeps a copy if its owner wants that.

A host asks a member's computer with `recruit`; the member then opens a port and a copy, and offers both. Once the owner
of the room has named it, it follows: its copy gets everything that the host stores. Asked to, it hosts the room.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

from lanchat.client.cluster import Cluster
from lanchat.client.connect import Connection
from lanchat.client.events import Item
from lanchat.client.following import Following, Taken
from lanchat.client.handed_over import HandedOver
from lanchat.client.keeper import Keeper
from lanchat.client.offering import Offering
from lanchat.client.receiving import Incoming
from lanchat.client.reconnect import SameRoom
from lanchat.client.tail import fetch_tail
from lanchat.client.takeover import Takeover
from lanchat.errors import LanchatError
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.messages import Event, FromHost, FromMember
from lanchat.protocol.places import Place, read_places
from lanchat.protocol.standby import (
    CopyPosition,
    Delegation,
    Heartbeat,
    Promote,
    Promoted,
    Recruit,
    Standbys,
    State,
    Stored,
)
from lanchat.protocol.timeline import make_epoch, make_seq, term_of
from lanchat.protocol.timing import Timing
from lanchat.room.succession import Claim, Follow, Peer, Wait
from lanchat.storage.identity import Identity

_log = logging.getLogger(__name__)


class Follower:
    """Owned by the reader thread of a member, except for what says so.

    Args:
        send: hands a message to the current link; never waits.
        put: adds an item to the member's queue.
        places_changed: called with the places where the room may be.
        keeper: None: this computer is never a standby.
    """

    def __init__(
        self,
        identity: Identity,
        room: SameRoom,
        incoming: Incoming,
        send: Callable[[FromMember], None],
        put: Callable[[Item], None],
        places_changed: Callable[[tuple[Place, ...]], None],
        keeper: Keeper | None,
        timing: Timing,
    ) -> None:
        self._identity = identity
        self._room = room
        self._incoming = incoming
        self._send = send
        self._put = put
        self.cluster = Cluster(put, places_changed, timing)
        self._keeper = keeper
        self._timing = timing
        parts = (identity.public, room, self.cluster, keeper, send, put, lambda: self.as_peer, timing)
        self.offering = Offering(*parts)
        self._following: Following | None = None
        self._events: list[Event] = []  # for the copy, once everything of one read was handled: they are one commit
        self._handed_over = HandedOver(timing)
        self._count = -1  # of the last heartbeat that named us the sync standby
        self._complete = False  # whether the copy has had all of the room once in this run; it never gets a hole
        self._takeover: Takeover | None = None  # while there is no host, at a standby

    # ---- a link

    def begin(self, connection: Connection) -> None:
        """A host has admitted us."""
        self.cluster.begin(connection)
        self._following, self._takeover, self._handed_over = None, None, HandedOver(self._timing)
        ours = connection.host_key == self._identity.public  # but perhaps our person has the key on two computers
        hosts = ours and self._keeper is not None and self._keeper.hosts
        self._complete = self._complete or hosts
        self.offering.begin(hosts=hosts)

    def end(self) -> None:
        """The link is lost."""
        following = self._following
        self._store_events()
        if following is not None:  # first, so that others do not read meanwhile that the copy is incomplete
            self._complete = self._complete or following.complete
        self._following = None
        link, offering, keeper = self.cluster.end(), self.offering, self._keeper
        replica = offering.replica
        if link is None or replica is None or keeper is None or offering.index is None or offering.declined:
            return
        if self._complete:
            replica.wait(following.held if following is not None else CopyPosition(), self._timing.sync_wait)
            host, me = (self._room.papers.host_index, keeper.host_at), replace(self.as_peer, state="lost")
            loss = self.cluster.lost(link)
            fetch = partial(fetch_tail, replica, self._room, self._identity, link.flusher, self._timing)
            self._takeover = Takeover(me, self._room, self.cluster.places, host, self._timing, loss, fetch)

    def seek(self, stopped: Callable[[], bool]) -> Follow | Wait | None:
        """The host is lost: find out who hosts the room, or host it. None: dial as usual. May wait some seconds."""
        step = self._takeover.seek(stopped) if self._takeover is not None else None
        if isinstance(step, Claim):
            self._takeover = None
            return None if stopped() or self._host(step.epoch, "takeover") else Wait("This computer cannot host.")
        return step

    @property
    def may_move(self) -> bool:
        """Whether the room may go on elsewhere once its host is gone, or at this computer.

        A copy may be whole a moment before the host has told where all computers of the room are.
        """
        return self.cluster.others or self._takeover is not None

    @property
    def knows_host(self) -> bool:
        """Whether the standby that was busy has said which computer hosts the room."""
        return self._room.hint is not None

    @property
    def next_place(self) -> int:
        """The index of the computer to be dialled first, after a standby was busy."""
        return self.cluster.next if self._room.hint is None else self._room.hint

    @property
    def as_peer(self) -> Peer:
        """What this computer can show others as a standby. Any thread."""
        replica, index = self.offering.replica, self.offering.index
        held = replica.held if replica is not None else CopyPosition()
        following = self._following
        complete = following.complete if following is not None else self._complete
        state: Literal["hears", "lost"] = "hears" if self.cluster.hears else "lost"
        able, index = not self.offering.declined, index if index is not None else -1
        return Peer(index, self._room.papers.epoch, held.seq, state, complete, self._count, able=able)

    def close(self) -> None:
        """Store nothing any more."""
        self.offering.close()

    def decline(self) -> None:
        """This computer is no standby any more. Any thread."""
        self._following, self._complete = None, False
        self.offering.decline()

    def accept(self) -> None:
        """This computer may be a standby again. Any thread."""
        self.offering.accept()

    # ---- what arrives

    def event(self, event: Event) -> None:
        """An event has come on the link. It may have come before."""
        self.cluster.event(event)
        if self._following is not None:
            self._events += self._following.event(event)

    def receive(self, message: FromHost) -> None:
        """Handle a message about the moving of the room; raises ProtocolError if its papers or lists are false."""
        match message:
            case Delegation(paper=paper, term=term):
                self._room.renew(paper, term)
                self._incoming.learn(self._room.papers.timeline)
                self._look_for_ourselves()
                if self.offering.replica is not None:  # also if the owner closes the room: no copy opens it again
                    self.cluster.keep(self._room.papers, self.offering.replica)
            case Standbys(places=places):
                self.cluster.learn(read_places(places))
            case Heartbeat():
                self._hear(message)
            case Recruit():
                self.offering.recruit()
            case Promote():
                self._handed_over.ask(message, time.monotonic())
            case _ if self._following is not None:
                self._take(self._following.receive(message))
                if isinstance(message, State) and self.cluster.learn_rules(message):
                    self.offering.offer()

    def settle(self) -> None:
        """Store what one read of the link has brought, now that all of it was handled."""
        self._store_events()
        if (promote := self._handed_over.due(time.monotonic())) is not None:
            self._promote(promote)
        self.offering.settle()
        if self._following is None and self.offering.is_named and not self._incoming.filling:
            self._follow()
        replica = self.offering.replica
        if self._following is not None and replica is not None and self._keeper is not None:
            self.cluster.keep(self._room.papers, replica)
            for message in self._keeper.take_to_merge():
                self._send(message)

    # ---- being a standby

    def _look_for_ourselves(self) -> None:
        """Find out whether the newest delegation names this computer."""
        self.offering.find_ourselves()
        if self.offering.index is None:
            self._following = None

    def _follow(self) -> None:
        timeline, replica = self._room.papers.timeline, self.offering.replica
        if timeline is None or replica is None or self._handed_over.hosts:
            return
        try:
            held = replica.follow(timeline)
            replica.start(self._stored, self._give_up)
        except (LanchatError, RuntimeError) as error:  # the disk, or no thread is left
            self._give_up(str(error))
            return
        live = max(self._incoming.seq, self.cluster.welcomed)  # of the past a newcomer gets only messages
        self._following = Following(held, live, make_seq(timeline.epoch, 0))
        self._send(self._following.begin())

    def _store_events(self) -> None:
        events, self._events = self._events, []
        if events and self.offering.replica is not None:
            self.offering.replica.append(events, (), {})

    def _take(self, taken: Taken) -> None:
        self._store_events()
        if taken and (replica := self.offering.replica) is not None:
            replica.append(taken.records, taken.owned, taken.values)
        if taken.ask is not None:
            self._send(taken.ask)

    def _stored(self, held: CopyPosition) -> None:
        """Called from the thread of the replica."""
        if self._following is not None:
            self._send(Stored(held.seq, held.private, held.rev, held.beat))

    def _give_up(self, trouble: str) -> None:
        """Called from any thread: the copy cannot be kept."""
        self._following, self._complete = None, False
        self.offering.give_up(trouble)

    def _hear(self, beat: Heartbeat) -> None:
        self.cluster.hear(beat)
        self._count = beat.count if beat.sync == self.offering.index else -1
        if self._following is not None:
            self._take(self._following.heartbeat(beat))
        if self._handed_over.has_failed(time.monotonic()) and self._keeper is not None:
            self._keeper.end_hosting()
            self.offering.offer()

    # ---- hosting

    def _promote(self, promote: Promote) -> None:
        """Host the room, once the copy is complete."""
        replica, following, index = self.offering.replica, self._following, self.offering.index
        if following is not None and not following.complete:
            return  # the last pages have not come yet
        self._handed_over.begin(None)
        if replica is None or following is None or index is None or self._keeper is None:
            return
        if not replica.wait(CopyPosition(promote.seq, promote.private, promote.state), self._timing.sync_wait):
            return _log.warning("this computer does not have all of the room, and cannot host it")
        self._following = None
        timeline = self._room.papers.timeline
        term = 1 + (term_of(timeline.epoch) if timeline is not None else 0)
        if paper := self._host(make_epoch(term, index), "failback" if index == OWNER_INDEX else "handover"):
            self._handed_over.begin(time.monotonic())
            self._send(Promoted(paper, *self._keeper.guest_ports))

    def _host(self, epoch: int, reason: str) -> bytes:
        """Host the room in this term. Returns its record; b"": this computer cannot."""
        assert self._keeper is not None and self.offering.replica is not None
        promotion = self.cluster.promotion(epoch, reason, self._room.papers, self.offering.replica)
        try:
            paper = self._keeper.begin_hosting(promotion)
        except LanchatError as error:
            self._give_up(str(error))
            return b""
        self.offering.replica = None
        return paper
