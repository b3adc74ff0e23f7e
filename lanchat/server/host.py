"""The chat server: listens, accepts, hands each link to its door, and stops in order.

accept thread -- new socket --> one reader thread for each link --> inbox --> hub thread --> links
"""

import logging
import secrets
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack

from lanchat.network.addresses import OwnAddresses
from lanchat.network.link import Link
from lanchat.network.listen import Listeners
from lanchat.network.password import stretch
from lanchat.protocol.closings import CLOSED
from lanchat.protocol.fields import NONCE_SIZE
from lanchat.protocol.ids import member_id
from lanchat.protocol.limits import DEFAULT_LIMITS, MAX_OWNED, Limits
from lanchat.protocol.messages import VERSION, Card
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.text import clean_title
from lanchat.protocol.timeline import Timeline
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.room.access import Access
from lanchat.room.room import Room
from lanchat.server.acceptor import Acceptor
from lanchat.server.admission import PasswordThrottle
from lanchat.server.beside import Beside
from lanchat.server.doors.base import DoorOption, Serving
from lanchat.server.doors.native import native_door
from lanchat.server.files import open_files
from lanchat.server.hub import Hub
from lanchat.server.items import CloseRoom
from lanchat.server.links import Links
from lanchat.server.moving import Moving
from lanchat.server.open_doors import OpenDoors
from lanchat.server.rules import KeptRules
from lanchat.server.term import Term
from lanchat.storage.blobs import Blobs
from lanchat.storage.identity import Identity
from lanchat.storage.log import Log, NoLog, Opened
from lanchat.threads import Closable, now_ms

_log = logging.getLogger(__name__)


