"""What a member knows about its host and the computers that could replace it: addresses, and what an ack is worth.

It also measures how late the host's signs of life come, which says after which silence the host counts as lost.
"""

import time
from collections.abc import Callable

from lanchat.client.connect import Connection
from lanchat.client.events import Backup, Item, ListedPeople
from lanchat.client.keeper import Promotion
from lanchat.client.reconnect import SameRoom
from lanchat.client.silence import Silence
from lanchat.client.takeover import Lost
from lanchat.network.link import Link
from lanchat.protocol.messages import Event, Present, Said
from lanchat.protocol.papers import Papers, is_on_engine
from lanchat.protocol.people import Crowd
from lanchat.protocol.places import Place, read_rules, write_places
from lanchat.protocol.standby import Heartbeat, State
from lanchat.protocol.timing import Timing
from lanchat.room.roster import Roster
from lanchat.storage.replica import Replica


class Cluster:
    """The computers that may host a room, as its host tells. Owned by the reader thread; what is for any says so.

    Args:
        put: adds an item to the member's queue.
        places_changed: called with the places where the room may be, the likeliest first.
    """

    def __init__(
        self, put: Callable[[Item], None], places_changed: Callable[[tuple[Place, ...]], None], timing: Timing
    ) -> None:
        self.places: tuple[Place, ...] = ()
        self.sync = -1  # the index of the standby whose disk acks wait for
        self._index: int | None = None  # of this computer
        self._host_key = b""
        self.on_engine = False  # whether several hosts may serve the room together; for any thread
        self.welcomed = -1  # the seq before the first live event of this link
        self._put, self._places_changed, self._timing = put, places_changed, timing
        self._link: Link | None = None
        self._beats = False  # whether the host promises signs of life
        self._silence = Silence(timing)
        self._roster = Roster()
        self._host_of_card = ""
        self._backup = ""  # the nick of the sync standby
        self._kept: tuple[Papers, tuple[Place, ...]] | None = None  # what our copy has stored about this host
        self._has_page = False  # whether the room has one for browsers

    def begin(self, connection: Connection) -> None:
        """A host has admitted us; it names its own sync standby."""
        self._roster = Roster(host_id=connection.host_id)
        self._host_of_card, self._host_key = connection.card.host, connection.host_key
        self.on_engine = is_on_engine(connection.card)
        self._roster.welcome(connection.welcome, connection.present)
        self._roster.seq = self.welcomed = connection.welcome.seq
        self._link, self._silence = connection.link, Silence(self._timing, connection.took)
        self._backup, self.sync, self._kept, self._beats = "", -1, None, False

    def end(self) -> Link | None:
        """The link is lost. Returns it."""
        link, self._link = self._link, None
        return link

    def event(self, event: Event) -> None:
        """An event has come on the link. It may have come before."""
        if event.seq > self._roster.seq and not isinstance(event, Said):  # in a page of the past nobody has a key
            self._roster.apply(event)

    def learn(self, places: tuple[Place, ...]) -> None:
        """The room may be at these places."""
        self.places = places
        self._announce_places()

    def learn_rules(self, state: State) -> bool:
        """The rules of the room have come, which only a standby gets. Returns whether a page was opened or closed.

        Raises:
            ProtocolError: they cannot be read.
        """
        before, self._has_page = self._has_page, read_rules(state.rules).web
        return before != self._has_page

    def page_of(self, room: SameRoom) -> Callable[[], str] | None:
        """A function, for any thread, that returns a link to the host's page; "": not known. None: there is no page."""

        def link() -> str:
            places = [place for place in self.places if place.index == room.papers.host_index]
            return next((f"{origin}/" for place in places for origin in place.origins), "")

        return link if self._has_page else None

    def named(self, index: int | None) -> None:
        """Note the index that the newest list gives to this computer; None: it is no standby."""
        if index != self._index:
            self._index = index
            self._announce_places()

    def hear(self, beat: Heartbeat) -> None:
        """The host is alive, and says what an ack is worth."""
        nick = next((place.nick for place in self.places if place.index == beat.sync), "")
        if nick != self._backup:
            self._backup = nick
            self._put(Backup(nick))
        self._beats = bool(beat.beat)
        if self._link is not None:
            silence = self._silence.heard(time.monotonic(), beat.beat / 1000)
            self._link.flusher.expect(
                self._link, silence, self._timing.follow_sweep if beat.beat else self._timing.sweep
            )
        if beat.sync != self.sync:
            self.sync = beat.sync
            self._announce_places()

    def keep(self, papers: Papers, replica: Replica) -> None:
        """Store in the copy the papers by which this computer may host the room, also in a later run. Never waits."""
        if (papers, self.places) != self._kept:
            self._kept = papers, self.places
            values = {"owner": papers.owner, "delegation": papers.delegation, "term": papers.term}
            replica.append((), (), {**values, "places": write_places(self.places).encode()})

    def crowd(self, item: Crowd | ListedPeople) -> None:
        """The room is a crowd: people of whom we are not told are not in the roster for the next host."""
        if isinstance(item, Crowd):
            self._roster.crowded(item.people)
        elif item.all:
            self._roster.listed(item.present, all=True)

    @property
    def next(self) -> int:
        """The index of the computer that hosts the room if our host does not: the sync standby, or another host."""
        return next((place.index for place in self.other_hosts), -1) if self.sync < 0 else self.sync

    @property
    def other_hosts(self) -> tuple[Place, ...]:
        """Where a room on an engine is hosted besides, as our host tells. Any thread."""
        return tuple(place for place in self.places if place.key != self._host_key) if self.on_engine else ()

    @property
    def people(self) -> int:
        """The number of people in the room, as far as we know."""
        return self._roster.number

    @property
    def others(self) -> bool:
        """Whether another computer may host the room once its host is gone."""
        return len(self.places) > 1

    @property
    def hears(self) -> bool:
        """Whether our link to the host lives. Silence counts only where signs of life are promised. Any thread."""
        link, least = self._link, self._timing.host_silence / 2
        if link is None or link.over:
            return False
        return not self._beats or time.monotonic() - link.keepalive.heard_at < least

    @property
    def silence(self) -> float | None:
        """For how many s nothing has come from a host that promises signs of life; None: none does. Any thread."""
        link = self._link
        return time.monotonic() - link.keepalive.heard_at if link is not None and self._beats else None

    def lost(self, link: Link) -> Lost:
        """How this link to the host has ended."""
        rough = self._silence.is_rough(time.monotonic())
        return Lost(link.keepalive.heard_at, link.code == "silent", rough, self._silence.took)

    def promotion(self, epoch: int, reason: str, papers: Papers, replica: Replica) -> Promotion:
        """What this computer needs to know to host the room in this term."""
        people = self._roster.people.values()
        host = next((one.nick for one in people if one.host), self._host_of_card)  # it may have left to hand over
        present = tuple(Present(one.id, one.nick, one.host, one.key) for one in people)
        return Promotion(epoch, reason, papers, host, present, self.places, replica)

    def _announce_places(self) -> None:
        """Hand on the places, the sync standby first: it has everything that is acknowledged, and hosts next."""
        others = [place for place in self.places if place.index != self._index]
        self._places_changed(tuple(sorted(others, key=lambda place: place.index != self.sync)))
