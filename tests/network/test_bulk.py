"""Bulk data waits for its reader, and chat does not."""

import random
import socket
import threading

import pytest

from lanchat.network.bulk import send_wait
from lanchat.network.link import Link
from tests.support.links import open_links
from tests.support.waiting import wait_until


@pytest.fixture
def links(identity):
    with open_links(identity("hal")) as links:
        yield links


class Sender:
    """A thread that sends pieces, one after the other."""

    def __init__(self, link: Link, pieces: list[bytes]) -> None:
        self.sent = 0
        self.result: bool | None = None
        self._thread = threading.Thread(target=self._run, args=(link, pieces))
        self._thread.start()

    def _run(self, link: Link, pieces: list[bytes]) -> None:
        for piece in pieces:
            self.result = send_wait(link, piece)
            if not self.result:
                return
            self.sent += len(piece)

    def join(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()


def test_much_more_than_an_outbox_holds_arrives_whole_and_in_order(links):
    host, _, _, at_member = links.pair()
    wait_until(lambda: host.established)
    pieces = [random.Random(number).randbytes(64 * 1024) for number in range(160)]  # 10 MiB
    sender = Sender(host, pieces)
    sender.join()
    assert sender.result is True
    wait_until(lambda: len(at_member.got) == sum(map(len, pieces)))
    assert bytes(at_member.got) == b"".join(pieces)


def test_a_peer_that_does_not_read_is_waited_for(links):
    """Then it reads, and everything is there."""
    link, peer = links.alone()
    pieces = [bytes([number]) * 64 * 1024 for number in range(32)]
    sender = Sender(link, pieces)
    wait_until(lambda: link.unsent > 0)
    assert not link.over and sender.sent < len(pieces) * 64 * 1024
    assert receive_exactly(peer, len(pieces) * 64 * 1024) == b"".join(pieces)
    sender.join()
    assert sender.result is True


def test_a_link_that_ends_meanwhile_ends_the_wait(links):
    link, _ = links.alone()
    sender = Sender(link, [bytes(64 * 1024)] * 64)
    wait_until(lambda: link.unsent > 0)
    link.drop("lost", "the test ends it")
    sender.join()
    assert sender.result is False


def test_a_wait_may_have_an_end(links):
    link, peer = links.alone()
    size = 4 * 1024 * 1024
    assert not send_wait(link, bytes(size), timeout=0.05)
    reader = threading.Thread(target=receive_exactly, args=(peer, size))
    reader.start()
    assert send_wait(link, b"", timeout=20)
    reader.join()


def receive_exactly(sock: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        got += sock.recv(1 << 20)
    return bytes(got)
