"""Connects to a host and runs the handshake: the host's card, our hello, the host's welcome."""

import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lanchat import errors
from lanchat.client.receiving import check_host, check_welcome
from lanchat.network.allowance import Allowance, unlimited
from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.network.password import PasswordExchange, stretch
from lanchat.protocol.fields import NONCE_SIZE
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all, encode
from lanchat.protocol.handshake import MemberGreeting
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import certificate_key
from lanchat.protocol.limits import TokenBucket
from lanchat.protocol.messages import Card, FromHost, Ping, Present, Welcome
from lanchat.protocol.papers import timeline_of
from lanchat.protocol.timeline import Timeline
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import Context, TlsChannel
from lanchat.protocol.version import check_version
from lanchat.storage.identity import Identity

HOST_RATE = 64 * 1024 * 1024  # bytes a second, which no host reaches; a link with a rate also limits empty records

Trust = Callable[[Card, bytes], None]  # takes a host's card and raw public key; raises an error to refuse them


@dataclass(frozen=True)
class Credentials:
    """Our identity and nick, and what we expect of the host.

    Args:
        trust: called before our hello is sent.
        password: of the room; None: we know none.
        after: takes the timeline of the host, or None, and returns the seq after which events are missing here; -1 for
            a newcomer.
        standby: whether this computer may be named a standby, as in a hello.
        papers: the newest delegation that we know, and the record of the last host.
        bot: a program speaks on this link, and no person.
    """

    identity: Identity
    nick: str
    trust: Trust
    password: str | None = field(default=None, repr=False)
    after: Callable[[Timeline | None], int] = lambda timeline: -1
    standby: int = 0
    papers: Callable[[], tuple[bytes, bytes]] = lambda: (b"", b"")
    bot: bool = False


class HostReader:
    """Reads a host's messages from a link. Owned by the link's reader thread."""

    def __init__(self, link: Link, splitter: LineSplitter) -> None:
        self._link = link
        self._splitter = splitter
        self._messages: list[FromHost] = []

    def next(self) -> FromHost:
        """The next message. Waits; raises as `read`."""
        self._messages = self._messages or self.read()
        return self._messages.pop(0)

    def read(self) -> list[FromHost]:
        """All messages that have come, at least one. Waits.

        Raises:
            ConnectionLost: the link is over.
            ProtocolError: the host broke the rules of the protocol.
        """
        messages, self._messages = self._messages, []
        while not messages:
            data = self._link.receive()
            if not data:
                raise errors.ConnectionLost(f"Lost the connection to the host: {self._link.reason}.")
            messages = decode_all(self._splitter.feed(data), FROM_HOST)
        return messages


@dataclass(frozen=True)
class Connection:
    """A link to a host that has admitted us to its room.

    Args:
        host_key: the raw public key that the host showed.
        took: s until the card came, which says how slow the network to the host is.
    """

    link: Link
    reader: HostReader
    card: Card
    host_key: bytes
    welcome: Welcome
    present: tuple[Present, ...]
    after: int = -1  # the seq after which events were missing here
    took: float = 0.0

    @property
    def host_id(self) -> str:
        """The member id of the host's key, whatever the host claims."""
        return member_id(self.host_key)


