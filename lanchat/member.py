"""The client: connect, see who the host is, say who we are, then events as they come.

A member has one reader thread; everything that arrives goes through `take()`, to one thread that owns
what it makes of it. `say()` and `close()` are for any thread.
"""

import logging
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from lanchat import errors
from lanchat.net.flusher import Flusher
from lanchat.net.identity import Identity, certificate_key
from lanchat.net.link import Link
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all, encode
from lanchat.protocol.handshake import MemberGreeting, check_version
from lanchat.protocol.messages import (
    NONCE_SIZE,
    Ack,
    Bye,
    Card,
    Closing,
    Event,
    FromHost,
    FromMember,
    Joined,
    Left,
    Notice,
    Ping,
    Pong,
    Present,
    Rename,
    Renamed,
    Said,
    Say,
    Welcome,
)
from lanchat.protocol.text import clean_nick, clean_text
from lanchat.protocol.tls import TlsChannel, client_context
from lanchat.room.inbox import Inbox

GREETING_LIMIT = 10.0  # s in all for TLS, card and welcome
FAREWELL = 0.5  # s for the host to take our goodbye; leaving must feel like leaving
QUEUE_LIMIT = 10_000  # items taken by nobody; then we stop reading, and the host drops us when it has to

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Came:
    """We are in: comes first, once for each connection."""

    card: Card
    welcome: Welcome
    present: tuple[Present, ...]


