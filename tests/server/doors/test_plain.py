"""The plain door of a host, with clients such as netcat on loopback, and members beside them."""

import socket
from datetime import datetime

import pytest

from lanchat.protocol.messages import Joined, Left, Say
from lanchat.protocol.timing import Timing
from lanchat.threads import now_ms
from tests.support.people import Listener


def test_plain_clients_and_members_talk_with_each_other(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room, "pat")
    ann.hear_kind(Joined, nick="pat")
    pia = plain(room, "pia")
    assert pat.until(b"\n") == b"pia joined the chat\n"
    pat.send(b"hello\n")
    assert pia.until(b"\n") == b"pat: hello\n"
    assert ann.hear_text("hello").by.startswith("~")
    ann.member.outgoing.say("hi pat\nand pia")
    ann.member.outgoing.say("waves", action=True)
    for client in (pat, pia):
        assert client.until(b"waves\n") == b"ann: hi pat / and pia\n* ann waves\n"
    ann.member.outgoing.rename("anna")
    assert pat.until(b"\n") == b"ann is now anna\n"
    pia.socket.close()
    assert pat.until(b"\n") == b"pia has left the chat\n"
    ann.member.close()
    assert pat.until(b"\n") == b"anna has left the chat\n"
    assert pat.got == b"", "nobody hears themselves"


def test_a_plain_client_reads_when_something_was_said_that_comes_late(host, join, plain):
    room = host(plain_port=0)
    ann, pat = Listener(join(room, "ann")), plain(room, "pat")
    at = now_ms() - 3_600_000
    ann.member.delivery.ask(Say("1", "hello", again=True, at=at))
    when = f"{datetime.fromtimestamp(at / 1000):%H:%M}"
    assert pat.until(b"\n") == f"[said at {when}, while disconnected] ann: hello\n".encode()


@pytest.mark.parametrize("name", [b"pat\n", b"pat\r\n", b"pat", b" pat "])
def test_a_name_with_and_without_a_line_end(host, join, plain, name):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    plain(room).send(name)
    ann.hear_kind(Joined, nick="pat")


@pytest.mark.parametrize(("name", "nick"), [(b"\n", "guest"), (b"Pat Smith\n", "Pat_Smith"), (b"!\xff\xfe\n", "guest")])
def test_a_name_that_is_no_valid_nick_is_replaced_by_the_nearest(host, join, plain, name, nick):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    plain(room).send(name)
    ann.hear_kind(Joined, nick=nick)


def test_a_taken_name_gets_the_next_free_one(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    (client := plain(room)).send(b"Ann\n")
    assert client.until(b"\n") == b"* The nick Ann is taken; you are Ann2.\n"
    ann.hear_kind(Joined, nick="Ann2")


def test_each_send_of_a_client_without_line_ends_is_a_message(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room)
    pat.send(b"pat")
    ann.hear_kind(Joined, nick="pat")
    for text in ("one", "two words", "drei \N{SNOWMAN}"):
        pat.send(text.encode())
        ann.hear_text(text)
    assert ann.texts == ["one", "two words", "drei \N{SNOWMAN}"]


def test_each_line_of_a_client_with_line_ends_is_a_message(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room)
    pat.send(b"pat\none\r\ntwo\n\n  \nthree and ")
    ann.hear_text("two")
    pat.send(b"more\nfour")  # without an end for so long that it must be all
    ann.hear_text("four")
    assert ann.texts[:2] == ["one", "two"] and "".join(ann.texts[2:]).endswith("morefour")


def test_an_unfinished_line_of_a_leaving_client_is_a_message(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room, "pat")
    pat.send(b"one\nlast words")
    pat.socket.shutdown(socket.SHUT_WR)  # printf ... | nc
    ann.hear_kind(Left, nick="pat")
    assert ann.texts == ["one", "last words"]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nann\nhello",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"pat\n\x00\x01\x02",
        b"\x00",
        b"x" * 5000,
        b"pat\n" + b"x" * 100_000,
    ],
    ids=lambda data: repr(data[:12]),
)
def test_other_protocols_are_dropped_at_the_plain_door(host, join, plain, data):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    client = plain(room)
    client.send(data)
    assert client.rest().startswith(b"* ")
    ann.member.outgoing.say("still here")
    ann.hear_text("still here")
    assert ann.texts == ["still here"]


