"""Somebody who connects to a host and sends it what a true client would not."""

import socket
import ssl
from typing import Any, Self

import msgspec

from lanchat.protocol.fields import NONCE_SIZE
from lanchat.protocol.framing import FROM_HOST, decode, encode
from lanchat.protocol.handshake import MemberGreeting
from lanchat.protocol.keys import certificate_key
from lanchat.protocol.messages import Card, FromMember, Hello, Refused, Welcome
from lanchat.protocol.tls import client_context
from lanchat.storage.identity import Identity
from tests.support.waiting import PATIENCE


class Stranger:
    """A client that sends a host anything. One thread."""

    def __init__(self, port: int, source: str = "127.0.0.66") -> None:
        self.socket: socket.socket | ssl.SSLSocket = socket.create_connection(
            ("127.0.0.1", port), timeout=PATIENCE, source_address=(source, 0)
        )
        self.certificate = b""
        self._got = b""

    def tls(self) -> Self:
        self.socket = wrapped = client_context().wrap_socket(self.socket)
        self.certificate = wrapped.getpeercert(binary_form=True) or b""
        return self

    def send(self, *what: bytes | FromMember) -> None:
        self.socket.sendall(b"".join(item if isinstance(item, bytes) else encode(item) for item in what))

    def line(self) -> bytes:
        """The next line; b"" at the end."""
        while b"\n" not in self._got:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return b""
            self._got += data
        line, _, self._got = self._got.partition(b"\n")
        return line

    def hear(self, kind: type | None = None) -> Any:
        """The next message, of this kind; None at the end."""
        while line := self.line():
            message = decode(line, FROM_HOST)
            if kind is None or isinstance(message, kind):
                return message
        return None

    def greeting(self, who: Identity, nick: str, **options: Any) -> MemberGreeting:
        return MemberGreeting(
            nick=nick,
            key=who.public,
            nonce=bytes(NONCE_SIZE),
            sign=who.sign,
            certificate=self.certificate,
            host_key=certificate_key(self.certificate),
            **options,
        )

    def hello(self, who: Identity, name: str, /, card: Card | None = None, **changes: Any) -> Hello:
        """An honest hello, but for the changes made after it was signed."""
        hello = self.greeting(who, name).hello(msgspec.structs.replace(card or self.hear(Card), password=False))
        return msgspec.structs.replace(hello, **changes)

    def come_in(self, who: Identity, nick: str) -> Welcome | Refused:
        self.tls().send(self.hello(who, nick))
        return self.hear(Welcome | Refused)  # type: ignore[arg-type, no-any-return]

    def gone(self) -> bytes:
        """What the host still says until it has hung up; fails where it never does."""
        try:
            while data := self.socket.recv(65536):
                self._got += data
        except TimeoutError:
            raise AssertionError("the host did not hang up") from None
        except OSError:
            pass
        return self._got

    @property
    def hung_up(self) -> bool:
        """Whether the host has hung up by now; what it has said is lost."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)

    def close(self) -> None:
        self.socket.close()
