"""The chat server: listen, accept, hand each link to its door, stop in order.

(Not `host.py`: `lanchat.host()` is the function people call, and a submodule of that name would hide it.)

    accept thread -- new socket --> one reader thread for each link --> inbox --> hub thread --> links
"""

import errno
import logging
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Protocol, Self

from lanchat.network.flusher import Flusher
from lanchat.network.identity import Identity
from lanchat.network.link import Link
from lanchat.network.listen import Spare, listen
from lanchat.network.password import stretch
from lanchat.protocol.limits import DEFAULT_LIMITS, Limits
from lanchat.protocol.messages import NONCE_SIZE, VERSION, Card
from lanchat.protocol.text import clean_nick, clean_title
from lanchat.protocol.tls import Channel, PlainChannel, TlsChannel, server_context
from lanchat.room.access import Access
from lanchat.room.room import Room
from lanchat.server.admission import Admission, source_of
from lanchat.server.doors.native import NativeDoor
from lanchat.server.doors.plain import PlainDoor
from lanchat.server.hub import Hub
from lanchat.server.readers import Readers
from lanchat.server.session import CloseRoom, Stay
from lanchat.storage.log import Log, NoLog
from lanchat.threads import Closable, Wakeup, join_started

GOODBYE_LIMIT = 1.0  # s for everybody to take the last lines and hang up, before they are cut off
_BREATH = 0.2  # s without accepting when this process has no descriptor left, not even a spare one; else accept() spins
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_log = logging.getLogger(__name__)


class _Door(Protocol):
    def greet(self, link: Link) -> Stay | None: ...


