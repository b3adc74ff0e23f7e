import random
import socket
import ssl
import sys
import threading

import pytest

from lanchat.errors import NotLanchat, ProtocolError
from lanchat.network import flusher, sockets
from lanchat.network.flusher import OUTBOX_LIMIT, OUTBOX_SHARE
from lanchat.network.link import Link
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.timing import DEFAULT_TIMING as TIMING
from tests.support.links import Clock, Links, Reader, open_links
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def links(identity):
    with open_links(identity("hal")) as links:
        yield links


@pytest.fixture(params=["as here", "as on Windows"])
def platform(request, monkeypatch):
    """Windows has no MSG_DONTWAIT, so its sockets do not block and readers wait in another way."""
    if request.param == "as on Windows":
        monkeypatch.setattr("lanchat.network.link.DONTWAIT", 0)
        monkeypatch.setattr("lanchat.network.sending.DONTWAIT", 0)
        monkeypatch.setattr(sockets, "DONTWAIT", 0)
    return request.param


def established(pair: tuple[Link, Link, Reader, Reader]) -> tuple[Link, Link, Reader, Reader]:
    wait_until(lambda: pair[0].channel.established and pair[1].channel.established)
    return pair


# ---- there and back


def test_both_ends_talk(links, platform):
    host, member, at_host, at_member = established(links.pair())
    host.send(b"welcome\n")
    member.send(b"hello\n")
    wait_until(lambda: (bytes(at_host.got), bytes(at_member.got)) == (b"hello\n", b"welcome\n"))
    assert host.peer == "local"


