"""Attackers: strangers at a host's doors, and hosts that lie. Real sockets, real TLS, loopback only.

They come from 127.0.0.2 and up, which the fixture `sources` makes count as other machines.
"""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lanchat.errors import LanchatError
from lanchat.protocol.fields import NONCE_SIZE
from lanchat.protocol.framing import FROM_HOST, FROM_MEMBER, decode, encode
from lanchat.protocol.ids import member_id
from lanchat.protocol.messages import VERSION, Card, Closing, FromHost, Hello, Welcome
from lanchat.protocol.tls import TlsChannel, server_context
from lanchat.storage.identity import Identity
from tests.support.waiting import PATIENCE

ROOM = "5" * 32


class Caller:
    """A client that has connected to an evil host; for the thread that serves it.

    Keeps each byte that came (`raw`) and what was in it (`plain`).
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.socket = sock
        self.channel = TlsChannel(context, server=True)
        self.raw = b""
        self.plain = b""
        self._read = 0

    def establish(self) -> None:
        while not self.channel.established:
            if not self.read() and self.channel.ended:
                raise ConnectionError("hung up")

    def read(self) -> bytes:
        """More plain bytes, perhaps none. Raises ConnectionError at the end."""
        data = self.socket.recv(65536)
        self.raw += data
        plain = self.channel.receive(data)
        self.plain += plain
        self.socket.sendall(self.channel.waiting())
        if not data:
            raise ConnectionError("hung up")
        return plain

    def line(self) -> bytes:
        while (end := self.plain.find(b"\n", self._read)) < 0:
            self.read()
        line, self._read = self.plain[self._read : end], end + 1
        return line

    def hear(self) -> Any:
        return decode(self.line(), FROM_MEMBER)

    def send(self, *what: bytes | FromHost) -> None:
        self.send_raw(self.channel.seal(b"".join(item if isinstance(item, bytes) else encode(item) for item in what)))

    def send_raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def until_gone(self) -> None:
        """Read until they hang up."""
        try:
            while True:
                self.read()
        except OSError:
            pass


def card(**changes: Any) -> Card:
    fields: dict[str, Any] = {"room": ROOM, "title": "Room A", "host": "hal", "people": 1, "password": False, **changes}
    return Card(VERSION, nonce=bytes(NONCE_SIZE), **fields)


def let_in(caller: Caller, *more: bytes | FromHost, nick: str = "", people: int = 0, **changes: Any) -> Hello:
    """Serve card, hello and welcome like an honest host of a room without a password, and send more lines at once.

    Args:
        nick: the caller's nick according to the host; "": the caller's own.
        people: the number of `present` lines that follow.
    """
    caller.establish()
    caller.send(card(**changes))
    hello: Hello = caller.hear()
    caller.send(Welcome(member_id(hello.key), nick or hello.nick, 0, 0, people), *more)
    return hello


class LoopbackServer:
    """Serves each connection to a port of loopback in a thread of its own, until `close`.

    Args:
        serve: called with each new socket, in that thread. `close` shuts the sockets down, so that it ends.
        name: of the threads.
    """

    def __init__(self, serve: Callable[[socket.socket], object], name: str, port: int = 0) -> None:
        self._serve, self._name = serve, name
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])
        self.sockets: list[socket.socket] = []
        self._closing = False
        self._serving: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name=name)
        self._accepting.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.sockets.append(sock)
            self._serving.append(thread := threading.Thread(target=self._serve, args=(sock,), name=self._name))
            thread.start()

    def close(self) -> None:
        self._closing = True
        self._accepting.join()
        for sock in self.sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._serving:
            thread.join()
        for sock in [*self.sockets, self._listener]:
            sock.close()


class EvilHost:
    """Treats each caller with a given function, in a thread of its own."""

    def __init__(self, identity: Identity, treat: Callable[[Caller], object], port: int = 0) -> None:
        self._context = server_context(identity.certificate_path, identity.key_path)
        self._treat = treat
        self._errors: list[BaseException] = []
        self.callers: list[Caller] = []
        self._server = LoopbackServer(self._serve, "evil-host", port)
        self.port = self._server.port

    def _serve(self, sock: socket.socket) -> None:
        try:
            sock.settimeout(PATIENCE)
            self.callers.append(caller := Caller(sock, self._context))
            self._treat(caller)
            caller.until_gone()
        except (OSError, LanchatError):
            pass  # the victim hung up
        except BaseException as error:
            self._errors.append(error)
        finally:
            sock.close()

    def close(self) -> None:
        self._server.close()
        if self._errors:
            raise self._errors[0]


class RecordingProxy:
    """A proxy that records each byte, for one connection at a time."""

    def __init__(self, port: int) -> None:
        self.passed = b""
        self._to = port
        self._server = LoopbackServer(self._serve, "proxy")
        self.port = self._server.port

    def _serve(self, near: socket.socket) -> None:
        far = socket.create_connection(("127.0.0.1", self._to))
        self._server.sockets.append(far)
        back = threading.Thread(target=self._pass, args=(far, near), name="proxy")
        back.start()
        self._pass(near, far)
        back.join()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                self.passed += data
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        self._server.close()


def said_goodbye(data: bytes) -> Closing | None:
    """The last message, if it is a closing."""
    message = decode(data.rstrip(b"\n").split(b"\n")[-1], FROM_HOST)
    return message if isinstance(message, Closing) else None
