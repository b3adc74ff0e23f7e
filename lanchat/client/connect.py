"""The first lines with a host: its card, our hello, its welcome. In the thread that will read the link."""

import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from lanchat import errors
from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.network.password import Exchange, stretch
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all, encode
from lanchat.protocol.handshake import MemberGreeting, check_version
from lanchat.protocol.keys import certificate_key
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import NONCE_SIZE, Card, FromHost, Ping, Present, Welcome
from lanchat.protocol.tls import Context, TlsChannel
from lanchat.storage.identity import Identity

HOST_RATE = 64 * 1024 * 1024  # bytes a second; no host has so much to say. With it, noise without content is limited
GREETING_LIMIT = 10.0  # s in all for TLS and card, and from then on for each sign of life
WELCOME_LIMIT = 120.0  # s in all for a host that is trusted; 200 people and 50 long lines over 2 kB/s

Trust = Callable[[Card, bytes], None]  # a host's card and raw public key; raises what speaks against them


@dataclass(frozen=True)
class Credentials:
    """Who we are, and what we know of where we go.

    Args:
        trust: called before anything of ours is sent.
        password: for a locked room.
        after: the last seq we have of this room; -1: we come anew.
    """

    identity: Identity
    nick: str
    trust: Trust
    password: str | None = field(default=None, repr=False)
    after: int = -1


@dataclass(frozen=True)
class Accepted:
    """We are in."""

    card: Card
    host_key: bytes  # raw public key
    welcome: Welcome
    present: tuple[Present, ...]
    rest: list[FromHost]  # what came after it in the same read


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


def enter(link: Link, channel: TlsChannel, splitter: LineSplitter, who: Credentials) -> Accepted:
    """All of it.

    Raises:
        LanchatError: no lanchat, not trusted, refused, ...
    """
    link.limit_bytes(HOST_RATE, HOST_RATE)
    link.within(GREETING_LIMIT, "it did not answer in time")
    card, host_key, certificate = read_card(link, channel, splitter)
    check_version(card)
    who.trust(card, host_key)
    link.keepalive.silence = (
        GREETING_LIMIT  # on a slow way the welcome alone, with all who are there, may take longer ...
    )
    link.within(WELCOME_LIMIT, "it did not let us in in time")  # ... and a stranger was not given so long
    greeting = MemberGreeting(
        nick=who.nick,
        key=who.identity.public,
        nonce=secrets.token_bytes(NONCE_SIZE),
        sign=who.identity.sign,
        certificate=certificate,
        host_key=host_key,
        after=who.after,
        exchange=None if who.password is None else _exchange(who.password, who.identity.public),
    )
    link.send(encode(greeting.hello(card)))
    welcome: Welcome | None = None
    messages: list[FromHost] = []
    while welcome is None:
        messages = messages or receive(link, splitter)
        answer = greeting.receive(messages.pop(0))
        if isinstance(answer, Welcome):
            welcome = answer
        elif answer is not None:
            link.send(encode(answer))
    if welcome.people > MAX_PEOPLE:
        raise errors.ProtocolError(f"the host speaks of {welcome.people} people in one room")
    while len(messages) < welcome.people:
        messages += receive(link, splitter)
    present = tuple(message for message in messages[: welcome.people] if isinstance(message, Present))
    if len(present) < welcome.people:
        raise errors.ProtocolError("the host did not say who is in the room")
    link.within(None)
    return Accepted(card, host_key, welcome, present, messages[welcome.people :])


@dataclass(frozen=True)
class Connection:
    """A link on which we are in a room."""

    link: Link
    splitter: LineSplitter
    accepted: Accepted


def connect(
    dial: Callable[[], socket.socket],
    tls: Context,
    flusher: Flusher,
    who: Credentials,
    begin: Callable[[Link], None],
) -> Connection:
    """Reach a host and be let in.

    Args:
        begin: gets the link before anything is said on it.

    Raises:
        LanchatError: nobody there, and all that `enter` raises.
    """
    try:
        sock = dial()
    except OSError as error:  # not even a socket
        raise errors.ConnectionLost(f"this machine cannot open a connection ({error.strerror})") from None
    channel, splitter = TlsChannel(tls, server=False), LineSplitter()
    try:
        link = Link(sock, channel, flusher)
    except OSError as error:  # hung up at once: on some systems such a socket takes no options
        sock.close()
        raise errors.ConnectionLost(f"the host hung up ({error.strerror})") from None
    begin(link)
    try:
        accepted = enter(link, channel, splitter, who)
    except BaseException:
        link.close()
        raise
    link.keepalive.keep_alive(encode(Ping()))
    return Connection(link, splitter, accepted)


def receive(link: Link, splitter: LineSplitter) -> list[FromHost]:
    """The next messages of the host, at least one. Waits.

    Raises:
        ConnectionLost: the link is over.
        ProtocolError: this is no host any more.
    """
    while True:
        data = link.receive()
        if not data:
            raise errors.ConnectionLost(f"the host is gone ({link.reason})")
        if messages := decode_all(splitter.feed(data), FROM_HOST):
            return messages


def _exchange(password: str, member: bytes) -> Callable[[str, bytes], Exchange]:
    def begin(room: str, certificate: bytes) -> Exchange:
        return Exchange(stretch(password, room), host=False, member=member, certificate=certificate)

    return begin
