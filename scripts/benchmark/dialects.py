"""How a client of each kind of server joins, talks and listens. No I/O: a greeting is a generator.

greeting = dialect.greet(7, certificate)
send(next(greeting))
send(greeting.send(what_came))      # ... until it returns: its value is sent too, and the client has joined
"""

import re
import secrets
from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lanchat.protocol.fields import NONCE_SIZE
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all, encode
from lanchat.protocol.handshake import MemberGreeting
from lanchat.protocol.keys import certificate_key
from lanchat.protocol.messages import Card, Ping, Pong, Welcome

Greeting = Generator[bytes, bytes, bytes]


class Dialect(Protocol):
    """The protocol of a server, as far as the load generator needs it."""

    @property
    def tls(self) -> bool: ...
    @property
    def echoes(self) -> bool:
        """Whether a sender gets its own messages too."""

    @property
    def noise(self) -> re.Pattern[bytes] | None:
        """Lines for a single member that are no messages."""

    def greet(self, number: int, certificate: bytes) -> Greeting:
        """Join as member `number`."""

    def say(self, text: bytes, id: int) -> bytes: ...

    def reply(self, data: bytes) -> bytes:
        """The answer that these bytes need; empty where they need none."""


@dataclass(frozen=True)
class Native:
    """A lanchat member: TLS, hello with its proof, JSON lines."""

    tls: bool = True
    echoes: bool = True
    noise: re.Pattern[bytes] | None = re.compile(rb'\{"t":"(?:ack|ping)"[^\n]*\n')

    def greet(self, number: int, certificate: bytes) -> Greeting:
        splitter = LineSplitter()
        messages = decode_all(splitter.feed((yield b"")), FROM_HOST)
        while not messages:
            messages = decode_all(splitter.feed((yield b"")), FROM_HOST)
        card = messages.pop(0)
        assert isinstance(card, Card), card
        key = Ed25519PrivateKey.generate()
        greeting = MemberGreeting(
            nick=f"m{number:04}",
            key=key.public_key().public_bytes_raw(),
            nonce=secrets.token_bytes(NONCE_SIZE),
            sign=key.sign,
            certificate=certificate,
            host_key=_host_key(certificate),
        )
        messages = decode_all(splitter.feed((yield encode(greeting.hello(card)))), FROM_HOST)
        while not messages:
            messages = decode_all(splitter.feed((yield b"")), FROM_HOST)
        welcome = messages.pop(0)
        assert isinstance(welcome, Welcome), welcome
        people = len(messages)  # counted and not decoded: a thousand for each of a thousand would take too long
        while people < welcome.people:
            people += (yield b"").count(b"\n")
        return b""

    def say(self, text: bytes, id: int) -> bytes:
        return b'{"t":"say","id":"%d","text":"%s"}\n' % (id, text)

    def reply(self, data: bytes) -> bytes:
        return _PONG if _PING in data else b""


_host_key = lru_cache(certificate_key)  # all members meet the same host
_PING, _PONG = encode(Ping()).rstrip(b"}\n"), encode(Pong())


@dataclass(frozen=True)
class Plain:
    """The classic line chat: lanchat's plain door, and the naive server."""

    tls: bool = False
    echoes: bool = False
    noise: re.Pattern[bytes] | None = None

    def greet(self, number: int, certificate: bytes) -> Greeting:
        while not (yield b"").endswith(b": "):
            pass
        return b"m%04d\n" % number

    def say(self, text: bytes, id: int) -> bytes:
        return text + b"\n"

    def reply(self, data: bytes) -> bytes:
        return b""


@dataclass(frozen=True)
class Relay:
    """The raw limit. It passes lines on as they are, so it gets the lines that the other server would have sent.

    Args:
        like: the form of a line there, with %b for the text.
    """

    tls: bool = False
    like: bytes = b"m0001: %b\n"
    echoes: bool = True
    noise: re.Pattern[bytes] | None = None

    def greet(self, number: int, certificate: bytes) -> Greeting:
        return b""
        yield b""  # a generator all the same

    def say(self, text: bytes, id: int) -> bytes:
        return self.like % text

    def reply(self, data: bytes) -> bytes:
        return b""


@dataclass(frozen=True)
class Irc:
    """An IRC client.

    Args:
        joins: whether it has to send JOIN; lanchat's door joins who has registered.
    """

    tls: bool = False
    echoes: bool = False
    noise: re.Pattern[bytes] | None = re.compile(rb"PING[^\n]*\n")
    channel: bytes = b"#bench"
    joins: bool = True

    def greet(self, number: int, certificate: bytes) -> Greeting:
        data = yield b"NICK m%04d\r\nUSER m%04d 0 * :m\r\n" % (number, number)
        seen = data
        while (b" 001 " if self.joins else b" 366 ") not in seen:
            data = yield self.reply(data)
            seen += data
        if not self.joins:
            return b""
        data = yield b"JOIN %b\r\n" % self.channel
        tail = data
        while b" 366 " not in tail:
            data = yield self.reply(data)
            tail = tail[-64:] + data
        return b""

    def say(self, text: bytes, id: int) -> bytes:
        return b"PRIVMSG %b :%b\r\n" % (self.channel, text)

    def reply(self, data: bytes) -> bytes:
        return b"".join(b"PONG %b\r\n" % token for token in _IRC_PING.findall(data)) if b"PING " in data else b""


_IRC_PING = re.compile(rb"(?:^|\n)(?::\S+ )?PING ([^\r\n]*)")


@dataclass(frozen=True)
class Nats:
    tls: bool = False
    echoes: bool = False
    noise: re.Pattern[bytes] | None = re.compile(rb"PING\r\n")

    def greet(self, number: int, certificate: bytes) -> Greeting:
        while b"\n" not in (yield b""):
            pass
        data = yield b'CONNECT {"verbose":false,"pedantic":false,"echo":false}\r\nSUB bench 1\r\nPING\r\n'
        while b"PONG" not in data:
            data = yield b""
        return b""

    def say(self, text: bytes, id: int) -> bytes:
        return b"PUB bench %d\r\n%b\r\n" % (len(text), text)

    def reply(self, data: bytes) -> bytes:
        return b"PONG\r\n" if b"PING\r\n" in data else b""
