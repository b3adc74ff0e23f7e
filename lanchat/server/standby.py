"""The port of a standby: it shows a card that says who hosts the room and who keeps copies, and lets nobody in.

Another standby that has lost the host may also read the copy (server/copy.py).

The host reads the card to check that the port can be reached, and members that look for the room read it. Once this
computer hosts the room, the same port belongs to the host.
"""

import logging
import secrets
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.network.allowance import Allowance
from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.network.listen import Listeners
from lanchat.protocol.fields import NONCE_SIZE
from lanchat.protocol.framing import encode
from lanchat.protocol.limits import Limits, TokenBucket
from lanchat.protocol.messages import VERSION, Card, Refused
from lanchat.protocol.papers import Papers
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import Channel, TlsChannel, server_context
from lanchat.room.succession import UNABLE, Peer
from lanchat.server.acceptor import Acceptor
from lanchat.server.admission import Admission, source_of
from lanchat.server.copy import give_copy
from lanchat.server.doors.base import Door, WaitingDoor
from lanchat.server.quotas import Quota
from lanchat.server.readers import Readers
from lanchat.server.session import Reading
from lanchat.storage.identity import Identity
from lanchat.threads import Closable

_BYTES = 16 * 1024.0  # a stranger may send so many at once, and so many a second; a hello has fewer
_BUSY = encode(Refused("busy", "This computer keeps a copy of the room. Another one still hosts it."))

_log = logging.getLogger(__name__)


class StandbyPort(Closable):
    """Listens from the start to `close` or `release`. All methods are for one thread.

    Args:
        on: our own addresses to listen on.
        port: None for 47474 or the next free one, 0 for any.
        card: what the host of the room shows, from which the standby's card is made.
        state: returns the papers, and what this standby has to show; called from other threads.
        copy: returns where the log of the copy is; None: there is none. Called from other threads, too.

    Raises:
        LanchatError: it cannot listen.
        OSError, RuntimeError: this process has no file descriptor or no thread left.
    """

    name = "standby"

    def __init__(
        self,
        identity: Identity,
        on: OwnAddresses,
        card: Card,
        state: Callable[[], tuple[Papers, Peer]],
        limits: Limits,
        timing: Timing,
        port: int | None = None,
        copy: Callable[[], Path | None] = lambda: None,
    ) -> None:
        self._card, self._identity, self._copy = card, identity, copy
        self._state = state
        self._limits = limits
        self._tls = server_context(identity.certificate_path, identity.key_path)
        self._admission = Admission(limits)
        self._readers = Readers()
        self._on = on
        self._pages: WaitingDoor | None = None
        self._for_pages: Listeners | None = None
        with ExitStack() as undo:
            self._flusher = Flusher("standby-flusher", timing)
            undo.callback(self._flusher.close)
            self._listeners = Listeners(on, port)
            undo.callback(self._listeners.close)
            door: Door = self
            self._acceptor = Acceptor([(door, self._listeners)], self._accepted, timing.own_addresses)
            undo.callback(self._acceptor.detach)
            undo.callback(self._acceptor.stop)
            self._acceptor.start()
            undo.pop_all()
        self._open = True
        _log.info("a standby of room %s on port %s", card.room, self.port)

    @property
    def port(self) -> int:
        return self._listeners.port

    @property
    def is_open(self) -> bool:
        """Whether the port answers."""
        return self._open

    @property
    def web_port(self) -> int:
        """The port for browsers; 0: none is open."""
        return self._for_pages.port if self._for_pages is not None else 0

    def open_pages(self, pages: WaitingDoor, port: int | None, first_port: int) -> None:
        """Answer browsers as well.

        Raises:
            LanchatError: it cannot listen.
        """
        self._pages, self._for_pages = pages, Listeners(self._on, port, first_port)
        self._acceptor.open_door(pages, self._for_pages)

    def close_pages(self) -> None:
        """Answer no browsers any more."""
        if self._pages is not None:
            self._acceptor.close_door(self._pages)
            self._pages = self._for_pages = None

    def release(self) -> list[Listeners]:
        """Stop answering, and return the listeners for members and for browsers. New connections wait meanwhile."""
        self._stop()
        return [self._listeners, *([self._for_pages] if self._for_pages is not None else [])]

    def close(self) -> None:
        """May be called twice."""
        if self._open:
            for listeners in self.release():
                listeners.close()

    def _stop(self) -> None:
        self._open = False
        self._acceptor.stop()
        self._acceptor.detach()
        self._readers.finish(0.0)
        self._flusher.close()

    # ---- as a door

    def channel(self, sock: socket.socket) -> Channel:
        return TlsChannel(self._tls, server=True)

    def greet(self, link: Link, quota: Quota) -> Reading | None:
        raise NotImplementedError("nobody is let in")

    def _accepted(self, sock: socket.socket, address: str, door: Door) -> None:
        source = source_of(address)
        if not self._admission.accepts(source):
            sock.close()
            return
        try:
            link = Link(sock, door.channel(sock), self._flusher)
        except OSError:
            sock.close()
            return
        link.limit_bytes(Allowance(TokenBucket(_BYTES, _BYTES, 0.0)))
        self._admission.begin(link, source)
        try:
            self._readers.start(link, lambda: self._answer(link, door))
        except RuntimeError:  # no thread is left
            self._end(link)

    def _answer(self, link: Link, door: Door) -> None:
        try:
            link.within(self._limits.greeting, "late", "did not say hello in time")
            link.establish()
            if door is self._pages:
                self._pages.answer(link)
                return
            card = self._card_of_now()
            link.send(encode(card))
            if (data := link.receive()) and not self._gives_copy(link, data, card):
                link.finish(_BUSY)
                link.drain()
        except LanchatError as error:
            _log.info("dropped %s: %s", link.peer, error)
        finally:
            self._end(link)

    def _end(self, link: Link) -> None:
        self._admission.end(link)
        link.close()
        self._readers.done(link)

    def _gives_copy(self, link: Link, data: bytes, card: Card) -> bool:
        """Give the copy to another standby that has lost the host as we have. Returns whether the client was one."""
        log = self._copy() if card.standby != "hears" and card.seq >= 0 else None
        return log is not None and give_copy(link, data, card, self._identity, self._may_read, log)

    def _may_read(self, key: bytes) -> bool:
        papers, _ = self._state()
        return papers.names(key)

    def _card_of_now(self) -> Card:
        card, (papers, peer) = self._card, self._state()
        return Card(
            VERSION,
            card.room,
            card.title,
            card.host,
            card.people,
            card.password,
            secrets.token_bytes(NONCE_SIZE),
            owner=papers.owner,
            delegation=papers.delegation,
            term=papers.term,
            standby=peer.state if peer.able or peer.state == "hears" else UNABLE,
            seq=peer.seq if peer.complete else -1,
            sync=peer.sync,
        )