def test_a_telnet_interrupt_ends_the_link(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room, "pat")
    ann.hear_kind(Joined, nick="pat")
    pat.send(b"\xff\xf4\xff\xfd\x06")
    ann.hear_kind(Left, nick="pat")
    assert pat.rest() == b"" and ann.texts == []


def test_telnet_talks(host, join, plain):
    """PuTTY and others begin with offers, and end a line with CR NUL."""
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room)
    pat.send(b"\xff\xfb\x1f\xff\xfb\x20\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0")
    pat.send(b"pat\r\0hello\r\0")
    ann.hear_kind(Joined, nick="pat")
    ann.hear_text("hello")
    assert pat.until(b"\xff\xfe\x20") == b"\xff\xfe\x1f\xff\xfe\x20", "the offers are refused"


def test_a_telnet_that_sends_each_key_says_whole_lines(host, join, plain):
    room = host(plain_port=0, timing=Timing(unended_line=0))
    ann, pia, pat = Listener(join(room, "ann")), plain(room, "pia"), plain(room)
    for number, key in enumerate("pat\r\nhello\r\n"):
        pat.send(key.encode())
        pia.send(f"{number}\n".encode())
        ann.hear_text(f"{number}")  # the door has most likely read the key
    ann.hear_kind(Joined, nick="pat")
    ann.hear_text("hello")
    assert [text for text in ann.texts if not text.isdigit()] == ["hello"]


def test_a_guest_is_told_where_they_are_and_who_is_here(host, join, plain):
    room = host("Room A", plain_port=0)
    join(room, "hal")
    join(room, "ann")
    (pat := plain(room)).send(b"pat\n")
    assert pat.until(b"\n") == b"* You are in Room A as pat. Here: hal, ann. /help tells what else you can do.\n"


def test_a_guest_who_is_alone_is_told_so(host, plain):
    (pat := plain(host(plain_port=0))).send(b"pat\n")
    assert b"Here: nobody else." in pat.until(b"\n")


def test_a_guests_command_is_answered_to_them_alone(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat, pia = plain(room, "pat"), plain(room, "pia")
    assert pat.until(b"\n") == b"pia joined the chat\n"
    pat.send(b"/who\n")
    assert pat.until(b"\n") == b"* Here: ann, pat, pia.\n"
    for line in (b"/help", b"/msg ann the secret", b"/", b"/me"):
        pat.send(line + b"\n")
        assert pat.until(b"\n").startswith(b"* /who lists who is here, ")
    pat.send(b"/me waves\n /home is where the heart is\n")
    ann.hear_text("/home is where the heart is")
    assert ann.texts == ["waves", "/home is where the heart is"]
    assert pia.until(b"heart is\n") == b"* pat waves\npat: /home is where the heart is\n"
    pat.send(b"/quit\n")
    ann.hear_kind(Left, nick="pat", code="")
    assert pat.rest() == b""


def test_a_guest_who_says_too_much_at_once_is_told_so_and_stays(host, join, plain):
    room = host(plain_port=0)
    ann, pat = Listener(join(room, "ann")), plain(room, "pat")
    pat.send(b"x" * 5000 + b"\nhello\n")
    assert pat.until(b"\n") == b"* A message may have at most 4096 bytes.\n"
    ann.hear_text("hello")
    assert ann.texts == ["hello"]


def test_plain_clients_get_safe_text(host, join, plain):
    room = host(plain_port=0)
    pat = plain(room, "pat")
    ann = Listener(join(room, "ann"))
    pat.until(b"ann joined the chat\n")
    ann.member.outgoing.say("\x1b[2Jx\u202ey")
    assert pat.until(b"\n") == b"ann: \\x1b[2Jx<U+202E>y\n"


def test_control_bytes_from_a_plain_client_harm_nobody(host, join, plain):
    room = host(plain_port=0)
    ann, pat = Listener(join(room, "ann")), plain(room, "pat")
    pat.send(b"\x01" * 4000 + b"\n")
    assert b"4096 at most" in pat.until(b"\n")
    pat.send(b"\x1b[2J\n")
    ann.hear_text("\x1b[2J")


def test_no_plain_port_unless_asked_for(host):
    assert "plain" not in host().ports
