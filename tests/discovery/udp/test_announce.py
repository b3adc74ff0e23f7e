"""Announcers and seekers with real UDP on loopback, each test on a port of its own."""

import secrets
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lanchat.discovery.advertise import Advertiser
from lanchat.discovery.sighting import Advertisement, Sighting, Vanished
from lanchat.discovery.udp import sockets
from lanchat.discovery.udp.announce import Announcer, Schedule, Seeker
from lanchat.discovery.udp.multicast import GROUP, MulticastSocket
from lanchat.discovery.udp.packets import MAX_DATAGRAM, Connect, Gone, Here, Packet, Seek, decode, encode
from lanchat.network.addresses import OwnAddresses
from lanchat.network.listen import Listeners
from lanchat.protocol.address import Address, Endpoint
from tests.support.addresses import LOOPBACK, Machine
from tests.support.namespaces import require_own_loopback
from tests.support.waiting import PATIENCE, wait_until

NOT_OURS = Address("eth9", "203.0.113.9", 24)  # kept for documentation (RFC 5737): no machine has it
ONCE = Schedule(every=3600.0, first=(0.0,))


def advertisement(title: str = "Room A", port: int = 47474) -> Advertisement:
    return Advertisement(secrets.token_hex(16), title, "ann", port, "ab" * 32)


class Reports:
    """Takes what a seeker reports, and problems."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.all: list[Sighting | Vanished] = []
        self.problems: list[str] = []

    def of(self, room: Advertisement) -> list[Sighting | Vanished]:
        return [report for report in self.all if report.name.startswith(room.room_id)]

    def seeker(self, on: OwnAddresses = LOOPBACK) -> Seeker:
        return Seeker(on, self.all.append, self.problems.append, self.port)


@pytest.fixture
def reports(udp_port) -> Reports:
    return Reports(udp_port)


@contextmanager
def stranger(port: int) -> Iterator[Callable[[bytes], None]]:
    """Somebody else on the network: a function that sends any bytes to everybody."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))

        def send(data: bytes) -> None:
            sock.sendto(data, (GROUP, port))

        yield send


def answer_to(port: int, *questions: bytes) -> tuple[bytes, Here]:
    """The first answer to these questions, of which all but the last need none. The host may still be starting."""

    def ask() -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            for question in questions:
                sock.sendto(question, (GROUP, port))
            return sock.recv(2048) if select.select([sock], [], [], 0.3)[0] else b""

    data = wait_until(ask)
    packet = decode(data)
    assert isinstance(packet, Here)
    return data, packet


@contextmanager
def overheard(port: int) -> Iterator[list[Packet]]:
    """All packets that are sent to everybody meanwhile."""
    packets: list[Packet] = []
    ended = threading.Event()
    multicast = MulticastSocket(LOOPBACK.now()[0], port)
    receiver = multicast.receiver
    assert receiver is not None

    def listen_in() -> None:
        while not ended.is_set():
            if select.select([receiver], [], [], 0.05)[0] and (packet := decode(receiver.recv(2048))) is not None:
                packets.append(packet)

    thread = threading.Thread(target=listen_in, name="eavesdropper")
    thread.start()
    try:
        yield packets
    finally:
        ended.set()
        thread.join()
        multicast.close()


@pytest.mark.parametrize("kind", [Announcer, Advertiser])
def test_an_announced_room_is_seen_and_vanishes_with_its_goodbye(kind: Callable[..., Announcer], reports):
    room = advertisement("Größe 1.5")
    with reports.seeker():
        with kind(room, LOOPBACK, reports.problems.append, port=reports.port):
            wait_until(lambda: reports.of(room))
            [sighting] = reports.of(room)[:1]
            assert sighting == Sighting(
                "announce",
                f"{room.room_id} 127.0.0.1 47474",
                room.room_id,
                "Größe 1.5",
                "ann",
                (Endpoint("127.0.0.1", 47474),),
                "ab" * 32,
                "127.0.0.1",
            )
        wait_until(lambda: isinstance(reports.of(room)[-1], Vanished))
    assert reports.problems == []


