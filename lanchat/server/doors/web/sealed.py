"""The channel of one browser in memory: a web request, then WebSocket frames, then Noise, then sealed lines. Pure.

Bytes in, bytes out, under the lock of its link, as `protocol/tls.py`. The channel is established when the door may
send: after a request for the page, whose answer the door sends as it is, or after the handshake of the sealed channel.
"""

import logging
import struct
from collections.abc import Callable
from typing import cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from lanchat.errors import NotLanchat, ProtocolError
from lanchat.protocol.noise import MAX_CONTENT, MAX_FRAME, Sealed
from lanchat.protocol.tls import Channel
from lanchat.server.doors.web.request import MAX_REQUEST, Answer, Upgrade

MAX_CONTROLS = 100  # pings and pongs in a row, without content; browsers send none at all
_PROTOCOL_ERROR, _NORMAL = 1002, 1000  # close codes of RFC 6455, section 7.4.1

# The package would log each connection, and a broken one with a traceback, though the door tells the same by itself.
_SILENT = logging.Logger("websockets", logging.CRITICAL + 1)

Decide = Callable[[str, str, Callable[[str], list[str]]], Answer]  # method, path, values of a header
Respond = Callable[[bytes], tuple[bytes, Sealed]]  # frame 1 of the page to frame 2, and the channel


class SealedChannel:
    """Owned by one link, under its lock.

    Args:
        transport: what is below: nothing, or TLS.
        decide: says what a request gets.
        respond: makes the host's half of the Noise handshake.
    """

    def __init__(self, transport: Channel, decide: Decide, respond: Respond) -> None:
        self._transport = transport
        self._decide = decide
        self._respond = respond
        self._socket = ServerProtocol(max_size=MAX_FRAME, logger=_SILENT)
        self._requested = 0  # bytes of the request so far
        self._controls = 0  # in a row
        self._sealed: Sealed | None = None
        self.answer: Answer | None = None  # to the request, once that has come
        self.ended = False

    @property
    def established(self) -> bool:
        return self._sealed is not None or self.is_request

    @property
    def is_request(self) -> bool:
        """Whether this is a request that the door answers with plain bytes, and no WebSocket."""
        return self.answer is not None and not isinstance(self.answer, Upgrade)

    @property
    def binding(self) -> bytes:
        """What proofs on this link are bound to, 32 bytes."""
        assert self._sealed is not None
        return self._sealed.binding

    def receive(self, data: bytes) -> bytes:
        """See Channel.

        Raises:
            NotLanchat: this is no browser.
            ProtocolError: the page broke the rules of its channel.
        """
        plain = self._transport.receive(data)
        content = self._take(plain) if plain else b""
        if not data or self._transport.ended:  # the last bytes may have come with the end
            self.ended = True
        return content

    def seal(self, plain: bytes) -> bytes:
        sealed = self._sealed
        if sealed is None:
            return self._transport.seal(plain) if self.is_request else b""
        if self.ended or self._socket.state is not State.OPEN:
            return b""
        if len(plain) <= MAX_CONTENT:  # nearly always, and the shortest way is worth it
            frame = sealed.to_page.seal(plain)
            return self._transport.seal(_header(len(frame)) + frame)
        out: list[bytes] = []
        for at in range(0, len(plain), MAX_CONTENT):
            frame = sealed.to_page.seal(plain[at : at + MAX_CONTENT])
            out += _header(len(frame)), frame
        return self._transport.seal(b"".join(out))

    def waiting(self) -> bytes:
        own = b"".join(self._socket.data_to_send())
        return self._transport.waiting() + (self._transport.seal(own) if own else b"")

    def close(self) -> None:
        if self._socket.state is State.OPEN and not self.ended:
            self._socket.send_close(_NORMAL)

    def _take(self, plain: bytes) -> bytes:
        """The content of bytes from below; raises as `receive`."""
        if self.is_request:
            return b""  # nothing may follow a request
        if self.answer is None:
            self._requested += len(plain)
            if self._requested > MAX_REQUEST:
                raise NotLanchat("A web request is too long.")
        self._socket.receive_data(plain)
        content = []
        for event in self._socket.events_received():
            if isinstance(event, Request):
                self._take_request(event)
            else:
                content.append(self._take_frame(cast(Frame, event)))
        if self._socket.handshake_exc is not None:
            self.ended = True
            raise NotLanchat("This is no web request.")
        if self._socket.parser_exc is not None and not self.is_request:
            self.ended = True
            raise ProtocolError(f"The WebSocket is broken ({self._socket.parser_exc}).")
        return b"".join(content)

    def _take_request(self, request: Request) -> None:
        self.answer = self._decide(request.method, request.path, request.headers.get_all)
        self._decide = _decided
        if isinstance(self.answer, Upgrade):
            response = self._socket.accept(request)
            self._socket.send_response(response)
            for headers in (request.headers, response.headers):  # the parser would keep 2 KB of them for each page
                headers.clear()
            if response.status_code != 101:
                self._socket.handshake_exc = self._socket.handshake_exc or ValueError(response.reason_phrase)

    def _take_frame(self, frame: Frame) -> bytes:
        """What a frame holds for the lines; raises ProtocolError."""
        if self.is_request:
            return b""
        if frame.opcode is Opcode.CLOSE:
            self.ended = True
            return b""
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            self._controls += 1
            if self._controls > MAX_CONTROLS:
                raise self._broken("The page sends nothing but pings.")
            return b""
        self._controls = 0
        if frame.opcode is not Opcode.BINARY or not frame.fin:
            raise self._broken("The page sent a frame that is not binary and whole.")
        try:
            if self._sealed is None:
                answer, self._sealed = self._respond(bytes(frame.data))
                self._respond = _responded
                if self._socket.state is State.OPEN:  # a tab may close at once, together with its first frame
                    self._socket.send_binary(answer)
                return b""
            return self._sealed.to_host.open(bytes(frame.data))
        except ProtocolError as error:
            raise self._broken(str(error)) from None

    def _broken(self, why: str) -> ProtocolError:
        """End the WebSocket, because of the page."""
        if self._socket.state is State.OPEN:
            self._socket.fail(_PROTOCOL_ERROR)
        self.ended = True
        return ProtocolError(why)


def _decided(method: str, path: str, values: Callable[[str], list[str]]) -> Answer:
    """Takes the place of `decide` once it was called, so that no page keeps that in memory."""
    raise AssertionError("a connection has one request")


def _responded(frame: bytes) -> tuple[bytes, Sealed]:
    raise AssertionError("a connection has one handshake")


def _header(size: int) -> bytes:
    """The header of a binary frame that is whole and not masked (RFC 6455, section 5.2)."""
    return struct.pack("!BB", 0x82, size) if size < 126 else struct.pack("!BBH", 0x82, 126, size)
