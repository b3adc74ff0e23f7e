"""The multicast sockets of loopback, each test on a port of its own."""

import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from lanchat.discovery.udp.multicast import MulticastSocket, multicast_problem
from lanchat.discovery.udp.sockets import MAX_READ, MulticastSockets, Received
from tests.support.addresses import LOOPBACK
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def pair(udp_port) -> Iterator[tuple[MulticastSockets, MulticastSockets]]:
    """Two programs on one network."""
    with (
        MulticastSockets(LOOPBACK, pytest.fail, udp_port) as one,
        MulticastSockets(LOOPBACK, pytest.fail, udp_port) as two,
    ):
        for sockets in (one, two):
            assert sockets.follow_addresses(time.monotonic())
        yield one, two


def received(sockets: MulticastSockets, data: bytes) -> Received:
    """This datagram, as soon as it has come."""
    found = wait_until(lambda: [one for one in sockets.receive(0.05) if one.data == data])
    return found[0]


def test_what_one_sends_to_everybody_the_other_receives_and_can_reply_to(pair):
    one, two = pair
    one.broadcast(b"question", time.monotonic())
    question = received(two, b"question")
    assert question.sender == "127.0.0.1"
    assert question.socket.reply(b"answer", question.reply_to) is None
    assert received(one, b"answer").sender == "127.0.0.1"


def test_a_datagram_for_one_machine_alone_is_received(pair):
    one, two = pair
    one.unicast(b"for you", "127.0.0.1")
    assert wait_until(lambda: [each for sockets in pair for each in sockets.receive(0.05) if each.data == b"for you"])


def test_a_datagram_that_is_too_long_is_cut(pair):
    one, two = pair
    one.broadcast(b"x" * (MAX_READ + 100), time.monotonic())
    assert received(two, b"x" * MAX_READ)


def test_a_wait_is_ended_by_another_thread(pair):
    one, _ = pair
    waker = threading.Thread(target=one.wake)
    waker.start()
    assert list(one.receive(3600)) == []
    waker.join()


def test_waking_and_closing_are_harmless_after_a_close(udp_port):
    sockets = MulticastSockets(LOOPBACK, pytest.fail, udp_port)
    sockets.close()
    sockets.wake()
    sockets.close()


def test_a_port_that_another_program_keeps_leaves_the_sender_working(udp_port):
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        closing(MulticastSocket(LOOPBACK.now()[0], udp_port)) as ours,
    ):
        other.settimeout(PATIENCE)
        other.bind(("127.0.0.1", 0))
        assert ours.receiver is not None and ours.receive_error is None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as greedy:
            ours.receiver.close()
            greedy.bind(("", udp_port))
            ours.open_receiver()
            assert ours.receiver is None
            assert ours.receive_error is not None and ours.receive_error.errno == errno.EADDRINUSE
            assert ours.reply(b"answer", other.getsockname()) is None
        assert other.recvfrom(100) == (b"answer", ours.sender.getsockname())
        ours.open_receiver()
        assert ours.receiver is not None and ours.receive_error is None


@pytest.mark.parametrize(
    ("code", "platform", "words"),
    [
        (errno.EADDRINUSE, "linux", "Another program uses UDP port 47474"),
        (errno.EHOSTUNREACH, "darwin", "macOS does not let this terminal use the local network"),
        (errno.EHOSTUNREACH, "linux", "Cannot look for rooms over UDP on eth0"),
        (errno.EPERM, "linux", "A firewall on this machine"),
        (errno.EACCES, "win32", "A firewall on this machine"),
        (errno.ENOBUFS, "linux", "This machine has no buffer"),
        (errno.ENETDOWN, "linux", "Cannot look for rooms over UDP on eth0"),
    ],
)
def test_an_error_becomes_a_sentence_for_a_person(code, platform, words):
    sentence = multicast_problem(OSError(code, "Some Error"), "eth0", platform=platform)
    assert sentence.startswith(words) and sentence.endswith(".")