def test_a_seeker_that_starts_late_need_not_wait_for_the_next_announcement(reports):
    """Each room is announced once and then not for an hour, so only an answer can tell of it."""
    rooms = [advertisement(f"Room {n}") for n in range(3)]
    with overheard(reports.port) as packets:
        announcers = [Announcer(room, LOOPBACK, pytest.fail, port=reports.port, schedule=ONCE) for room in rooms]
        wait_until(lambda: {room.room_id for room in rooms} <= {p.room_id for p in packets if isinstance(p, Here)})
        with reports.seeker():
            wait_until(lambda: all(map(reports.of, rooms)))
        for announcer in announcers:
            announcer.close()
            announcer.close()


def test_an_answer_is_never_larger_than_the_question(udp_port):
    with Announcer(advertisement(), LOOPBACK, pytest.fail, port=udp_port):
        short = b'{"lanchat":1,"say":"seek","n":"short"}'
        data, answer = answer_to(udp_port, short, encode(Seek("long")))
    assert answer.nonce == "long", "the short question, which came first, has got no answer"
    assert len(data) <= len(encode(Seek("long")))


def test_an_answer_says_how_many_people_are_in_the_room(udp_port):
    with Announcer(advertisement(), LOOPBACK, pytest.fail, people=lambda: 7, port=udp_port):
        _, answer = answer_to(udp_port, encode(Seek("n1")))
    assert (answer.people, answer.nonce) == (7, "n1")


def test_an_announcer_repeats_itself_on_schedule(udp_port):
    schedule = Schedule(every=0.01, first=(0.0, 0.01))
    with (
        overheard(udp_port) as packets,
        Announcer(advertisement(), LOOPBACK, pytest.fail, port=udp_port, schedule=schedule),
    ):
        wait_until(lambda: len(packets) >= 20)


def test_noise_ends_neither_announcer_nor_seeker(reports):
    room = advertisement()
    noise = (b"", b"\xff" * 2000, b"{", b"[" * 508, encode(Gone("0" * 32)), encode(Connect(22)))
    with reports.seeker(), Announcer(room, LOOPBACK, pytest.fail, port=reports.port), stranger(reports.port) as send:
        for data in noise:
            send(data)
        wait_until(lambda: reports.of(room))
        answer_to(reports.port, encode(Seek("after")))
    assert reports.problems == []


def test_a_host_connects_on_request_but_only_to_a_port_of_lanchat(udp_port):
    """The requests are handled in order, so the first one has been refused when the second one is met."""
    with (
        Announcer(advertisement(), LOOPBACK, pytest.fail, port=udp_port),
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        with Listeners(LOOPBACK, None) as listeners, stranger(udp_port) as send:
            [lanchat] = listeners.sockets
            answer_to(udp_port, encode(Seek("there?")))
            for port in (other.getsockname()[1], lanchat.getsockname()[1]):
                send(encode(Connect(port, str(port))))
            assert select.select([lanchat], [], [], PATIENCE)[0]
            lanchat.accept()[0].close()
            assert not select.select([other], [], [], 0)[0]


def test_a_short_request_to_connect_is_ignored(udp_port):
    """The sender may be forged, and a connection takes several packets."""
    require_own_loopback()
    with (
        Announcer(advertisement(), LOOPBACK, pytest.fail, port=udp_port),
        Listeners(LOOPBACK, None) as lanchat,
        stranger(udp_port) as send,
    ):
        for size in (0, MAX_DATAGRAM - 1):
            send(encode(Connect(lanchat.port, str(size))).rstrip().ljust(size))
        answer_to(udp_port, encode(Seek("there?")))
        assert not select.select(lanchat.sockets, [], [], 0)[0]


def test_an_address_that_cannot_be_used_is_a_problem_until_another_one_works(reports, monkeypatch):
    """The machine has said that it has this address, but nothing can be sent from there."""
    monkeypatch.setattr(sockets, "REPORT_AFTER", 0.0)
    machine = Machine(NOT_OURS)
    quick = Schedule(every=0.05)
    with Announcer(
        advertisement(), machine.own("eth9", "lo"), reports.problems.append, port=reports.port, schedule=quick
    ):
        wait_until(lambda: reports.problems)
        machine.addresses = LOOPBACK.now()
        wait_until(lambda: len(reports.problems) == 2)
    problem, over = reports.problems
    assert problem.startswith("Cannot look for rooms over UDP on eth9 (") and over == ""


def test_an_announcer_without_a_thread_leaves_no_sockets(monkeypatch, udp_port):
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with pytest.raises(RuntimeError):
        Announcer(advertisement(), LOOPBACK, pytest.fail, port=udp_port)
