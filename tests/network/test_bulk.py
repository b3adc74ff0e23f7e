"""Bulk data waits for its reader, and chat does not."""

import os
import random
import socket
import sys
import threading

import pytest

from lanchat.network.bulk import begin_bulk, send_wait
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


def test_the_thread_that_waits_is_the_only_one_that_does(links):
    """The flusher would wake for every piece, too. It helps only with what stands there at the end."""
    link, peer = links.alone()
    sender = Sender(link, [bytes(64 * 1024)] * 32)
    wait_until(lambda: link.unsent > 0)
    assert link not in link.flusher._behind
    receive_exactly(peer, 32 * 64 * 1024)
    sender.join()
    assert not send_wait(link, bytes(3 << 20), timeout=0.05)
    link.finish(b"the end")
    assert receive_exactly(peer, (3 << 20) + 7).endswith(b"the end"), "the flusher drains the rest"


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own elsewhere")
def test_a_thread_that_moves_bulk_data_lets_the_others_go_first(links):
    link, _ = links.alone()
    found: list[int] = []

    def move() -> None:
        begin_bulk(link)
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=move)
    thread.start()
    thread.join()
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert found[0] == min(19, ours + 5)


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
        data = sock.recv(1 << 20)
        assert data, "it ended before all had come"
        got += data
    return bytes(got)
