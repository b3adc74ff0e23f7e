"""A page for tests: the other end of the sealed channel, over a real socket, and a member in it."""

import secrets
import socket
from typing import Any, TypeVar

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from lanchat.protocol.binding import Binding
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all, encode
from lanchat.protocol.guest_ticket import ticket_proof
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import PrivateKey, key_from_seed
from lanchat.protocol.messages import VERSION, Card, FromHost, FromMember, Hello, Said, Say, Welcome
from lanchat.protocol.noise import MAX_CONTENT, Page, Sealed
from tests.support.waiting import PATIENCE

M = TypeVar("M")


class WebSocket:
    """A WebSocket that was just opened. Belongs to one thread.

    Args:
        headers: instead of those that a browser would send; None: leave this one out.
    """

    def __init__(self, port: int, headers: dict[str, str | None] | None = None, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        self.socket.settimeout(PATIENCE)
        self.protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/ws"), max_size=None)
        request = self.protocol.connect()
        for name, value in ({"Origin": f"http://127.0.0.1:{port}"} | (headers or {})).items():
            if name in request.headers:
                del request.headers[name]
            if value is not None:
                request.headers[name] = value
        self.protocol.send_request(request)
        self.frames: list[Frame] = []
        self.status = 0
        try:
            self.flush()
            while not self.status and self._read():
                pass
        except OSError:
            self.close()
            raise

    def flush(self) -> None:
        self.socket.sendall(b"".join(self.protocol.data_to_send()))

    def send(self, data: bytes) -> None:
        self.protocol.send_binary(data)
        self.flush()

    def frame(self) -> Frame | None:
        """The next frame; None at the end of the connection."""
        while not self.frames and self._read():
            pass
        return self.frames.pop(0) if self.frames else None

    def end(self) -> int | None:
        """The close code with which the host ends this connection; None: there is none. Reads to the end."""
        code = None
        while (frame := self.frame()) is not None:
            if frame.opcode is Opcode.CLOSE:
                code = int.from_bytes(frame.data[:2], "big") if frame.data else None
        return code

    def close(self) -> None:
        self.socket.close()

    def _read(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            return False
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Frame):
                self.frames.append(event)
            else:
                self.status = event.status_code  # type: ignore[union-attr]
        return True


class PageClient:
    """A browser's page in a room. Belongs to one thread.

    Args:
        nick: "": do not say hello.
        ticket: of a guest link.
    """

    def __init__(
        self,
        port: int,
        nick: str = "",
        *,
        key: PrivateKey | None = None,
        after: int = -1,
        ticket: bytes | None = None,
        source: str = "127.0.0.1",
    ) -> None:
        self.key = key or key_from_seed(secrets.token_bytes(32))
        self.public = self.key.public_key().public_bytes_raw()
        self.id = member_id(self.public)
        self.web = WebSocket(port, source=source)
        self._splitter = LineSplitter()
        self._messages: list[FromHost] = []
        try:
            self._begin()
            if nick:
                self.hello(nick, after=after, ticket=ticket)
        except (OSError, AssertionError):
            self.close()
            raise

    def _begin(self) -> None:
        page = Page(secrets.token_bytes(32))
        self.web.send(page.frame)
        frame = self.web.frame()
        assert frame is not None, "no answer to frame 1"
        self.host_key, self.sealed = page.finish(bytes(frame.data))
        self.card = self.next(Card)

    def hello(self, nick: str, *, after: int = -1, ticket: bytes | None = None, **options: Any) -> None:
        proof = b"" if ticket is None else ticket_proof(ticket, self.sealed.binding, self.public)
        self.send(hello_for(self.card, self.key, nick, self.host_key, self.sealed, after, proof, **options))

    def come_in(self, nick: str, **options: Any) -> Welcome:
        self.hello(nick, **options)
        return self.next(Welcome)

    def say(self, text: str, id: str = "") -> None:
        self.send(Say(id or secrets.token_hex(8), text))

    def send(self, *messages: FromMember) -> None:
        data = b"".join(map(encode, messages))
        for at in range(0, len(data), MAX_CONTENT):
            self.web.send(self.sealed.to_host.seal(data[at : at + MAX_CONTENT]))

    def message(self) -> FromHost | None:
        """The next message; None at the end."""
        while not self._messages:
            frame = self.web.frame()
            if frame is None or frame.opcode is not Opcode.BINARY:
                return None
            self._messages += decode_all(self._splitter.feed(self.sealed.to_page.open(bytes(frame.data))), FROM_HOST)
        return self._messages.pop(0)

    def next(self, kind: type[M]) -> M:
        """The next message of this kind; others are passed over."""
        while (message := self.message()) is not None:
            if isinstance(message, kind):
                return message
        raise AssertionError(f"ended before a {kind.__name__}")

    def hear(self, text: str) -> Said:
        while (said := self.next(Said)).text != text:
            pass
        return said

    def close(self) -> None:
        self.web.close()


def hello_for(
    card: Card,
    key: PrivateKey,
    nick: str,
    host_key: bytes,
    sealed: Sealed,
    after: int = -1,
    ticket: bytes = b"",
    *,
    binding: bytes = b"",
) -> Hello:
    """The hello of a page.

    Args:
        ticket: the proof that it has one.
        binding: instead of that of the channel.
    """
    public, nonce = key.public_key().public_bytes_raw(), secrets.token_bytes(32)
    bound = Binding(VERSION, card.room, binding or sealed.binding, card.nonce, nonce, public, host_key, nick)
    return Hello(VERSION, nick, public, nonce, key.sign(bound.text()), after, ticket=ticket)


def fetch(
    port: int, path: str = "/", *, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[str, dict[str, str], bytes]:
    """The answer to a request: its status line, its headers and its body."""
    return raw_request(port, request(port, path, method=method, headers=headers))


def request(port: int, path: str = "/", *, method: str = "GET", headers: dict[str, str] | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in ({"Host": f"127.0.0.1:{port}"} | (headers or {})).items()]
    return "\r\n".join([*lines, "", ""]).encode()


def raw_request(port: int, data: bytes) -> tuple[str, dict[str, str], bytes]:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.settimeout(PATIENCE)
        sock.sendall(data)
        got = b""
        try:
            while more := sock.recv(65536):
                got += more
        except ConnectionError:
            pass
    head, _, body = got.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status, {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}, body
