"""The channel of a browser in memory: a WebSocket client of another kind at the other end, and no socket."""

import logging

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from lanchat.errors import LanchatError, NotLanchat, ProtocolError
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.noise import MAX_FRAME, TAG_SIZE, Page, Sealed
from lanchat.protocol.noise import answer as respond
from lanchat.protocol.tls import PlainChannel
from lanchat.server.doors.web.request import Refusal, Upgrade
from lanchat.server.doors.web.sealed import MAX_CONTROLS, SealedChannel
from tests.support.cases import cases

HOST = key_from_seed(b"\x44" * 32)


def channel(answered=None) -> SealedChannel:
    def make(frame: bytes) -> tuple[bytes, Sealed]:
        public = HOST.public_key().public_bytes_raw()
        return respond(frame, ephemeral=b"\x22" * 32, static=b"\x33" * 32, host_key=public, sign=HOST.sign)

    return SealedChannel(PlainChannel(), lambda method, path, values: answered or Upgrade(), make)


class Browser:
    """The other end of a channel."""

    def __init__(self) -> None:
        self.channel = channel()
        self.web = ClientProtocol(parse_uri("ws://192.168.1.7:47480/ws"), max_size=None)
        self.page = Page(b"\x11" * 32)
        self.got: list[Frame] = []
        self.plain = b""

    def upgrade(self) -> "Browser":
        self.web.send_request(self.web.connect())
        self.exchange()
        return self

    def enter(self) -> "Browser":
        self.upgrade()
        self.send(self.page.frame)
        _, self.sealed = self.page.finish(bytes(self.got.pop().data))
        return self

    def send(self, data: bytes) -> None:
        self.web.send_binary(data)
        self.exchange()

    def receive(self, data: bytes) -> None:
        """Bring these bytes to the channel, as they are."""
        try:
            self.plain += self.channel.receive(data)
        finally:
            self.take(self.channel.waiting())

    def exchange(self) -> None:
        """Bring what waits here to the channel, and what it says back."""
        try:
            for data in self.web.data_to_send():
                if data:
                    self.plain += self.channel.receive(data)
        finally:
            self.take(self.channel.waiting())

    def take(self, data: bytes) -> None:
        if data:
            self.web.receive_data(data)
        self.got += [event for event in self.web.events_received() if isinstance(event, Frame)]

    def refused(self, act) -> int | None:
        """The close code with which the channel ends for this."""
        with pytest.raises(LanchatError):
            act()
        assert self.channel.ended
        assert self.channel.seal(b"more\n") == b""
        closes = [frame for frame in self.got if frame.opcode is Opcode.CLOSE]
        return int.from_bytes(closes[0].data[:2], "big") if closes else None


@pytest.fixture
def browser() -> Browser:
    return Browser().enter()