def test_more_than_the_kernel_takes_arrives_whole_and_in_order(links, platform):
    host, member, at_host, at_member = established(links.pair())
    blobs = [random.Random(number).randbytes(3000) for number in range(300)]
    sent = 0
    for blob in blobs:
        wait_until(lambda: host.unsent < OUTBOX_LIMIT // 2)
        host.send(blob)
        sent += len(blob)
    wait_until(lambda: len(at_member.got) == sent)
    assert bytes(at_member.got) == b"".join(blobs)


def test_two_sending_threads_keep_their_order(links):
    """The order of encryption is the order on the wire; else TLS would break."""
    host, member, at_host, at_member = established(links.pair())

    def send_all(name: bytes) -> None:
        for number in range(500):
            host.send(b"%s %d\n" % (name, number))

    threads = [threading.Thread(target=send_all, args=(name,)) for name in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for number in range(500):  # and the other way at the same time
        member.send(b"%d\n" % number)
    for thread in threads:
        thread.join()
    wait_until(lambda: at_member.got.count(b"\n") == 1500 and at_host.got.count(b"\n") == 500)
    lines = bytes(at_member.got).splitlines()
    for name in (b"a", b"b", b"c"):
        assert [line for line in lines if line.startswith(name)] == [b"%s %d" % (name, n) for n in range(500)]


def test_talk_with_the_standard_library(links):
    link, theirs = links.alone(plain=False)
    reader = links.read(link)
    peer = links.stdlib_client(theirs)
    wait_until(lambda: link.established)
    link.send(b"card\n")
    assert peer.version() == "TLSv1.3" and peer.recv(100) == b"card\n"
    peer.sendall(b"hello\n")
    wait_until(lambda: reader.got == b"hello\n")
    link.finish(b"bye\n")
    assert peer.recv(100) == b"bye\n" and peer.recv(100) == b"", "a clean end, with close_notify"
    peer.close()
    reader.join()
    assert reader.error is None


def test_quiet_waits_for_silence(links):
    link, theirs = links.alone()
    assert link.quiet(0.001)
    theirs.send(b"x")
    assert not link.quiet(10)
    assert link.receive() == b"x"
    theirs.close()
    assert not link.quiet(10), "an end is something too"


@pytest.mark.skipif(sys.platform != "linux", reason="only there links are parked")
def test_a_link_is_heard_for_as_long_as_its_reader_is_patient(links):
    link, theirs = links.alone()
    link.be_patient(0.001)
    assert link.hear() is None
    theirs.send(b"one")
    assert (link.hear(), link.hear()) == (b"one", None)
    link.be_patient(0.0)
    assert link.hear() is None
    theirs.send(b"two")
    assert link.hear() is None, "it was read once, and is asked again only when there is something"
    link.be_patient(0.0)
    assert (link.hear(), link.hear()) == (b"two", None)
    theirs.close()
    link.be_patient(0.0)
    assert link.hear() == b"", "an end is something too"


@pytest.mark.skipif(sys.platform != "linux", reason="only there links are parked")
def test_who_is_impatient_still_reads_to_the_end_of_a_link(links):
    link, theirs = links.alone()
    link.be_patient(0.001)
    assert link.hear() is None
    drainer = threading.Thread(target=link.drain)
    drainer.start()
    for _ in range(3):
        theirs.send(b"x")
        wait_until(lambda: link.quiet(0.001))
        assert drainer.is_alive()
    theirs.close()
    drainer.join(PATIENCE)
    assert not drainer.is_alive()


# ---- sending never waits


def fill(link: Link) -> int:
    """Send into a link that nobody reads until it is dropped. Returns the number of bytes."""
    sent = 0
    while not link.over:
        link.send(b"x" * 8192)
        sent += 8192
        assert sent < 10_000_000
    return sent


def test_send_does_not_wait_for_a_peer_that_does_not_read(links, platform):
    link, theirs = links.alone()
    sent = fill(link)
    assert OUTBOX_LIMIT < sent < OUTBOX_LIMIT + 8 * sockets.SEND_BUFFER
    assert link.reason == "reads too slowly"


def test_a_slow_reader_is_dropped_and_the_others_go_on(links):
    good, _, _, at_good = established(links.pair())
    bad, theirs = links.alone(plain=False)
    at_bad = links.read(bad)
    peer = links.stdlib_client(theirs)
    wait_until(lambda: bad.channel.established)
    sent = 0
    while not bad.over:
        wait_until(lambda: good.unsent < OUTBOX_LIMIT // 2)
        for link in (good, bad):
            link.send(b"x" * 8192)
        sent += 8192
    at_bad.join()
    assert bad.reason == "reads too slowly"
    wait_until(lambda: len(at_good.got) == sent)
    good.send(b"still here")
    wait_until(lambda: at_good.got.endswith(b"still here"))
    peer.close()


def test_one_large_send_is_not_a_slow_reader(links):
    """A returning member gets the missed events in one send, which may be larger than the limit of the outbox."""
    host, member, at_host, at_member = established(links.pair())
    host.send(b"x" * (OUTBOX_LIMIT + 1024 * 1024))
    wait_until(lambda: len(at_member.got) == OUTBOX_LIMIT + 1024 * 1024)
    assert host.reason == ""


def test_a_burst_waits_for_a_peer_that_reads_later(links):
    link, theirs = links.alone()
    burst = DEFAULT_LIMITS.room_byte_burst
    for _ in range(burst // 8192):
        link.send(b"x" * 8192)
    got = 0
    while got < burst:
        got += len(theirs.recv(65536))
    assert link.reason == ""
    wait_until(lambda: not link.unsent and not links.flusher.waiting)


def test_when_too_much_waits_for_all_peers_each_has_a_share(links, monkeypatch):
    """Many peers that do not read do not fill the host's memory. Who is less behind than the share stays."""
    monkeypatch.setattr(flusher, "OUTBOXES_LIMIT", 1024 * 1024)
    patient, _ = links.alone()
    while patient.unsent < OUTBOX_SHARE // 2:
        patient.send(b"x" * 8192)
    peers = [links.alone()[0] for _ in range(8)]
    for _ in range(OUTBOX_LIMIT // 8192):
        for link in peers:
            link.send(b"x" * 8192)
        assert links.flusher.waiting <= 1024 * 1024 + 8 * (OUTBOX_SHARE + 8192)
    assert [link.reason for link in peers if link.over] == ["reads too slowly"] * sum(link.over for link in peers)
    assert sum(link.over for link in peers) >= 4
    patient.send(b"x")
    assert not patient.over and links.flusher.waiting == patient.unsent + sum(link.unsent for link in peers)


def test_bytes_sent_after_the_end_are_ignored(links):
    link, theirs = links.alone()
    link.drop("", "enough")
    link.send(b"x")
    link.finish(b"y")
    link.drop("", "again")
    assert theirs.recv(10) == b"" and link.reason == "enough"
    link.close()
    link.close()
    link.send(b"z")


def test_sending_while_the_peer_disconnects_is_no_error(links):
    """The reader meets the end, and the hub still sends before the link is dropped."""
    link, theirs = links.alone(plain=False)
    errors = []

    def read() -> None:
        try:
            link.establish()
            assert link.receive() == b""
            link.send(b"too late")
            link.finish(b"too late")
        except Exception as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    peer = links.stdlib_client(theirs)
    peer.shutdown(socket.SHUT_RDWR)  # no close_notify: the program was killed
    reader.join(PATIENCE)
    assert not reader.is_alive() and errors == []
    link.close()


# ---- ending


def test_finish_delivers_the_last_bytes(links):
    host, member, at_host, at_member = established(links.pair())
    blob = bytes(200_000)
    host.send(blob)
    host.finish(b"the end")
    at_member.join()
    assert bytes(at_member.got) == blob + b"the end"
    assert member.reason == "the other side closed the connection"
    host.finish(b"twice")
    at_host.join()


def test_finish_delivers_the_outbox_of_a_slow_reader(links):
    link, theirs = links.alone()
    sent = 0
    while link.unsent < OUTBOX_LIMIT // 2:
        link.send(b"x" * 8192)
        sent += 8192
    link.finish(b"the end")
    got = bytearray()
    while data := theirs.recv(65536):
        got += data
    assert len(got) == sent + 7 and got.endswith(b"the end")


def test_a_finished_link_still_receives(links):
    link, theirs = links.alone()
    link.finish(b"bye")
    theirs.sendall(b"you too")
    assert link.receive() == b"you too"


def test_a_finished_link_waits_for_the_peer_only_for_a_while(links):
    clock = Clock()
    link, theirs = links.alone(clock=clock)
    reader = links.read(link)
    link.finish(b"bye")
    link.check(clock.now + TIMING.linger - 0.1)
    assert not reader.ended.is_set()
    link.check(clock.now + TIMING.linger)
    reader.join()


def test_the_last_line_arrives_even_if_the_peer_still_sends(links):
    """Unread bytes make close() send a reset, which would destroy the last line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    with theirs:
        link = links.link(ours, server=True, plain=True)
        theirs.sendall(b"x" * 200_000)
        assert link.receive()
        link.finish(b"no, thank you")
        drainer = threading.Thread(target=lambda: (link.drain(), link.close()))
        drainer.start()
        theirs.sendall(b"x" * 200_000)
        assert theirs.recv(100) == b"no, thank you" and theirs.recv(100) == b""
        theirs.close()
        drainer.join(PATIENCE)
        assert not drainer.is_alive()


def test_drop_wakes_the_reader(links, platform):
    link, theirs = links.alone()
    reader = links.read(link)
    link.drop("", "enough")
    reader.join()
    assert link.reason == "enough" and theirs.recv(1) == b""


def test_the_first_reason_stays(links):
    link, theirs = links.alone()
    reader = links.read(link)
    theirs.close()
    reader.join()
    link.drop("", "later")
    assert link.reason == "the other side closed the connection"


def test_a_reset_ends_the_link(links):
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    link = links.link(ours, server=True, plain=True)
    assert link.peer == "127.0.0.1"
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    theirs.close()
    assert link.receive() == b"" and link.reason == "the connection was lost"
    link.close()
    assert link.peer == "?" and link.fileno() == -1


# ---- strangers


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 64, b"hello\n"])
def test_a_peer_without_tls_is_not_lanchat(links, garbage):
    link, theirs = links.alone(plain=False)
    theirs.sendall(garbage)
    with pytest.raises(NotLanchat, match="does not speak"):
        link.establish()
    link.close()


def test_a_peer_that_disconnects_in_the_handshake_is_not_lanchat(links):
    link, theirs = links.alone(plain=False)
    theirs.sendall(b"\x16\x03\x01")
    theirs.close()
    with pytest.raises(NotLanchat, match="closed the connection"):
        link.establish()


def test_changed_bytes_end_the_link(links):
    host, member, at_host, at_member = established(links.pair())
    member._socket.send(b"\x17\x03\x03\x00\x20" + bytes(32))
    at_host.join()
    assert isinstance(at_host.error, ProtocolError) and "encrypted connection is broken" in host.reason
    at_member.join()


def test_a_key_update_while_both_ends_send(links):
    """The peer may ask for new keys at any time; with one SSLSocket and two threads this crashes the interpreter."""
    tlslite = pytest.importorskip("tlslite", reason="needs tlslite-ng to send a KeyUpdate")
    from tlslite.constants import KeyUpdateMessageType

    link, theirs = links.alone(plain=False)
    reader = links.read(link)
    peer = tlslite.TLSConnection(theirs)
    settings = tlslite.HandshakeSettings()
    settings.more_sig_schemes = ["Ed25519"]
    peer.handshakeClientCert(settings=settings)
    wait_until(lambda: link.established)
    for number in range(50):
        link.send(b"%d\n" % number)
        for _ in peer.send_keyupdate_request(KeyUpdateMessageType.update_requested):
            pass
        peer.write(b"%d\n" % number)
    expected = b"".join(b"%d\n" % number for number in range(50))
    assert peer.read(min=len(expected), max=len(expected)) == expected
    wait_until(lambda: bytes(reader.got) == expected)
    link.drop("", "enough")


# ---- deadlines, by a clock that stands still


def test_a_link_is_dropped_at_its_deadline(links):
    clock = Clock()
    link, theirs = links.alone(clock=clock)
    link.within(10, "late", "did not say hello in time")
    link.check(clock.now + 9.9)
    assert not link.over
    link.check(clock.now + 10)
    assert link.over and link.reason == "did not say hello in time"


def test_a_deadline_that_was_met_does_not_drop_the_link(links):
    clock = Clock()
    link, theirs = links.alone(clock=clock)
    link.within(10, "late", "did not say hello in time")
    link.within(None)
    link.check(clock.now + 1000)
    assert not link.over


def stalled(links: Links, clock: Clock) -> tuple[Link, socket.socket]:
    link, theirs = links.alone(clock=clock)
    while not link.unsent:
        link.send(b"x" * 8192)
    return link, theirs


def test_a_link_with_a_stalled_outbox_is_dropped(links):
    clock = Clock()
    link, theirs = stalled(links, clock)
    link.check(clock.now + TIMING.stall)
    assert not link.over
    link.check(clock.now + TIMING.stall + 0.1)
    assert link.reason == "did not read for 10 s"


def test_a_peer_that_reads_a_little_is_not_stalled(links):
    clock = Clock()
    link, theirs = stalled(links, clock)
    while link.unsent < OUTBOX_LIMIT // 2:
        link.send(b"x" * 8192)
    for _ in range(3):
        clock.now += TIMING.stall - 1
        waiting = link.unsent
        while link.unsent == waiting:
            theirs.recv(8192)
            link.flush()
        link.check(clock.now)
    assert not link.over


def test_a_silent_peer_is_pinged_and_then_dropped(links):
    clock = Clock()
    link, theirs = links.alone(clock=clock)
    link.keepalive.begin(b"ping\n")
    link.check(clock.now + TIMING.ping_after)
    link.check(clock.now + TIMING.ping_after + 1)
    link.check(clock.now + TIMING.ping_after + 2)
    assert theirs.recv(100) == b"ping\n", "once"
    link.check(clock.now + TIMING.dead_after)
    assert not link.over
    link.check(clock.now + TIMING.dead_after + 0.1)
    assert link.reason == "no answer for 25 s"


def test_a_pong_keeps_the_link(links):
    clock = Clock()
    link, theirs = links.alone(clock=clock)
    link.keepalive.begin(b"ping\n")
    for _ in range(5):
        clock.now += TIMING.ping_after + 1
        link.check(clock.now)
        assert theirs.recv(100) == b"ping\n"
        theirs.sendall(b"pong\n")
        assert link.receive() == b"pong\n"
    assert not link.over


def test_a_link_that_only_receives_is_pinged_too(links):
    """On a slow link the peer's ping waits behind its other bytes, and by then the peer has given us up."""
    clock = Clock()
    link, theirs = links.alone(clock=clock)
    link.keepalive.begin(b"ping\n")
    link.check(clock.now)
    for _ in range(5):
        clock.now += TIMING.ping_after / 2 + 1
        theirs.sendall(b"talk\n")
        assert link.receive() == b"talk\n"
        link.check(clock.now)
    theirs.setblocking(False)
    assert theirs.recv(100) == b"ping\n" * 2


def test_without_keepalive_silence_is_allowed(links):
    clock = Clock()
    link, theirs = links.alone(clock=clock)
    link.check(clock.now + 1_000_000)
    assert not link.over


def test_a_peer_is_dropped_after_its_own_limit_of_silence(links):
    clock = Clock()
    link, theirs = links.alone(clock=clock)
    link.keepalive.silence = 3.0
    for _ in range(5):
        clock.now += 2.0
        theirs.sendall(b"a bit\n")
        assert link.receive() == b"a bit\n"
        link.check(clock.now)
    assert not link.over
    link.check(clock.now + 3.1)
    assert link.reason == "no answer for 3 s"


def test_after_our_own_sleep_the_peers_silence_is_forgiven(links):
    clock = Clock()
    link, theirs = stalled(links, clock)
    link.keepalive.begin(b"ping\n")
    clock.now += 3600
    link.forgive(clock.now)
    link.check(clock.now)
    assert not link.over


def test_the_options_of_a_chat_socket():
    with socket.socket() as sock:
        sockets.tune(sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * sockets.SEND_BUFFER
    assert ssl.HAS_TLSv1_3
