"""The native door of a host, with strangers on loopback who speak something else."""

import socket
import ssl
from contextlib import closing

import pytest
from msgspec.structs import replace

from lanchat.client.member import Member
from lanchat.protocol.framing import MAX_LINE
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import Left
from lanchat.protocol.tls import client_context
from lanchat.server import admission
from tests.support.people import Listener


def test_strangers_on_the_native_port_harm_nobody(host, join, raw):
    room = host()
    ann = Listener(join(room, "ann"))
    silent = raw(room)
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 1000, b"hello\n", b"\x16\x03\x01\xff\xff" + bytes(70_000)):
        stranger = raw(room)
        try:
            stranger.sendall(garbage)
            while stranger.recv(1000):
                pass
        except ConnectionError:
            pass
    ann.member.outgoing.say("still here")
    ann.hear_text("still here")
    assert room.people == 1 and silent.fileno() > 0


def test_the_hosts_own_link_is_no_stranger_that_makes_room_for_others(host, raw, identity, monkeypatch):
    monkeypatch.setattr(admission, "GRACE", 0.0)
    room = host(limits=replace(NO_LIMITS, strangers=1))

    def come_late() -> socket.socket:
        ours: socket.socket = room.connect()
        first, _ = raw(room), raw(room)
        assert first.recv(1) == b"", "the second one has taken its place"
        return ours

    with closing(Member(come_late, identity("hal"), "hal")) as hal:
        hal.join()


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b'{"t":"say","id":"1","text":"hi"}\n',
        b'{"t":"hello","v":2,"nick":"eve","key":"","nonce":"","proof":""}\n',
        b"x" * (MAX_LINE + 1),
        b"\xff\n",
    ],
    ids=lambda line: repr(line[:20]),
)
def test_a_client_with_tls_but_another_protocol_is_told_so(host, raw, line):
    room = host()
    with client_context().wrap_socket(raw(room)) as stranger:
        card = stranger.recv(4096)
        assert card.startswith(b'{"t":"card","v":2,') and card.endswith(b"\n")
        stranger.sendall(line)
        assert stranger.recv(4096).startswith(b'{"t":"closing","code":"rules"')
        assert stranger.recv(4096) == b""
    assert room.people == 0


BLOB = b"A" * 43 + b"="
HELLO_OF_1 = b'{"t":"hello","v":1,"nick":"eve","key":"%b","nonce":"%b","proof":""}\n' % (BLOB, BLOB)


@pytest.mark.parametrize("hello", [HELLO_OF_1, b'\n{"t":"hello","v":3,"nick":5}\n'], ids=["of 1", "with other fields"])
def test_another_version_is_refused_in_words(host, raw, hello):
    with client_context().wrap_socket(raw(host())) as stranger:
        stranger.recv(4096)
        stranger.sendall(hello)
        assert stranger.recv(4096).startswith(b'{"t":"refused","code":"version","text":"This room speaks version 2')


def test_a_client_that_reads_only_the_card_is_no_member(host, join, raw):
    room = host()
    ann = Listener(join(room, "ann"))
    with client_context().wrap_socket(raw(room)) as visitor:
        assert b'"people":1' in visitor.recv(4096)
    ann.member.outgoing.say("nobody came")
    ann.hear_text("nobody came")
    assert not any(isinstance(item, Left) for item in ann.items)


def test_older_tls_is_refused(host, raw):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        old.wrap_socket(raw(host()))
