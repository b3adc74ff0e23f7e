import socket
import threading

import pytest

from lanchat.network.flusher import OUTBOX_SHARE, Flusher
from lanchat.network.link import Link
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import PlainChannel
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def flusher():
    flusher = Flusher("test-flusher")
    yield flusher
    flusher.close()


@pytest.fixture
def behind(flusher):
    """`behind()`: a link with a waiting outbox, the socket at its other end, and all that was sent."""
    opened: list[Link | socket.socket] = []

    def make(outbox: int = OUTBOX_SHARE // 2) -> tuple[Link, socket.socket, bytes]:
        ours, theirs = socket.socketpair()
        link = Link(ours, PlainChannel(), flusher)
        opened.extend([link, theirs])
        sent = bytearray()
        while link.unsent < outbox:
            line = b"%07d\n" % len(sent) * 1000
            link.send(line)
            sent += line
        return link, theirs, bytes(sent)

    yield make
    for thing in opened:
        thing.close()


def received(sock: socket.socket, number: int) -> bytes:
    sock.settimeout(PATIENCE)
    got = bytearray()
    while len(got) < number and (data := sock.recv(65536)):
        got += data
    return bytes(got)


def test_an_outbox_is_drained(behind):
    link, theirs, sent = behind()
    assert received(theirs, len(sent)) == sent
    wait_until(lambda: not link.unsent)


def test_many_outboxes_are_drained_at_once(behind):
    peers = [behind() for _ in range(20)]
    for _, theirs, sent in reversed(peers):
        assert received(theirs, len(sent)) == sent


def test_a_peer_that_does_not_read_delays_no_other(behind):
    slow, _, _ = behind()
    for _ in range(5):
        _, theirs, sent = behind()
        assert received(theirs, len(sent)) == sent
    assert slow.unsent and not slow.over


def test_bytes_sent_during_a_flush_come_after_it(behind):
    link, theirs, sent = behind()
    theirs.settimeout(PATIENCE)
    got = bytearray()
    while len(got) < len(sent) + 400_000:
        if len(sent) < 1_500_000 and link.unsent < OUTBOX_SHARE // 2:
            link.send(b"more\n" * 2000)
            sent += b"more\n" * 2000
        elif len(got) == len(sent):
            break
        got += theirs.recv(8192)
    got += received(theirs, len(sent) - len(got))
    assert bytes(got) == sent


def test_bytes_queued_just_after_the_last_flush_are_flushed(flusher, behind):
    link, theirs, sent = behind()
    flusher._done(link)  # as if nothing had waited a moment before
    assert received(theirs, len(sent)) == sent


def test_a_link_that_ends_with_an_outbox(flusher, behind):
    gone, _, _ = behind()
    dropped, _, _ = behind()
    link, theirs, sent = behind()
    gone.close()
    dropped.drop("", "enough")
    again, its_peer, its_bytes = behind()  # has the number of the one that went
    assert received(theirs, len(sent)) == sent
    assert received(its_peer, len(its_bytes)) == its_bytes
    wait_until(lambda: not flusher._behind)


def test_the_flusher_sleeps_when_no_link_is_behind(flusher, behind, monkeypatch):
    """A link without an outbox must not keep the flusher busy."""
    link, theirs, sent = behind()
    received(theirs, len(sent))
    wait_until(lambda: not flusher._behind)
    rounds = []
    drain = flusher._flush_ready

    def counted(timeout: float) -> None:
        rounds.append(timeout)
        drain(timeout)

    monkeypatch.setattr(flusher, "_flush_ready", counted)
    flusher._wakeup.set()
    wait_until(lambda: rounds)
    link.send(b"x")
    assert received(theirs, 1) == b"x"
    assert len(rounds) <= 3 and rounds[-1] > 0


def test_the_flusher_enforces_deadlines():
    ours, theirs = socket.socketpair()
    flusher = Flusher("test-flusher", Timing(sweep=0.01))
    link = Link(ours, PlainChannel(), flusher)
    link.within(0.02, "late", "too late")
    assert link.receive() == b"" and (link.code, link.reason) == ("late", "too late")
    link.close()
    flusher.close()
    theirs.close()


def test_after_a_sleep_of_this_machine_no_link_is_dropped():
    """A laptop that wakes up after an hour has received nothing, which says nothing about its peers."""
    ours, theirs = socket.socketpair()
    flusher = Flusher("test-flusher", Timing(sweep=0.01, asleep=0.0))  # each sweep comes after a sleep
    link = Link(ours, PlainChannel(), flusher)
    link.keepalive.begin(b"ping\n")
    link.keepalive.reset(link._clock() - 1000)
    wait_until(lambda: not link.keepalive.is_dead(link._clock()))
    assert not link.over
    link.close()
    flusher.close()
    theirs.close()


def test_a_peer_that_promises_signs_of_life_is_dropped_after_its_silence_though_the_flusher_looked_seldom():
    ours, theirs = socket.socketpair()
    flusher = Flusher("test-flusher", Timing(sweep=3600.0))
    link = Link(ours, PlainChannel(), flusher)
    link.keepalive.begin(b"")
    flusher.expect(link, 0.2, 0.01)
    assert link.receive() == b"" and link.code == "silent"
    link.close()
    flusher.close()
    theirs.close()


def test_what_was_not_heard_in_a_sleep_of_half_the_silence_says_nothing():
    """Each sweep comes after a sleep by that measure, and not by the usual one."""
    ours, theirs = socket.socketpair()
    flusher = Flusher("test-flusher", Timing(sweep=3600.0, asleep=60.0))
    link = Link(ours, PlainChannel(), flusher)
    link.keepalive.begin(b"")
    link.keepalive.reset(link._clock() - 1000)
    flusher.expect(link, 0.02, 0.05)
    wait_until(lambda: link.over or not link.keepalive.is_dead(link._clock()))
    assert not link.over
    link.close()
    flusher.close()
    theirs.close()


def test_a_flusher_may_be_closed_twice():
    flusher = Flusher("test-flusher")
    flusher.close()
    flusher.close()


def test_a_flusher_without_a_thread_leaves_no_sockets(monkeypatch):
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with pytest.raises(RuntimeError):
        Flusher("test-flusher")
