import random
import ssl
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanchat.errors import LanchatError, NotLanchat, ProtocolError
from lanchat.protocol.tls import PlainChannel, TlsChannel, client_context, server_context

CLIENT_CONTEXT = client_context()
KEY_UPDATE = 24  # handshake type (RFC 8446, section 4)


class Wire:
    """Two channels and the bytes on their way between them. Bytes arrive only when the test carries them."""

    def __init__(self, server_tls: ssl.SSLContext) -> None:
        self.host = TlsChannel(server_tls, server=True)
        self.member = TlsChannel(CLIENT_CONTEXT, server=False)
        self.to_host = self.member.waiting()
        self.to_member = b""

    def carry(self, size: int) -> tuple[bytes, bytes]:
        """Take so many bytes each way. Gives what came out at the host, and at the member."""
        at_host = self._take(self.host, self.to_host[:size])
        self.to_host = self.to_host[size:]
        self.to_member += self.host.waiting()
        at_member = self._take(self.member, self.to_member[:size])
        self.to_member = self.to_member[size:]
        self.to_host += self.member.waiting()
        return at_host, at_member

    def carry_all(self, size: int = 1 << 20) -> tuple[bytes, bytes]:
        at_host = at_member = b""
        while self.to_host or self.to_member:
            more_host, more_member = self.carry(size)
            at_host, at_member = at_host + more_host, at_member + more_member
        return at_host, at_member

    @staticmethod
    def _take(channel: TlsChannel, data: bytes) -> bytes:
        return channel.receive(data) if data else b""


@pytest.fixture(scope="module")
def tls(identity):
    owner = identity("hal")
    return server_context(owner.certificate_path, owner.key_path)


@pytest.fixture
def wire(tls):
    """Two ends after the handshake."""
    wire = Wire(tls)
    wire.carry_all()
    assert wire.host.established and wire.member.established
    return wire


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 500, 1400, 16384])
def test_a_handshake_and_messages_in_pieces_of_any_size(tls, size):
    wire = Wire(tls)
    wire.carry_all(size)
    wire.to_host += wire.member.seal(b"hello\n") + wire.member.seal(b"again\n")
    wire.to_member += wire.host.seal(b"welcome\n")
    assert wire.carry_all(size) == (b"hello\nagain\n", b"welcome\n")


@settings(max_examples=25)
@given(sizes=st.lists(st.integers(1, 2000), min_size=1, max_size=50))
def test_any_split_of_the_stream_gives_the_same_bytes(tls, sizes):
    wire = Wire(tls)
    said = [bytes([number]) * (number * 700) for number in range(1, 6)]
    out = b""
    step = 0
    while wire.to_host or wire.to_member or said:
        if said and wire.member.established:
            wire.to_host += wire.member.seal(said.pop(0))
        out += wire.carry(sizes[step % len(sizes)])[0]
        step += 1
    assert out == b"".join(bytes([number]) * (number * 700) for number in range(1, 6))


def test_more_bytes_than_one_record_holds(wire):
    blob = random.Random(1).randbytes(300_000)
    wire.to_member += wire.host.seal(blob)
    assert wire.carry_all(10_000) == (b"", blob)


def test_bytes_that_come_with_the_end_of_the_handshake_are_not_lost(tls):
    wire = Wire(tls)
    while not wire.member.established:
        wire.carry(1 << 20) if not wire.to_member else wire.carry(len(wire.to_member))
    wire.to_host += wire.member.seal(b"early")
    assert wire.carry_all() == (b"early", b"")


def test_the_certificate_is_the_hosts(wire, identity):
    assert wire.member.peer_certificate() == identity("hal").certificate
    with pytest.raises(ProtocolError, match="no certificate"):
        wire.host.peer_certificate()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT /x HTTP/1.1\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b'{"t":"hello"}\n',
        b"\x00" * 100,
        b"\xff" * 100,
        b"\x80\x2e\x01\x00\x02" + b"\x00" * 50,  # SSL 2
        b"\x16\x03\x01\xff\xff" + b"\x01" * 65535,  # a record that is too long
        b"\x16\x03\x01\x00\x05\x01\x00\xff\xff\xff" + b"\x00" * 20,
        b"\x15\x03\x03\x00\x02\x02\x28",  # an alert at once
        b"\x17\x03\x03\x00\x10" + b"\x00" * 16,
    ],
    ids=lambda garbage: repr(garbage[:12]),
)
def test_a_client_without_tls_is_not_lanchat(tls, garbage):
    with pytest.raises(NotLanchat, match="does not speak lanchat's TLS"):
        TlsChannel(tls, server=True).receive(garbage)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail ESMTP\r\n", b"Enter your name: ", b"\x00" * 40]
)
def test_a_server_without_tls_is_not_lanchat(answer):
    with pytest.raises(NotLanchat):
        TlsChannel(CLIENT_CONTEXT, server=False).receive(answer)