def read_card(link: Link, channel: TlsChannel, splitter: LineSplitter) -> tuple[Card, bytes, bytes]:
    """Read the first line of a host.

    Returns:
        The card, the host's raw public key, its certificate (DER).

    Raises:
        NotLanchat: the other side is no lanchat host.
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
            f"Something other than lanchat answers there ({(link.reason or str(error)).rstrip('.')}).",
            "Check the address and the port.",
        ) from None
    if not first or not isinstance(first[0], Card):
        raise errors.NotLanchat("Something other than lanchat answers there.", "Check the address and the port.")
    return first[0], host_key, certificate


def connect(
    dial: Callable[[], socket.socket],
    tls: Context,
    flusher: Flusher,
    who: Credentials,
    begin: Callable[[Link], None],
    deadline: float | None = None,
    card_within: float | None = None,
) -> Connection:
    """Connect to a host and enter its room. Called in the thread that will read the link.

    Args:
        begin: called with the link before anything is sent on it.
        deadline: when to give up, by `time.monotonic()`; None: only the usual limits count.
        card_within: s for the host to show its card; None: as usual.

    Raises:
        LanchatError: no host answers, or it is not trusted, or it refuses us, ...
    """
    with opened(dial, tls, flusher, begin) as (link, channel):
        connection = greet(link, channel, who, flusher.timing, deadline, card_within)
    link.within(None)
    link.keepalive.begin(encode(Ping()))
    return connection


def connect_transfer(
    dial: Callable[[], socket.socket], tls: Context, flusher: Flusher, host_key: bytes, begin: Callable[[Link], None]
) -> Link:
    """Open a link for the bytes of a file. It is ready for a ticket. Called in the thread that will read it.

    Args:
        begin: called with the link before anything is sent on it.

    Raises:
        LanchatError: the host does not answer, or another one does.
    """
    with opened(dial, tls, flusher, begin) as (link, channel):
        link.limit_bytes(unlimited())
        link.stall = flusher.timing.transfer_stall
        link.within(flusher.timing.greeting, "late", "it did not answer in time")
        _, key, _ = read_card(link, channel, LineSplitter())
        if key != host_key:
            raise errors.ConnectionLost("Another host answered there.")
    link.within(None)
    return link


@contextmanager
def opened(
    dial: Callable[[], socket.socket], tls: Context, flusher: Flusher, begin: Callable[[Link], None]
) -> Iterator[tuple[Link, TlsChannel]]:
    """A new link and its channel. An error in the `with` statement closes it; else it stays open.

    Raises:
        ConnectionLost: there is no connection.
    """
    try:
        sock = dial()
    except OSError as error:  # the system gives no more sockets
        raise errors.ConnectionLost(f"This machine cannot open a connection ({error.strerror}).") from None
    channel = TlsChannel(tls, server=False)
    try:
        link = Link(sock, channel, flusher)
    except OSError as error:  # the host hung up at once; on some systems such a socket takes no options
        sock.close()
        raise errors.ConnectionLost(f"The host hung up ({error.strerror}).") from None
    try:
        begin(link)
        yield link, channel
    except BaseException:
        link.close()
        raise


def greet(
    link: Link,
    channel: TlsChannel,
    who: Credentials,
    timing: Timing,
    deadline: float | None = None,
    card_within: float | None = None,
) -> Connection:
    """Run the handshake on a new link, by the rules of `MemberGreeting`."""
    splitter = LineSplitter()
    link.limit_bytes(Allowance(TokenBucket(HOST_RATE, HOST_RATE, time.monotonic())))
    link.within(_within(card_within or timing.greeting, deadline), "late", "it did not answer in time")
    began = time.monotonic()
    card, host_key, certificate = read_card(link, channel, splitter)
    took = time.monotonic() - began
    who.trust(card, host_key)  # first, because another host must not end a conversation by its version
    check_version(card)
    # On a slow network the welcome alone may take longer. Only a trusted host is given that time.
    link.keepalive.silence = timing.greeting
    link.within(_within(timing.welcome, deadline), "late", "it did not let us in in time")
    after = who.after(timeline_of(card))
    greeting = MemberGreeting(
        nick=who.nick,
        key=who.identity.public,
        nonce=secrets.token_bytes(NONCE_SIZE),
        sign=who.identity.sign,
        certificate=certificate,
        host_key=host_key,
        after=after,
        standby=who.standby,
        papers=who.papers(),
        bot=who.bot,
        exchange=None if who.password is None else _exchange(who.password, who.identity.public),
    )
    link.send(encode(greeting.hello(card)))
    reader = HostReader(link, splitter)
    while greeting.result is None:
        answer = greeting.receive(reader.next())
        if answer is not None:
            link.send(encode(answer))
    connection = Connection(link, reader, card, host_key, *greeting.result, after, took)
    host_id = connection.host_id
    check_welcome(connection.welcome, who.identity.id)
    for somebody in connection.present:
        check_host(somebody, host_id)
    return connection


def _within(seconds: float, deadline: float | None) -> float:
    """The seconds that remain, at most as many as given."""
    return seconds if deadline is None else max(0.0, min(seconds, deadline - time.monotonic()))


def _exchange(password: str, member: bytes) -> Callable[[str, bytes], PasswordExchange]:
    def begin(room: str, certificate: bytes) -> PasswordExchange:
        return PasswordExchange(stretch(password, room), host=False, member=member, certificate=certificate)

    return begin
