"""Real UDP on loopback. Other tests announce there at the same time, so each looks for its own room ids."""

import secrets
import select
import socket
import time
from collections.abc import Callable

import pytest

from lanchat.discovery.advertise import Advertiser
from lanchat.discovery.sighting import Advertisement, Sighting, Vanished
from lanchat.discovery.udp.announce import Announcer, Seeker
from lanchat.discovery.udp.multicast import PORT
from lanchat.discovery.udp.packets import Gone, Here, Knock, Seek, decode, encode
from lanchat.network.interfaces import chosen
from lanchat.network.listen import listen
from lanchat.protocol.address import Address, Endpoint
from tests.support.waiting import wait_until

LOOPBACK = chosen(("127.0.0.1",))
NOT_OURS = Address("eth9", "203.0.113.9", 24)  # kept for documentation (RFC 5737): no machine has it


def advertisement(title: str = "Room A", port: int = 47474) -> Advertisement:
    return Advertisement(secrets.token_hex(16), title, "ann", port, "ab" * 32)


class Reports:
    def __init__(self) -> None:
        self.all: list[Sighting | Vanished] = []
        self.problems: list[str] = []

    def of(self, room: Advertisement) -> list[Sighting | Vanished]:
        return [report for report in self.all if report.name.startswith(room.room_id)]

    def seeker(self, on: list[Address] = LOOPBACK) -> Seeker:
        return Seeker(on, self.all.append, self.problems.append)


def answer_to(question: bytes, room: Advertisement) -> bytes:
    """What this room's host, which may just be starting, answers to a question to everybody on loopback."""
    return wait_until(lambda: ask(question, room))[0]


def ask(question: bytes, room: Advertisement, within: float = 0.3) -> list[bytes]:
    answers: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        sock.sendto(question, ("239.255.47.74", PORT))
        deadline = time.monotonic() + within
        while not answers and (left := deadline - time.monotonic()) > 0 and select.select([sock], [], [], left)[0]:
            data = sock.recv(2048)
            said = decode(data)
            if isinstance(said, Here) and said.room_id == room.room_id:
                answers.append(data)
    return answers


@pytest.mark.parametrize("way", [Announcer, Advertiser])
def test_a_room_is_seen_at_once_and_gone(way: Callable[..., Announcer]):
    reports, room = Reports(), advertisement("Größe 1.5")
    with reports.seeker():
        with way(room, LOOPBACK, reports.problems.append):
            wait_until(lambda: reports.of(room), 2)
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


def test_who_comes_later_need_not_wait_for_the_next_announcement():
    reports, rooms = Reports(), [advertisement(f"Room {n}") for n in range(3)]
    announcers = [Announcer(room, LOOPBACK, reports.problems.append) for room in rooms]
    time.sleep(1.2)  # the first announcements are over
    began = time.monotonic()
    with reports.seeker():
        wait_until(lambda: all(map(reports.of, rooms)))
    assert time.monotonic() - began < 0.3
    for announcer in announcers:
        announcer.close()
        announcer.close()


def test_an_answer_is_never_larger_than_the_question():
    room = advertisement()
    with Announcer(room, LOOPBACK, pytest.fail):
        answer = answer_to(encode(Seek("n1")), room)
        assert len(answer) <= len(encode(Seek("n1")))
        said = decode(answer)
        assert isinstance(said, Here) and said.nonce == "n1"
        assert ask(b'{"lanchat":1,"say":"seek","n":"n2"}', room) == []


def test_how_many_are_inside_is_told():
    room = advertisement()
    with Announcer(room, LOOPBACK, pytest.fail, people=lambda: 7):
        answer = answer_to(encode(Seek("n1")), room)
    assert isinstance(said := decode(answer), Here) and said.people == 7


def test_noise_ends_nothing():
    reports, room = Reports(), advertisement()
    with reports.seeker(), Announcer(room, LOOPBACK, reports.problems.append):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for data in (b"", b"\xff" * 2000, b"{", b"[" * 508, encode(Gone("0" * 32)), encode(Knock(22))):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                sock.sendto(data, ("127.255.255.255", PORT))
        wait_until(lambda: reports.of(room))
        answer_to(encode(Seek("after")), room)


def test_a_knock_is_answered_by_a_connection_to_a_port_of_lanchat_alone():
    room = advertisement()
    with Announcer(room, LOOPBACK, pytest.fail), socket.create_server(("127.0.0.1", 0)) as other:
        [door] = listen(["127.0.0.1"], None)
        with door, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            answer_to(encode(Seek("there?")), room)
            for port in (other.getsockname()[1], door.getsockname()[1]):
                sock.sendto(encode(Knock(port, str(port))), ("239.255.47.74", PORT))
            assert select.select([door], [], [], 5)[0]
            door.accept()[0].close()
            assert not select.select([other], [], [], 0.2)[0]


def test_an_interface_that_is_gone_is_said_and_not_raised():
    reports = Reports()
    with reports.seeker([NOT_OURS]), Announcer(advertisement(), [NOT_OURS], reports.problems.append):
        wait_until(lambda: len(reports.problems) == 2)
    assert set(reports.problems) == {"this machine has no network at the moment"}
