import pytest

from lanchat.server.doors.telnet import Telnet
from tests.support.cases import cases

TYPED = [
    (b"hello\n", b"hello\n"),
    (b"\xff\xfb\x01hel\xff\xfd\x03lo\n", b"hello\n"),
    (b"a\xff\xf6b\xff\xf1c", b"abc"),
    (b"a\xff\xfa\x18\x00\xff\xffxterm\xff\xf0b", b"ab"),
    (b"a\xff\xffb", b"a\xffb"),
    (b"a\xff na\xffve\n", b"a\xff na\xffve\n"),
    (b"one\r\0two\r\0", b"one\r\ntwo\r\n"),
    (b"one\r\ntwo\0", b"one\r\ntwo\0"),
    (b"", b""),
]


@cases(("typed", "text"), TYPED)
def test_only_the_text_stays(typed, text):
    assert Telnet().feed(typed) == text


@cases(("typed", "text"), TYPED)
def test_wherever_the_bytes_are_cut(typed, text):
    telnet = Telnet()
    assert b"".join(telnet.feed(bytes((byte,))) for byte in typed) == text


@pytest.mark.parametrize("sign", [236, 237, 238, 243, 244])
def test_an_interrupt_is_noted(sign):
    telnet = Telnet()
    assert telnet.feed(b"a\xff") == b"a" and not telnet.interrupted
    assert telnet.feed(bytes((sign, 98))) == b"b" and telnet.interrupted
