"""What the doctor asks one host over UDP, with a host on loopback that loses packets."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from threading import Thread

import pytest

from lanchat.discovery.udp.packets import MAX_DATAGRAM, Connect, Here, Seek, decode, encode
from lanchat.doctor.echo import can_connect_back, round_trip
from lanchat.network.listen import Listeners
from tests.support.addresses import LOOPBACK
from tests.support.waiting import PATIENCE

HERE = Here("5" * 32, "Room A", "hal", 47474)


@contextmanager
def losing_the_first(answer: Callable[[socket.socket, bytes, tuple[str, int]], None]) -> Iterator[int]:
    """The port of a host that does not hear the first packet, and answers the second."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(PATIENCE)

        def hear() -> None:
            sock.recvfrom(MAX_DATAGRAM)
            answer(sock, *sock.recvfrom(MAX_DATAGRAM))

        hearing = Thread(target=hear, name="lossy-host")
        hearing.start()
        yield sock.getsockname()[1]
        hearing.join()


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    with Listeners(LOOPBACK, 0) as opened:  # the usual port is one that other tests connect to
        yield opened


def test_a_lost_packet_does_not_make_a_firewall(listeners):
    """Who cannot connect to us is taken for one whom a firewall here keeps out."""

    def connect(sock: socket.socket, data: bytes, sender: tuple[str, int]) -> None:
        request = decode(data)
        assert isinstance(request, Connect)
        socket.create_connection(("127.0.0.1", request.port)).close()

    with losing_the_first(connect) as port:
        assert can_connect_back(LOOPBACK.now(), "127.0.0.1", listeners, port, wait=PATIENCE)


def test_a_lost_question_is_asked_once_more():
    def reply(sock: socket.socket, data: bytes, sender: tuple[str, int]) -> None:
        question = decode(data)
        assert isinstance(question, Seek)
        sock.sendto(encode(replace(HERE, nonce=question.nonce)), sender)

    with losing_the_first(reply) as port:
        assert round_trip(LOOPBACK.now(), "127.0.0.1", PATIENCE, port) is not None


def test_a_host_on_an_interface_that_is_gone_meanwhile_cannot_connect(listeners, udp_port):
    """A network that comes and goes is why somebody asks the doctor, who ended then."""
    assert not can_connect_back(LOOPBACK.now(), "127.0.0.1%gone0", listeners, udp_port, wait=0.01)