@dataclass(frozen=True)
class Kept:
    """These messages of ours, by their ids, are on the host's disk."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """The last item."""

    error: errors.LanchatError


Item = Came | Event | Kept | Notice | Ended


class Member:
    """One person in one room.

    Args:
        dial: makes the connection.
        listen: False for whoever only talks: arriving events are thrown away.
    """

    def __init__(
        self, dial: Callable[[], socket.socket], identity: Identity, nick: str, *, listen: bool = True
    ) -> None:
        self.nick = clean_nick(nick)
        self._dial = dial
        self._identity = identity
        self._listen = listen
        self._items: Inbox[Item] = Inbox(QUEUE_LIMIT)
        self._ids = count(1)
        self._prefix = secrets.token_hex(8)  # of the ids of what we say in this stay
        self._me = ""
        self._splitter = LineSplitter()
        self._link: Link | None = None
        self._flusher: Flusher | None = None
        self._reader: threading.Thread | None = None
        self._closed = False
        self._unkept: dict[str, int] = {}  # our messages by id, with their seq once it is known
        self._kept = threading.Condition()  # guards _unkept and _over
        self._over: errors.LanchatError | None = None

    def join(self) -> Came:
        """Connect and be let in.

        Raises:
            LanchatError: nobody there, no lanchat, refused, ...
        """
        sock = self._dial()
        sock.settimeout(None)
        self._flusher = Flusher("member-flusher")
        channel = TlsChannel(client_context(), server=False)
        self._link = link = Link(sock, channel, self._flusher)
        try:
            came, rest = self._greet(link, channel)
        except BaseException:
            link.close()
            self._flusher.close()
            raise
        self._me = came.welcome.id
        self._reader = threading.Thread(target=self._read, args=(link, rest), name="member-reader")
        self._items.put(came)
        self._reader.start()
        return came

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        """What has come, in order; waits for a first item, at most `timeout` seconds. One thread only.

        The last item is an `Ended`; after that, and after `close()`, there is nothing but the same again.
        """
        items = self._items.take(timeout)
        if items or not self._items.closed:
            return items
        return (Ended(self._over or errors.ConnectionLost("you have left")),)

    def is_own(self, said: Said) -> bool:
        """Whether this was said by this very member object, not by the same person elsewhere. Any thread."""
        return said.by == self._me and said.id.startswith(self._prefix)

    def say(self, text: str, *, action: bool = False) -> str:
        """Say this to everyone. Never waits.

        Returns:
            The message's id, which its `Said` and its `Kept` will carry.

        Raises:
            ValueError: the text cannot be sent (empty, too long).
        """
        message = Say(f"{self._prefix}-{next(self._ids)}", clean_text(text), action)
        with self._kept:
            self._unkept[message.id] = 0
        self._send(message)
        return message.id

    def rename(self, nick: str) -> None:
        """Ask for another nick; a `Renamed` or a `Notice` follows.

        Raises:
            ValueError: it breaks the rules of a nick.
        """
        self._send(Rename(clean_nick(nick)))

    def wait_kept(self, timeout: float | None = None, *, below: int = 1) -> bool:
        """Wait until all we said is on the host's disk, or fewer than `below` messages are not yet.

        Raises:
            LanchatError: the connection ended before that.
        """
        with self._kept:
            self._kept.wait_for(lambda: len(self._unkept) < below or self._over is not None, timeout)
            kept = len(self._unkept) < below
            if not kept and self._over is not None:
                raise self._over
            return kept

    def close(self) -> None:
        """Leave the room and come to rest. May be called twice."""
        if self._closed or self._link is None or self._reader is None:
            return
        self._closed = True
        self._link.finish(encode(Bye()))
        self._items.close()
        self._reader.join(FAREWELL)
        self._link.drop("left")  # the host is in no state to say goodbye
        self._reader.join()
        assert self._flusher is not None
        self._flusher.close()

    def _send(self, message: FromMember) -> None:
        assert self._link is not None, "join() first"
        self._link.send(encode(message))

    def _greet(self, link: Link, channel: TlsChannel) -> tuple[Came, list[FromHost]]:
        link.within(GREETING_LIMIT, "it did not answer in time")
        card, host_key, certificate = read_card(link, channel, self._splitter)
        check_version(card)
        greeting = MemberGreeting(
            nick=self.nick,
            key=self._identity.public,
            nonce=secrets.token_bytes(NONCE_SIZE),
            sign=self._identity.sign,
            certificate=certificate,
            host_key=host_key,
        )
        link.send(encode(greeting.hello(card)))
        messages: list[FromHost] = []
        welcome: Welcome | None = None
        while welcome is None:
            messages = messages or self._next(link)
            answer = greeting.receive(messages.pop(0))
            if isinstance(answer, Welcome):
                welcome = answer
            elif answer is not None:
                link.send(encode(answer))
        while len(messages) < welcome.people:
            messages += self._next(link)
        present = tuple(m for m in messages[: welcome.people] if isinstance(m, Present))
        link.within(None)
        link.heartbeat = encode(Ping())
        return Came(card, welcome, present), messages[welcome.people :]

    def _next(self, link: Link) -> list[FromHost]:
        while True:
            data = link.receive()
            if not data:
                raise errors.ConnectionLost(f"the host hung up ({link.reason})")
            if messages := decode_all(self._splitter.feed(data), FROM_HOST):
                return messages

    def _read(self, link: Link, messages: list[FromHost]) -> None:
        error: errors.LanchatError
        try:
            while True:
                for message in messages:
                    self._hear(message, link)
                messages = self._next(link)
        except errors.LanchatError as caught:
            error = caught
        finally:
            link.close()
        with self._kept:
            self._over = error
            self._kept.notify_all()
        self._items.put_now(Ended(error))
        self._items.close()

    def _hear(self, message: FromHost, link: Link) -> None:
        match message:
            case Ping():
                link.send(encode(Pong()))
            case Ack(seq=seq):
                self._keep(seq)
            case Closing(code="closed", text=text):
                raise errors.ConnectionLost(text)
            case Closing(code=code, text=text):
                raise errors.Refused(text, code=code)
            case Said() | Joined() | Left() | Renamed():
                self._note_own(message)
                self._pass_on(message)
            case Notice():
                self._pass_on(message)
            case _:
                pass

    def _note_own(self, event: Event) -> None:
        if isinstance(event, Said):
            with self._kept:
                if event.id in self._unkept:
                    self._unkept[event.id] = event.seq

    def _keep(self, seq: int) -> None:
        with self._kept:
            kept = tuple(id for id, said in self._unkept.items() if 0 < said <= seq)
            for id in kept:
                del self._unkept[id]
            self._kept.notify_all()
        if kept:
            self._pass_on(Kept(kept))

    def _pass_on(self, item: Item) -> None:
        if self._listen:
            self._items.put(item)


def read_card(link: Link, channel: TlsChannel, splitter: LineSplitter) -> tuple[Card, bytes, bytes]:
    """What a host says first.

    Returns:
        The card, the host's raw public key, its certificate (DER).

    Raises:
        NotLanchat: whoever listens there is no lanchat host.
    """
    try:
        link.establish()
        certificate = channel.peer_certificate()
        host_key = certificate_key(certificate)
        lines: list[bytes] = []
        while not lines:
            data = link.receive()
            if not data:
                raise errors.NotLanchat(link.reason)
            lines = splitter.feed(data)
        first = decode_all(lines, FROM_HOST)
    except (errors.NotLanchat, errors.ProtocolError) as error:
        raise errors.NotLanchat(
            f"what listens there is no lanchat room ({link.reason or error})", "check the address and the port"
        ) from None
    if not first or not isinstance(first[0], Card):
        raise errors.NotLanchat("what listens there is no lanchat room", "check the address and the port")
    return first[0], host_key, certificate
