"""What a plain client sends, cut into messages: by lines, by sends, or by keys."""

from collections import deque
from typing import cast

import pytest

from lanchat.network.link import Link
from lanchat.protocol.timing import DEFAULT_TIMING
from lanchat.server.doors.plain_input import PlainInput
from tests.support.cases import cases

PAUSE = "a pause of a second"  # longer than a line may pause, and shorter than a person thinks before the second key
LONG = "a pause of a minute"
SECONDS = {PAUSE: 1.0, LONG: 60.0}


class Client:
    """A link whose peer sends these pieces, with pauses between them, and hangs up."""

    def __init__(self, *script: bytes | str) -> None:
        self._script = deque(script)
        self.answered = b""

    def receive(self) -> bytes:
        while self._script and isinstance(self._script[0], str):
            self._script.popleft()
        return cast(bytes, self._script.popleft()) if self._script else b""

    def quiet(self, seconds: float) -> bool:
        if not self._script or isinstance(pause := self._script[0], bytes):
            return False
        self._script.popleft()
        return SECONDS[pause] > seconds

    def send(self, data: bytes) -> None:
        self.answered += data


def heard(client: Client) -> list[bytes]:
    source = PlainInput(cast(Link, client), DEFAULT_TIMING)
    messages = []
    while (message := source.next()) is not None:
        messages.append(message.rstrip(b"\r"))
    return messages


def keys(text: str, pause: str = PAUSE) -> list[bytes | str]:
    return [piece for char in text for piece in (char.encode(), pause)]


@cases(
    ("script", "messages"),
    [
        ([*keys("pat\r"), b"\n", *keys("hé!\r\0")], ["pat", "hé!"]),
        ([b"p", b"at", *keys("\r\n"), *keys("hello", LONG), b"\r\n"], ["pat", "hello"]),
        ([b"pat\n", b"h", PAUSE, b"i", LONG, b"!", b"\n"], ["pat", "hi!"]),
        ([b"p", PAUSE, b"\r\n", b"h", LONG, b"i\r\n"], ["p", "hi"]),
        ([*keys("pap\x7ft\n"), *keys("\b\bhex\by\n")], ["pat", "hey"]),
        ([*keys("pat\n"), *keys("bye")], ["pat", "bye"]),
    ],
)
def test_a_line_of_single_keys_is_one_message_however_long_a_pause_is(script, messages):
    assert heard(Client(*script)) == [text.encode() for text in messages]


@cases(
    ("script", "messages"),
    [
        ([b"pat", b"one", PAUSE, b"y", b"n", b"two"], ["pat", "one", "y", "n", "two"]),
        ([b"p", b"hello", b"y"], ["p", "hello", "y"]),
        ([b"p", LONG, b"y", b"n"], ["p", "y", "n"]),
        ([b"pat\none\ntwo", PAUSE, b"three\n"], ["pat", "one", "two", "three"]),
        ([b"pat\n", b"y", LONG, b"no\n"], ["pat", "y", "no"]),
        ([b"pat\na\x08b\n"], ["pat", "a\x08b"]),
    ],
)
def test_a_program_says_what_it_sends_also_without_line_ends(script, messages):
    assert heard(Client(*script)) == [text.encode() for text in messages]


def test_what_a_telnet_offers_and_asks_for_is_refused_so_that_it_shows_and_sends_lines():
    client = Client(b"\xff\xfb\x1f\xff\xfd\x01\xff", b"\xfd\x03", b"pat", LONG, b"ty", LONG, b"\r\0")
    assert heard(client) == [b"patty"], "no line end, no message"
    assert client.answered == b"\xff\xfe\x1f\xff\xfc\x01\xff\xfc\x03"


@pytest.mark.parametrize("answer", [b"\xff\xfe\x01", b"\xff\xfc\x01", b"\xff\xfa\x1f\0\x50\xff\xf0", b"\xff\xf6"])
def test_an_answer_of_a_telnet_is_not_answered_or_two_would_never_end(answer):
    client = Client(b"pat\n", answer, b"hello\n")
    assert heard(client) == [b"pat", b"hello"] and client.answered == b""
