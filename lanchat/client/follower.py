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

from lanchat.client.candidacy import Candidacy, was_named
from lanchat.client.cluster import Cluster
from lanchat.client.connect import Connection
from lanchat.client.events import Item, Named
from lanchat.client.following import Following, Taken
from lanchat.client.handed_over import HandedOver
from lanchat.client.keeper import Keeper
from lanchat.client.receiving import Incoming
from lanchat.client.reconnect import SameRoom
from lanchat.client.tail import fetch_tail
from lanchat.client.takeover import Lost, Takeover
from lanchat.errors import LanchatError
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.messages import Event, FromHost, FromMember, Ping
from lanchat.protocol.places import Place, read_places
from lanchat.protocol.standby import Delegation, Heartbeat, Offer, Promote, Promoted, Recruit, Standbys, State, Stored
from lanchat.protocol.timeline import make_epoch, make_seq, term_of
from lanchat.protocol.timing import Timing
from lanchat.room.succession import Claim, Follow, Wait
from lanchat.room.succession import Place as Standing
from lanchat.storage.identity import Identity
from lanchat.storage.replica import Held, Replica

_NO_COPY = bytes(8)  # the instance of none

_log = logging.getLogger(__name__)


class Follower:
    """Owned by the reader thread of a member, but for `decline`.

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
        self._replica: Replica | None = None
        self._following: Following | None = None
        self._candidacy = Candidacy()
        self._handed_over = HandedOver(timing)
        self._index: int | None = None  # of this computer
        self._count = -1  # of the last heartbeat, if it has said that acks wait for us
        self._complete = False  # whether the copy lacked nothing when the link ended
        self._takeover: Takeover | None = None  # while there is no host, at a standby

    # ---- a link

    def begin(self, connection: Connection) -> None:
        """A host has admitted us."""
        self.cluster.begin(connection)
        self._following, self._takeover, self._handed_over = None, None, HandedOver(self._timing)
        offers = self._candidacy.begin(named=self._room.papers.names(self._identity.public))
        if connection.host_key == self._identity.public:
            self.close()
        elif offers and self._keeper is not None:
            self._offer(self._keeper)

    def end(self) -> None:
        """The link is lost."""
        following, self._following = self._following, None
        link, replica, keeper = self.cluster.end(), self._replica, self._keeper
        if following is not None:
            self._complete = following.complete
        if link is None or replica is None or keeper is None or self._index is None or self._candidacy.declined:
            return
        if self._complete:
            replica.wait(following.held if following is not None else Held(), self._timing.sync_wait)
            host, me = (self._room.papers.host_index, keeper.host_at), replace(self.standing, state="lost")
            loss = Lost(link.keepalive.heard_at, link.code == "silent", self.cluster.rough)
            fetch = partial(fetch_tail, replica, self._room, self._identity, link.flusher, self._timing)
            self._takeover = Takeover(me, self._room, self.cluster.places, host, self._timing, loss, fetch)

    def seek(self, stopped: Callable[[], bool]) -> Follow | Wait | None:
        """Without a link: find out who hosts the room, or host it. None: dial as ever. May wait some seconds."""
        step = self._takeover.seek(stopped) if self._takeover is not None else None
        if isinstance(step, Claim):
            self._takeover = None
            return None if stopped() or self._host(step.epoch, "takeover") else Wait("This computer cannot host.")
        return step

    @property
    def next_place(self) -> int:
        """The index of the computer to be dialled first, after a standby was busy."""
        return self.cluster.sync if self._room.hint is None else self._room.hint

    @property
    def standing(self) -> Standing:
        """What this computer has. Any thread."""
        replica = self._replica
        held = replica.held if replica is not None else Held()
        following = self._following
        complete = following.complete if following is not None else self._complete
        index = self._index if self._index is not None else -1
        state: Literal["hears", "lost"] = "hears" if self.cluster.hears else "lost"
        able = not self._candidacy.declined
        return Standing(index, self._room.papers.epoch, held.seq, state, complete, self._count, able=able)

    def close(self) -> None:
        """Nothing is stored any more."""
        replica, self._replica = self._replica, None
        if replica is not None:
            replica.close()

    def decline(self) -> None:
        """This computer is no standby any more. Any thread."""
        self._candidacy.decline()
        self._following = None
        self._refuse()

    def accept(self) -> None:
        """This computer may be a standby again. Any thread."""
        self._candidacy.accept()
        self._send(Ping())  # with its answer our own thread goes on

    # ---- what arrives

    def event(self, event: Event) -> None:
        """This event has come on the link, new or not."""
        self.cluster.event(event)
        if self._following is not None:
            self._take(self._following.event(event))

    def receive(self, message: FromHost) -> None:
        """Handle a message about the moving of the room; raises ProtocolError if its papers or lists are false."""
        match message:
            case Delegation(paper=paper, term=term):
                self._room.renew(paper, term)
                self._incoming.learn(self._room.papers.timeline)
                self._look_for_ourselves()
                if self._replica is not None:  # also of a room that its owner closes: no copy opens it again
                    self.cluster.keep(self._room.papers, self._replica)
            case Standbys(places=places):
                self.cluster.learn(read_places(places))
            case Heartbeat():
                self._hear(message)
            case Recruit() if self._keeper is not None and self._keeper.willing and not self._candidacy.declined:
                self._offer(self._keeper)
            case Recruit():
                self._refuse()
            case Promote():
                self._handed_over.ask(message, time.monotonic())
            case _ if self._following is not None:
                self._take(self._following.receive(message))
                if isinstance(message, State) and self.cluster.learn_rules(message) and self._keeper is not None:
                    self._offer(self._keeper)

    def settle(self) -> None:
        """Everything that one read of the link brought has been handled."""
        if (promote := self._handed_over.due(time.monotonic())) is not None:
            self._promote(promote)
        if self._candidacy.take_accepted() and self._keeper is not None:
            self._offer(self._keeper)
        wanted = self._candidacy.offered and self._index is not None and not self._candidacy.declined
        if self._following is None and wanted and not self._incoming.filling:
            self._follow()
        if self._following is not None and self._replica is not None and self._keeper is not None:
            self.cluster.keep(self._room.papers, self._replica)
            for message in self._keeper.take_to_merge():
                self._send(message)

    # ---- being a standby

    def _offer(self, keeper: Keeper) -> None:
        """Tell the host that this computer is ready."""
        papers = self._room.papers
        if self._replica is not None and self._replica.is_over:
            self.close()  # it was given up; since then our person has allowed another try
        try:
            if self._replica is None:
                self._replica = keeper.open_copy(papers)
                if self._replica is None:
                    return self._refuse()
                self._candidacy.known = was_named(self._replica.state, papers, self._identity.public)
            ports = keeper.listen(lambda: (self._room.papers, self.standing), self.cluster.page_of(self._room))
        except LanchatError as error:
            _log.warning("this computer is no standby: %s", error)
            return self._refuse()
        self._candidacy.offer()
        self._send(Offer(ports[0], self._replica.instance, ports[1]))
        self._look_for_ourselves()

    def _refuse(self) -> None:
        """Tell the host that this computer is no standby, or none any more."""
        self._send(Offer(0, self._replica.instance if self._replica is not None else _NO_COPY))

    def _look_for_ourselves(self) -> None:
        """Find out whether the newest delegation names this computer."""
        self._index = None
        if self._replica is not None:
            self._index = self._room.papers.index(self._identity.public, self._replica.instance)
            if self._candidacy.tell(named=self._index not in (None, OWNER_INDEX)):
                self._put(Named())
        self.cluster.named(self._index)
        if self._index is None:
            self._following = None

    def _follow(self) -> None:
        timeline = self._room.papers.timeline
        if timeline is None or self._replica is None or self._handed_over.hosts:
            return
        try:
            held = self._replica.follow(timeline)
        except LanchatError as error:
            self._give_up(str(error))
            return
        self._replica.start(self._stored, self._give_up)
        live = max(self._incoming.seq, self.cluster.welcomed)  # a newcomer gets of the past only what was said
        self._following = Following(held, live, make_seq(timeline.epoch, 0))
        self._send(self._following.begin())

    def _take(self, taken: Taken) -> None:
        if taken and self._replica is not None:
            self._replica.append(taken.records, taken.owned, taken.values)
        if taken.ask is not None:
            self._send(taken.ask)

    def _stored(self, held: Held) -> None:
        """Called from the thread of the replica."""
        if self._following is not None:
            self._send(Stored(held.seq, held.private, held.rev, held.beat))

    def _give_up(self, trouble: str) -> None:
        """Called from any thread: the copy cannot be kept."""
        _log.warning("this computer is no standby any more: %s", trouble)
        self._following = None
        self.decline()

    def _hear(self, beat: Heartbeat) -> None:
        self.cluster.hear(beat)
        self._count = beat.count if beat.sync == self._index else -1
        if self._following is not None:
            self._take(self._following.heartbeat(beat))
        if self._handed_over.has_failed(time.monotonic()) and self._keeper is not None:
            self._keeper.end_hosting()
            self._offer(self._keeper)

    # ---- hosting

    def _promote(self, promote: Promote) -> None:
        """Host the room, once the copy has all of it."""
        replica, following, index = self._replica, self._following, self._index
        if following is not None and not following.complete:
            return  # the last pages are on their way
        self._handed_over.begin(None)
        if replica is None or following is None or index is None:
            return
        if not replica.wait(Held(promote.seq, promote.private, promote.state), self._timing.sync_wait):
            return _log.warning("this computer does not have all of the room, and cannot host it")
        self._following = None
        timeline = self._room.papers.timeline
        term = 1 + (term_of(timeline.epoch) if timeline is not None else 0)
        if paper := self._host(make_epoch(term, index), "failback" if index == OWNER_INDEX else "handover"):
            self._handed_over.begin(time.monotonic())
            self._send(Promoted(paper))

    def _host(self, epoch: int, reason: str) -> bytes:
        """Host the room in this term. Returns its record; b"": this computer cannot."""
        assert self._keeper is not None and self._replica is not None
        promotion = self.cluster.promotion(epoch, reason, self._room.papers, self._replica)
        try:
            paper = self._keeper.begin_hosting(promotion)
        except LanchatError as error:
            self._give_up(str(error))
            return b""
        self._replica = None
        return paper