def raw(opcode: int, data: bytes, *, fin: bool = True, masked: bool = True, rsv: int = 0) -> bytes:
    """A frame, byte by byte."""
    size = len(data)
    head = bytes([fin << 7 | rsv << 4 | opcode])
    if size < 126:
        length = bytes([masked << 7 | size])
    elif size < 1 << 16:
        length = bytes([masked << 7 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([masked << 7 | 127]) + size.to_bytes(8, "big")
    return head + length + (bytes(4) if masked else b"") + data


def test_after_the_handshake_lines_go_both_ways(browser):
    assert browser.channel.established and browser.channel.binding == browser.sealed.binding
    browser.send(browser.sealed.to_host.seal(b'{"t":"ping"}\n'))
    assert browser.plain == b'{"t":"ping"}\n'
    browser.take(browser.channel.seal(b'{"t":"pong"}\n'))
    assert browser.sealed.to_page.open(bytes(browser.got.pop().data)) == b'{"t":"pong"}\n'


def test_nothing_is_established_before(browser):
    early = Browser().upgrade()
    assert not early.channel.established
    assert early.channel.seal(b"too early\n") == b""


@pytest.mark.parametrize("size", [1, 109, 110, 65519, 65520, 200_000])
def test_a_send_of_any_length_comes_whole(browser, size):
    browser.take(browser.channel.seal(b"x" * size))
    assert all(len(frame.data) <= MAX_FRAME for frame in browser.got)
    assert b"".join(browser.sealed.to_page.open(bytes(frame.data)) for frame in browser.got) == b"x" * size


def test_bytes_may_come_in_any_pieces(browser):
    browser.web.send_binary(browser.sealed.to_host.seal(b"hello\n"))
    data = b"".join(browser.web.data_to_send())
    assert b"".join(browser.channel.receive(bytes([byte])) for byte in data) == b"hello\n"


def test_a_request_for_the_page_is_answered_in_plain_bytes():
    asked = channel(Refusal(404, "Not Found", "no"))
    assert asked.receive(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n") == b""
    assert asked.is_request and asked.established
    assert asked.seal(b"HTTP/1.1 404 Not Found\r\n") == b"HTTP/1.1 404 Not Found\r\n"
    assert asked.receive(b"GET /y HTTP/1.1\r\nHost: a\r\n\r\n") == b"" and asked.waiting() == b""


@cases(
    "data",
    [
        *(b"\x16\x03\x01\x02\x00garbage\r\n\r\n", b"hello\n", b"NICK ann\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        *(
            b"GET / HTTP/1.1\r\nHost a\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        ),
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"a: b\r\n" for _ in range(200)) + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"a: %s\r\n" % (b"b" * 8000) for _ in range(3)),
        b"GET / HTTP/1.1\r\na: " + b"b" * 17_000,
    ],
)
def test_what_is_no_request_ends_the_link(data):
    with pytest.raises(NotLanchat):
        channel().receive(data)


def test_an_upgrade_that_is_none_is_refused():
    asked = channel()
    with pytest.raises(NotLanchat):
        asked.receive(b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n")
    assert asked.waiting().startswith((b"HTTP/1.1 400", b"HTTP/1.1 426"))


def test_compression_is_not_agreed_to():
    asked = channel()
    asked.receive(
        b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    said = asked.waiting()
    assert said.startswith(b"HTTP/1.1 101") and b"extensions" not in said.lower()


@pytest.mark.parametrize("frame", [b"", bytes(31), bytes(33), bytes(192), bytes(32), b"\x01" + bytes(31)])
def test_another_first_frame_ends_the_link(frame):
    early = Browser().upgrade()
    assert early.refused(lambda: early.send(frame)) == 1002
    assert not early.channel.established


def test_a_second_first_frame_ends_the_link(browser):
    assert browser.refused(lambda: browser.send(browser.page.frame)) == 1002


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (raw(1, b"text"), 1002),
        (raw(2, bytes(20), fin=False), 1002),
        (raw(0, bytes(20)), 1002),
        (raw(2, bytes(20), masked=False), 1002),
        (raw(2, bytes(20), rsv=4), 1002),
        (raw(3, bytes(20)), 1002),
        (raw(9, bytes(126)), 1002),
        (raw(2, bytes(MAX_FRAME + 1)), 1009),
        (raw(2, bytes(TAG_SIZE - 1)), 1002),
        (raw(2, b""), 1002),
        (raw(9, b"") * (MAX_CONTROLS + 1), 1002),
        (raw(10, b"") * (MAX_CONTROLS + 1), 1002),
    ],
    ids=[
        "text",
        "fragment",
        "continuation",
        "unmasked",
        "compressed",
        "opcode",
        "ping",
        "long",
        "short",
        "empty",
        "pings",
        "pongs",
    ],
)
def test_a_frame_of_another_kind_ends_the_link(browser, data, code):
    assert browser.refused(lambda: browser.receive(data)) == code


@pytest.mark.parametrize("change", ["damaged", "repeated", "swapped", "dropped", "other way"])
def test_frames_that_were_touched_end_the_link(browser, change):
    first, second = browser.sealed.to_host.seal(b"one\n"), browser.sealed.to_host.seal(b"two\n")
    frames = {
        "damaged": [bytes([first[0] ^ 1]) + first[1:]],
        "repeated": [first, first],
        "swapped": [second],
        "dropped": [second],
        "other way": [browser.sealed.to_page.seal(b"one\n")],
    }[change]
    for frame in frames[:-1]:
        browser.send(frame)
    assert browser.refused(lambda: browser.send(frames[-1])) == 1002
    assert browser.plain == (b"one\n" if change == "repeated" else b"")


def test_pings_between_content_are_answered(browser):
    for _ in range(3):
        browser.plain += browser.channel.receive(raw(9, b"hi") * MAX_CONTROLS)
        browser.send(browser.sealed.to_host.seal(b"x\n"))
    assert sum(frame.opcode is Opcode.PONG for frame in browser.got) == 3 * MAX_CONTROLS


def test_a_browser_that_closes_gets_a_close(browser):
    browser.web.send_close(1001)
    browser.exchange()
    assert browser.channel.ended and browser.got[-1].opcode is Opcode.CLOSE


def test_a_tab_that_closes_at_once_says_so_together_with_its_first_frame():
    browser = Browser().upgrade()
    browser.receive(raw(2, browser.page.frame) + raw(8, b""))
    assert browser.channel.ended and browser.plain == b""


def test_we_close_with_a_close_frame(browser):
    browser.channel.close()
    browser.take(browser.channel.waiting())
    assert browser.got[-1].opcode is Opcode.CLOSE and browser.channel.seal(b"late\n") == b""


def test_the_end_of_the_connection_is_the_end(browser):
    assert browser.channel.receive(b"") == b"" and browser.channel.ended


def test_what_comes_together_with_the_end_of_the_connection_is_not_lost(browser):
    class Ending(PlainChannel):
        """As TLS whose last record came with the end."""

        def receive(self, data: bytes) -> bytes:
            self.ended = True
            return data

    browser.channel._transport = Ending()
    browser.send(browser.sealed.to_host.seal(b"last words\n"))
    assert browser.plain == b"last words\n" and browser.channel.ended


def test_a_broken_frame_says_so_in_words(browser):
    with pytest.raises(ProtocolError, match="not binary and whole"):
        browser.channel.receive(raw(1, b"text"))


def test_a_broken_connection_leaves_no_line_of_the_package_in_the_log(caplog):
    browser = Browser().upgrade()
    with caplog.at_level(logging.DEBUG), pytest.raises(ProtocolError):
        browser.receive(b"\xff" * 64)
    assert caplog.records == []