@settings(max_examples=200)
@given(
    st.binary(max_size=400), st.sampled_from([b"", b"\x16\x03\x01", b"\x16\x03\x03\x00\x40\x01\x00\x00\x3c\x03\x03"])
)
def test_any_bytes_are_waited_on_or_refused(tls, data, start):
    channel = TlsChannel(tls, server=True)
    try:
        assert channel.receive(start + data) == b""
        assert channel.receive(b"") == b""
    except LanchatError:
        return
    assert not channel.established and channel.ended


@pytest.mark.parametrize("position", [0, 1, 5, -1])
def test_a_changed_record_ends_the_link(wire, position):
    sealed = bytearray(wire.member.seal(b"hello"))
    sealed[position] ^= 0x40
    with pytest.raises(ProtocolError, match="The encrypted connection is broken"):
        wire.host.receive(bytes(sealed) + bytes(20000))
    assert wire.host.waiting()  # an alert that says so


def test_a_record_twice_ends_the_link(wire):
    sealed = wire.member.seal(b"pay 100")
    assert wire.host.receive(sealed) == b"pay 100"
    with pytest.raises(ProtocolError):
        wire.host.receive(sealed)


def test_garbage_after_the_handshake(wire):
    with pytest.raises(ProtocolError):
        wire.host.receive(b"GET / HTTP/1.1\r\n\r\n")


def test_the_end_of_the_socket_in_the_handshake(tls):
    wire = Wire(tls)
    channel = TlsChannel(tls, server=True)
    assert channel.receive(wire.to_host[:50]) == b""
    assert channel.receive(b"") == b""
    assert channel.ended and not channel.established


class EndedHandshake:
    """What OpenSSL is for Python 3.11.2 of Debian 12, when the socket ends in the handshake."""

    def do_handshake(self) -> None:
        raise ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "TLS/SSL connection has been closed (EOF)")


def test_the_end_of_the_socket_is_no_other_protocol_whichever_error_it_is(tls):
    channel = TlsChannel(tls, server=True)
    channel._object = cast(ssl.SSLObject, EndedHandshake())
    assert channel.receive(b"") == b""
    assert channel.ended and not channel.established


def test_the_end_of_the_socket_in_the_middle_of_a_record(wire):
    wire.host.receive(wire.member.seal(b"hello")[:-3])
    assert wire.host.receive(b"") == b"" and wire.host.ended


def test_a_goodbye_ends_the_channel(wire):
    last = wire.member.seal(b"bye")
    wire.member.close()
    assert wire.host.receive(last + wire.member.waiting()) == b"bye"
    assert wire.host.ended


def test_closing_twice_and_closing_before_the_handshake(wire, tls):
    wire.member.close()
    wire.member.close()
    TlsChannel(tls, server=True).close()


@pytest.mark.parametrize("how", ["went away", "broke it", "said goodbye", "we said goodbye"])
def test_sealing_after_the_reader_has_met_the_end_is_no_error(wire, how):
    """The hub may send between the moment the reader meets the end and the moment the link is dropped."""
    match how:
        case "went away":
            wire.host.receive(b"")
        case "broke it":
            with pytest.raises(ProtocolError):
                wire.host.receive(b"\x17\x03\x03\x00\x20" + bytes(32))
        case "said goodbye":
            wire.member.close()
            wire.host.receive(wire.member.waiting())
        case "we said goodbye":
            wire.host.close()
    wire.host.seal(b"hello")
    wire.host.close()
    wire.host.waiting()


def test_nothing_can_be_sealed_before_the_handshake(tls):
    with pytest.raises(ValueError, match="before the handshake"):
        TlsChannel(tls, server=True).seal(b"lost")


def test_older_tls_is_refused(tls):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(NotLanchat, match="unsupported protocol"):
        TlsChannel(tls, server=True).receive(TlsChannel(old, server=False).waiting())


def test_an_older_host_is_refused(identity):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.load_cert_chain(identity("hal").certificate_path, identity("hal").key_path)
    member = TlsChannel(CLIENT_CONTEXT, server=False)
    with pytest.raises(NotLanchat):
        host = TlsChannel(old, server=True)
        try:
            host.receive(member.waiting())
        except NotLanchat:
            member.receive(host.waiting())


def test_no_tickets_after_the_handshake(tls):
    """Tickets would race with the first send."""
    wire = Wire(tls)
    wire.host.receive(wire.to_host)
    wire.member.receive(wire.host.waiting())
    wire.host.receive(wire.member.waiting())
    assert wire.host.established and wire.member.established
    assert wire.host.waiting() == b""


def test_the_plain_channel():
    channel = PlainChannel()
    assert channel.established and not channel.ended
    assert channel.seal(b"out") == b"out" and channel.receive(b"in") == b"in" and channel.waiting() == b""
    channel.close()
    assert not channel.ended
    assert channel.receive(b"") == b"" and channel.ended