class Host(Closable):
    """A room that is open while this object is. Start, stop and everything public: any one thread.

    Args:
        nick: the name of who hosts, on the room's card.
        addresses: where to listen; None for everywhere.
        port: None for 47474 or the next free one.
        plain_port: for netcat and its kin; None for no such door.
        password: who does not know it stays out; no plain door then.
        log: where events are kept; by default nowhere.
        ephemeral: ask members to keep nothing either.
        limits: what strangers and members may do.

    Raises:
        ValueError: the title or the nick breaks its rules.
        LanchatError: it cannot listen.
    """

    def __init__(
        self,
        title: str,
        identity: Identity,
        *,
        nick: str,
        room_id: str | None = None,
        addresses: list[str] | None = None,
        port: int | None = None,
        plain_port: int | None = None,
        password: str | None = None,
        log: Log | None = None,
        bans: Mapping[str, str] | None = None,
        keep_bans: Callable[[dict[str, str]], None] = lambda bans: None,
        ephemeral: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.title = clean_title(title)
        self.nick = clean_nick(nick)
        self.room_id = room_id or secrets.token_hex(16)
        self.identity = identity
        if password is not None and plain_port is not None:
            raise ValueError("a room with a password has no plain door: it would let everybody in")
        secret = None if password is None else stretch(password, self.room_id)
        self._log = log or NoLog()
        self._tls = server_context(identity.certificate_path, identity.key_path)
        with ExitStack() as undo:
            self._listeners = listen(addresses, port)
            undo.callback(_close_all, self._listeners)
            self._plain_listeners = [] if plain_port is None else listen(addresses, plain_port)
            undo.callback(_close_all, self._plain_listeners)
            self._spare = Spare()
            undo.callback(self._spare.close)
            self._stop = Wakeup()
            undo.callback(self._stop.close)
            past = self._log.open(lambda seq: self._hub.saved(seq), lambda text: self._hub.troubled(text))
            undo.pop_all()
        room = Room(
            self.room_id,
            self.title,
            identity.id,
            past=past,
            seq=self._log.seq,
            access=Access(self._log.owners, bans),
            private=self._log.private,
            max_members=limits.members,
        )
        self._hub = Hub(room, self._log, lambda: time.time_ns() // 1_000_000, keep_bans)
        self._locked = password is not None
        self._ephemeral = ephemeral
        self._admission = Admission(limits)
        known = [id for _, id in self._log.owners]
        self._native = NativeDoor(
            identity, self._card, self._hub.inbox, self._admission, limits, self._log, secret, known
        )
        self._plain = PlainDoor(self._hub.inbox, self._admission, limits)
        self._flusher: Flusher | None = None
        self._readers = Readers()
        self._closing = False
        self._acceptor = threading.Thread(target=self._accept, name="accept")

    @property
    def port(self) -> int:
        return int(self._listeners[0].getsockname()[1])

    @property
    def plain_port(self) -> int | None:
        return int(self._plain_listeners[0].getsockname()[1]) if self._plain_listeners else None

    @property
    def people(self) -> int:
        return self._hub.people

    def start(self) -> None:
        self._flusher = Flusher("host-flusher")
        self._hub.start()
        self._acceptor.start()
        _log.info("hosting room %s on port %s", self.room_id, self.port)

    def connect(self) -> socket.socket:
        """A way in for whoever hosts: a socket whose other end is served like any other link.

        It needs no network, so a host can talk in its own room whatever a firewall says.
        """
        ours, theirs = socket.socketpair()
        self._serve(theirs, self._native, TlsChannel(self._tls, server=True))
        return ours

    def close(self, reason: str = "the host has closed the room") -> None:
        """Stop accepting, say goodbye, drop the links, join their readers, stop the hub, close the log."""
        if self._closing:
            return
        self._closing = True
        if self._flusher is not None:
            self._stop.set()
            join_started(self._acceptor)
            self._hub.inbox.put_now(CloseRoom(reason))
            self._readers.finish(GOODBYE_LIMIT)
            self._hub.stop()
            self._flusher.close()
        _close_all([*self._listeners, *self._plain_listeners])
        self._stop.close()
        self._spare.close()
        self._log.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def _card(self) -> Card:
        return Card(
            VERSION,
            self.room_id,
            self.title,
            self.nick,
            self._hub.people,
            self._locked,
            secrets.token_bytes(NONCE_SIZE),
            self._ephemeral,
        )

    def _accept(self) -> None:
        doors: dict[int, tuple[_Door, Callable[[], Channel]]] = {}
        with selectors.DefaultSelector() as selector:
            selector.register(self._stop, selectors.EVENT_READ)
            for listener in self._listeners:
                selector.register(listener, selectors.EVENT_READ)
                doors[listener.fileno()] = self._native, lambda: TlsChannel(self._tls, server=True)
            for listener in self._plain_listeners:
                selector.register(listener, selectors.EVENT_READ)
                doors[listener.fileno()] = self._plain, PlainChannel
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._stop:
                        return
                    assert isinstance(key.fileobj, socket.socket)
                    door, make_channel = doors[key.fd]
                    self._accept_one(key.fileobj, door, make_channel)

    def _accept_one(self, listener: socket.socket, door: _Door, make_channel: Callable[[], Channel]) -> None:
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._send_away(listener)
            return  # else: it went away before we looked
        source = source_of(str(address[0]))
        if not self._admission.accepts(source):
            sock.close()
            return
        try:
            self._serve(sock, door, make_channel(), source)
        except (RuntimeError, OSError) as error:  # no thread left, or gone already
            _log.warning("cannot serve another link: %s", error)
            sock.close()

    def _send_away(self, listener: socket.socket) -> None:
        try:
            self._spare.send_away(listener)
        except OSError as error:
            _log.warning("cannot take another link: %s", error.strerror)
            time.sleep(_BREATH)

    def _serve(self, sock: socket.socket, door: _Door, channel: Channel, source: str = "") -> None:
        assert self._flusher is not None
        link = Link(sock, channel, self._flusher)
        self._admission.begin(link, source)
        try:
            self._readers.start(link, lambda: self._greet(link, door))
        except RuntimeError:
            self._end(link)
            raise

    def _greet(self, link: Link, door: _Door) -> None:
        """A link's first reader. Who stays gets another one: a thread that has made a handshake holds 29 KiB of
        OpenSSL's random generators and of stack until it ends."""
        stay = None
        try:
            stay = door.greet(link)
        finally:
            if stay is None:
                self._end(link)
        if stay is not None:
            try:
                self._readers.start(link, lambda: self._stay(link, stay))
            except RuntimeError:  # no thread left but this one
                self._stay(link, stay)

    def _stay(self, link: Link, stay: Stay) -> None:
        try:
            stay()
        finally:
            self._end(link)

    def _end(self, link: Link) -> None:
        """This link's reader is done with it."""
        self._admission.end(link)
        link.close()
        self._readers.done(link)


def _close_all(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()