class Host(Closable):
    """Serves a room from `start()` to `close()`. All public methods are for one thread, whichever it is.

    Args:
        nick: of the host's person, for the room's card.
        doors: the ways into the room. `connect()` uses the first.
        on: our own addresses to listen on; None for all.
        password: what members need to know to enter; None: nothing.
        log: stores the events; by default they are not stored.
        opened: what the log holds, if it is open already.
        bans, locked: the access rules of the last start: nick by banned member id, and whether newcomers are kept out.
        save_access: stores the access rules when they change; never waits.
        ephemeral: ask members to store nothing either.
        blobs: holds the files that members send; None: the room takes none.
        term: the right by which this computer hosts a room that may move; None: this room cannot move.
        beside: makes what is known of the other hosts, of a room on an engine, from what its log continues; None: there
            never are any.
        listeners: of the first doors, where these listen already; they are the host's from now on.
        yielded: called from a thread of its own once the room is hosted elsewhere. The host is only to be closed then.
        make_hub: makes what owns the room, by the arguments of a `Hub`.
        limits: what strangers and members may do.

    Raises:
        ValueError: the title or the nick breaks its rules, or a door would let everybody into a room with a password.
        LanchatError: it cannot listen, or the log cannot be used.
    """

    def __init__(
        self,
        title: str,
        identity: Identity,
        *,
        nick: str,
        room_id: str | None = None,
        doors: Sequence[DoorOption] = (native_door(),),
        on: OwnAddresses | None = None,
        password: str | None = None,
        log: Log | None = None,
        opened: Opened | None = None,
        bans: Mapping[str, str] | None = None,
        locked: bool = False,
        save_access: Callable[[dict[str, str], bool], None] = lambda bans, locked: None,
        ephemeral: bool = False,
        blobs: Blobs | None = None,
        term: Term | None = None,
        beside: Callable[[Timeline], Beside] | None = None,
        listeners: Sequence[Listeners] = (),
        yielded: Callable[[], None] = lambda: None,
        make_hub: Callable[..., Hub] = Hub,
        limits: Limits = DEFAULT_LIMITS,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self.title, self.nick = clean_title(title), clean_nick(nick)
        self.room_id = room_id or secrets.token_hex(16)
        self.identity = identity
        if password is not None and any(door.needs_no_password for door in doors):
            raise ValueError("A room with a password cannot have an unencrypted port: it would let everybody in.")
        self.has_password = password is not None
        self._ephemeral = ephemeral
        self._timing = timing
        self._log = log = log or NoLog()
        self._started = self._closing = False
        secret = None if password is None else stretch(password, self.room_id)
        with ExitStack() as undo:
            own = on or OwnAddresses()
            listening = list(listeners)
            for listener in listening:
                undo.callback(listener.close)
            for door in doors[len(listening) :]:
                listening.append(Listeners(own, door.port, door.first_port))
                undo.callback(listening[-1].close)
            opened = opened or self._log.open()
            undo.callback(self._log.close)
            self.rules = KeptRules(term, opened.state, bans, self.title, log.set_state, save_access, locked=locked)
            self.beside = beside(opened.timeline) if beside is not None else None
            owner = term.owner if term is not None else self.beside.papers.owner if self.beside is not None else None
            access = Access(opened.owners, self.rules.rules.bans, locked=self.rules.rules.locked, limits=limits)
            if access.full:
                _log.warning("this room remembers %d nicks; those of newcomers are kept for nobody", MAX_OWNED)
            self._room = room = Room(  # owned by the hub thread; `host_nick` is for any thread
                self.room_id,
                self.title,
                identity.id,
                past=opened.past,
                seq=opened.seq,
                access=access,
                private=opened.private,
                keys=opened.keys,
                topic=opened.topic,
                limits=limits,
                owner_id="" if owner is None else member_id(owner),
            )
            files = open_files(blobs, opened.files, term, room.id, timing, lambda whole: self._hub.inbox.put(whole))
            room.files = files.files
            self._hub = make_hub(room, self._log, now_ms, self.rules.change, files, opened.private_number)
            self._hub.sessions.beside = self.beside
            self.moving = Moving(term, room, self._hub, identity, opened, self.rules, timing, yielded) if term else None
            self._links = Links(limits, timing, lambda: self.moving is not None and self.moving.elsewhere)
            serving = Serving(
                self.title,
                identity,
                self._hub.inbox,
                self._links.admission,
                PasswordThrottle(known=[id for _, id in opened.owners]),
                limits,
                timing,
                self._log,
                card=self._card,
                secret=secret,
                bulk=files.bulk,
                origins=self._origins,
            )
            made = [(door.make(serving), at) for door, at in zip(doors, listening, strict=True)]
            self._acceptor = Acceptor(made, self._links.accept, timing.own_addresses)
            self.doors = OpenDoors(made, self._acceptor, own, serving)
            undo.pop_all()

    @property
    def ports(self) -> dict[str, int]:
        """The port of each door, by the door's name."""
        return self.doors.ports

    @property
    def port(self) -> int:
        """The port of the native door."""
        return self.ports["native"]

    @property
    def not_listening(self) -> dict[str, str]:
        """Our own addresses at which nobody can join, and why. They are tried again every second."""
        return self.doors.missing

    @property
    def people(self) -> int:
        return self._hub.people

    @property
    def links(self) -> list[Link]:
        """All links that are read now, of members and strangers."""
        return self._links.read

    def start(self, *, accept: bool = True) -> None:
        """Serve the room.

        Args:
            accept: False: serve only links of `connect()` until `accept()` is called, so that the host is in its room
                before anybody else can be.
        """
        self._links.start()
        self._started = True
        self._log.start(self._hub.stored, self._hub.troubled)
        if self.moving is not None:
            self.moving.begin()
        self._hub.start()
        if accept:
            self.accept()

    def accept(self) -> None:
        """Accept links from now on. Those that came before have waited in the backlog."""
        self._acceptor.start()
        _log.info("hosting room %s on port %s", self.room_id, self.port)

    def connect(self) -> socket.socket:
        """Connect the host's own member.

        Returns:
            A socket whose other end is served like any other link, except that it never counts as a stranger's, which
            a crowd of strangers could push out. It needs no network, so a host can talk in its own room whatever a
            firewall blocks. After `close` the socket is at its end of file.
        """
        ours, theirs = socket.socketpair()
        if self._closing:
            theirs.close()
            return ours
        try:
            self._links.serve(theirs, self.doors.first)
        except BaseException:
            ours.close()
            theirs.close()
            raise
        return ours

    @property
    def served(self) -> int:
        """How many sessions are here; in a room on an engine, others of its people are at other hosts."""
        return len(self._hub.sessions)

    def close(self, reason: str = CLOSED.text, *, everywhere: bool = False) -> None:
        """Stop accepting, say goodbye, drop the links, join their readers, stop the hub, close the log.

        Args:
            everywhere: of a room with several hosts: it closes at all of them.
        """
        if self._closing:
            return
        self._closing = True
        if self._started:
            self._acceptor.stop()
            to = -1 if self.beside is None or everywhere else self.beside.successor
            self._hub.inbox.put_now(CloseRoom(reason, to, everywhere))
            self._links.finish()
            self._hub.stop()
            self._links.close()
        self._acceptor.close()
        self._log.close()

    def _card(self) -> Card:
        return Card(
            VERSION,
            self.room_id,
            self.title,
            self._room.host_nick or self.nick,
            self._hub.people,
            self.has_password,
            secrets.token_bytes(NONCE_SIZE),
            self._ephemeral,
            *self._shown,
        )

    @property
    def _shown(self) -> tuple[bytes, bytes, bytes, bool] | tuple[bytes, bytes, bytes] | tuple[()]:
        """The papers that a card shows; none where no other computer ever hosts the room."""
        if self.moving is not None:
            return self.moving.shown
        return self.beside.shown if self.beside is not None else ()

    def _origins(self) -> Collection[str]:
        """The web origins of the pages of all computers that may host the room, for the door for browsers."""
        if self.moving is not None:
            return self.moving.origins
        return self.beside.origins if self.beside is not None else ()
