"""This computer as a standby of a room, and later as its host: opens and closes what a program needs for either."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lanchat.api.dialer import Dialer
from lanchat.api.doors import Wishes
from lanchat.api.file_copies import FileCopies
from lanchat.api.hosting import Hosting
from lanchat.api.kept_room import continues_here, kept_retention, open_kept, signing_of
from lanchat.api.naming import begin_naming
from lanchat.api.promoted import host_copy, rules_of
from lanchat.api.web import await_browsers
from lanchat.client.keeper import Promotion
from lanchat.client.member import Member
from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.network.reach import unreachable_text
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.standby import Merging
from lanchat.protocol.timeline import index_of
from lanchat.protocol.timing import Timing
from lanchat.room.succession import Peer
from lanchat.server.standby import StandbyPort
from lanchat.storage.delegations import Signing
from lanchat.storage.identity import Identity
from lanchat.storage.replica import Replica
from lanchat.storage.rooms import FILES, RoomFolder, hosted_path
from lanchat.threads import Closable, join_started

_UNSEEN = "This computer hosts the room now, but others may not find it: {}."

_log = logging.getLogger(__name__)


class StandbyKeeper(Closable):
    """The `Keeper` (client/keeper.py) of a program: lets this computer keep a copy of one room, and host it.

    Most methods are for the reader thread of the member, `close` is for the thread that leaves the room.

    Args:
        willing: as `standby` of a hello: 1: it may be named; 2: its person asked for that; 0: never.
        nick: returns the nick that we have now.
        on_problem: called with a sentence.
        folder: of the room, if this program has opened it because it is the owner's.
        hosting: if this program hosts the room already.
        wishes: what counts when the room comes to this computer.
    """

    def __init__(
        self,
        home: Path,
        identity: Identity,
        dialer: Dialer,
        *,
        willing: int,
        nick: Callable[[], str],
        password: str | None,
        on: OwnAddresses,
        on_problem: Callable[[str], None],
        timing: Timing,
        folder: RoomFolder | None = None,
        hosting: Hosting | None = None,
        wishes: Wishes | None = None,
    ) -> None:
        self.willing = willing
        self.hosting = hosting  # while this program hosts the room
        self._home, self._identity, self._dialer = home, identity, dialer
        self._nick, self._password = nick, password
        self._on, self._on_problem, self._timing = on, on_problem, timing
        self._folder, self._wishes = folder, wishes or Wishes()
        self.owner = hosting is not None and hosting.owner == identity.public  # whether the room is ours
        self.successor = ""  # who hosts the room since we left it; "": it is closed, or we had nothing to hand over
        self._port: StandbyPort | None = None
        self._state: Callable[[], tuple[Papers, Peer]]  # what the card there shows, from `listen` on
        self._card: Card | None = None
        self._page_at = 0  # the port of our page, while we hosted the room; 0: there was none
        self._copied_to: Path | None = None  # where the copy of the log is
        self._copies: FileCopies | None = None
        self._unshown: Hosting | None = None  # a hosting that is not shown to others yet
        self._showing: threading.Thread | None = None
        self._to_merge: list[Merging] = []  # see `take_to_merge`
        self._changing = threading.Lock()  # held while a hosting is shown to others, or ends

    @property
    def hosts(self) -> bool:
        """Whether this program hosts the room. Any thread."""
        return self.hosting is not None

    # ---- for the reader thread of our member

    def met(self, card: Card) -> None:
        """A host with this card has admitted us."""
        self._card = card
        self.owner = self.owner or card.owner == self._identity.public

    def open_copy(self, papers: Papers) -> Replica | None:
        self._finish()
        replica = open_kept(self._home, papers, self._identity, self._folder)
        self._copied_to = replica.path if replica is not None else None
        return replica

    def listen(self, state: Callable[[], tuple[Papers, Peer]], page: Callable[[], str] | None) -> tuple[int, int]:
        self._state = state
        if self._port is None:
            self._port = self._open_wished_port()
        if page is None:
            self._port.close_pages()
        else:
            last = self._page_at or self._wishes.doors.get("web_port") or 0
            await_browsers(self._port, self._identity, self._on, page, last)
        return self._port.port, self._port.web_port

    def _open_wished_port(self) -> StandbyPort:
        if wanted := self._wishes.doors.get("port"):
            with suppress(LanchatError):  # another program has it; any other port does as well, as members are told
                return self._open_port(wanted)
        return self._open_port()

    def _open_port(self, port: int | None = None) -> StandbyPort:
        assert self._card is not None
        copy = lambda: self._copied_to  # noqa: E731
        return StandbyPort(
            self._identity, self._on, self._card, self._state, DEFAULT_LIMITS, self._timing, port, copy=copy
        )

    @property
    def host_at(self) -> tuple[Endpoint, ...]:
        return (self._dialer.last,)

    def begin_hosting(self, promotion: Promotion) -> bytes:
        assert self._card is not None and self._port is not None
        port, wishes = self._port, self._wishes
        if index_of(promotion.epoch) == OWNER_INDEX:
            room = promotion.papers.room
            wishes = replace(wishes, keep=kept_retention(self._home, room, self._folder, wishes.keep))
        try:
            self.hosting = self._unshown = host_copy(
                promotion,
                rules_of(promotion.replica),
                self._card,
                self._identity,
                port,
                nick=self._nick(),
                password=self._password,
                on=self._on,
                wishes=wishes,
                yielded=self.yielded,
                on_problem=self._on_problem,
                timing=self._timing,
            )
        except (LanchatError, OSError, RuntimeError) as error:
            if not port.is_open:
                self._port = None
                with suppress(LanchatError, OSError, RuntimeError):
                    self._port = self._open_port(port.port)  # the next host may need our copy
            if isinstance(error, LanchatError):
                raise
            raise LanchatError(f"This computer cannot host the room: {error}.") from error  # no thread is left, say
        self._port = None
        host = self.hosting.host
        self._dialer.local = host.connect
        assert host.moving is not None
        return host.moving.paper

    @property
    def guest_ports(self) -> tuple[int, int, int]:
        ports = self.hosting.host.ports if self.hosting is not None else {}
        return ports.get("plain", 0), ports.get("irc", 0), ports.get("irc-tls", 0)

    def take_to_merge(self) -> Sequence[Merging]:
        to_merge, self._to_merge = self._to_merge, []
        return to_merge

    def end_hosting(self) -> None:
        self._dialer.local = self._unshown = None
        if self.hosting is not None:
            self.hosting.close()
            self.hosting = None

    def settled(self) -> None:
        """A host has admitted our member again. If that host is our own, others can find it from now on."""
        self._dialer.settled()
        hosting, self._unshown = self._unshown, None
        if hosting is not None:
            self._showing = threading.Thread(target=self._show, args=(hosting,), name="show")
            try:
                self._showing.start()  # this takes a moment, and the reader has no time
            except RuntimeError as error:
                self._showing = None
                self._on_problem(_UNSEEN.format(error))

    def _show(self, hosting: Hosting) -> None:
        with self._changing:
            if self.hosting is not hosting:
                return  # it is over already
            if trouble := self._on.trouble():  # then this computer was cut off
                self._on_problem(unreachable_text(trouble))
            try:
                hosting.show(self._on_problem, self._timing)
            except (OSError, RuntimeError) as error:  # no file descriptor or no thread is left
                self._on_problem(_UNSEEN.format(error))
            path = hosted_path(self._home, hosting.host.room_id)
            if path is None or not self.owner:
                return
            try:
                hosting.naming = begin_naming(hosting, self._identity, path, self._on_problem, self._timing)
            except (LanchatError, RuntimeError) as error:
                self._on_problem(str(error))

    # ---- any thread

    def copy_files(self, member: Member) -> None:
        """Copy the files of the room as well, while this computer is a standby. To be called once."""
        every = self._timing.file_copies
        self._copies = FileCopies(self._files, member.delivery.host, member.transfers, every, lambda: self.owner)

    def _files(self) -> Path | None:
        """The folder for copies of files; None: this computer is not a standby now, or hosts the room."""
        log, follows = self._copied_to, self._port is not None and self.hosting is None
        return log.parent / FILES if log is not None and follows else None

    def yielded(self) -> None:
        """Our host has handed the room to another computer: close it, which takes a moment."""
        with self._changing:
            hosting, self.hosting = self.hosting, None
            self._dialer.local = None
            if hosting is None:
                return
            self._page_at = hosting.host.ports.get("web", 0)
            hosting.close()
            moving = hosting.host.moving
            successor = moving.successor if moving is not None else ""
            self._to_merge = moving.to_merge() if moving is not None else []
            if self.owner and successor:
                try:
                    self.signing().hand(successor)
                except LanchatError as error:
                    _log.warning("not noted who hosts the room: %s", error)

    def _finish(self) -> None:
        """Wait until an ended hosting has closed its log."""
        if self._showing is not None:
            join_started(self._showing)
        with self._changing:
            pass

    def signing(self) -> Signing:
        """Signs lists of standbys for a room of ours.

        Raises:
            LanchatError: this computer has nothing to do it with.
        """
        assert self._card is not None
        return signing_of(self._home, self._card, self._identity, owner=self.owner)

    @property
    def continues(self) -> bool:
        """Whether `lanchat host TITLE` goes on with the room at this computer, while nobody hosts it."""
        return self._card is not None and continues_here(self._home, self._card, owner=self.owner)

    def hide(self) -> None:
        """From now on nobody finds a room that we host."""
        if self._showing is not None:
            join_started(self._showing)
        if self.hosting is not None:
            self.hosting.hide()

    def close(self, *, end: bool = False) -> None:
        """After our member has left. May be called twice.

        Args:
            end: close a room that we host; else a standby goes on with it, if there is one.
        """
        hosting = self.hosting
        if hosting is not None and not end and hosting.host.moving is not None and hosting.host.people:
            if trouble := hosting.host.moving.hand_over():
                _log.info("the room closes: %s", trouble)
            else:
                self.successor = hosting.host.moving.successor
                self.yielded()  # the host calls it as well, perhaps later
        self._finish()
        if self._copies is not None:
            self._copies.close()
        with self._changing:  # or our host may yield just now
            hosting, self.hosting = self.hosting, None
        if hosting is not None:
            hosting.close(end=end and self.owner)
        if self._port is not None:
            self._port.close()
        if self._folder is not None:
            self._folder.close()
