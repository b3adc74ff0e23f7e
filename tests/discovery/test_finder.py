"""A lookout with real hosts on loopback. Where mDNS is not the matter, another way of seeing tells of the places."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from math import inf
from pathlib import Path

import pytest

from lanchat.discovery import directory
from lanchat.discovery.finder import Finder
from lanchat.discovery.mdns.mdns import Announcement
from lanchat.discovery.sighting import Advertisement, Listing, Sighting, Vanished
from lanchat.discovery.sources import Report, Tell, Way
from lanchat.network.interfaces import chosen
from lanchat.protocol.address import Endpoint
from lanchat.protocol.ids import fingerprint
from lanchat.server.host import Host
from lanchat.storage.known_hosts import FILE as KNOWN_HOSTS
from lanchat.storage.known_hosts import KnownHosts
from tests.support.waiting import wait_until

LOOPBACK = chosen(("127.0.0.1",))


class Told:
    """A way of seeing that was told what there is to see."""

    def __init__(self, *seen: Sighting | Vanished) -> None:
        self.seen = seen

    def __call__(self, report: Report, tell: Tell) -> "Told":
        self.report = report
        for seen in self.seen:
            report(seen)
        return self

    def close(self) -> None:
        pass


def sighting(title: str, port: int, room_id: str = "0" * 32) -> Sighting:
    endpoints = (Endpoint("127.0.0.1", port),)
    return Sighting("told", f"{title} {room_id}", room_id, title, "hal", endpoints, source="127.0.0.1")


def of(host: Host) -> Sighting:
    return sighting(host.title, host.port, host.room_id)


@pytest.fixture
def finder() -> Iterator[Callable[..., Finder]]:
    opened: list[Finder] = []

    def look(*ways: Way) -> Finder:
        opened.append(Finder(LOOPBACK, ways or None))
        return opened[-1]

    yield look
    for one in opened:
        one.close()


def row(finder: Finder, room_id: str) -> Listing | None:
    return next((listing for listing in finder.listings() if listing.room_id == room_id), None)


def test_an_announced_room_is_found_with_its_people_and_gone_when_killed(host, join, finder):
    room = host("Room A", nick="ann")
    join(room, "bob")
    advertisement = Advertisement(room.room_id, room.title, room.nick, room.port, room.identity.id)
    with Announcement(advertisement, LOOPBACK, pytest.fail):
        look = finder()
        listing = wait_until(lambda: row(look, room.room_id))
        assert listing is not None
        assert (listing.title, listing.host, listing.people, listing.state) == ("Room A", "ann", 1, "answering")
        assert listing.endpoints == (Endpoint("127.0.0.1", room.port),)
        room.close()  # and its record stays, as that of a killed host does
        wait_until(lambda: row(look, room.room_id) is None)
        assert look.problems() == ()


@pytest.mark.full
def test_what_is_no_room_is_not_listed_and_what_is_silent_is_listed_as_that(host, finder):
    with socket.create_server(("127.0.0.1", 0)) as web, socket.create_server(("127.0.0.1", 0)) as silent:
        answering = threading.Thread(target=_answer_http, args=(web,))
        answering.start()
        with closing(host("Room A")) as room:
            look = finder(
                Told(
                    sighting("Web", web.getsockname()[1], "1" * 32),
                    sighting("Silent", silent.getsockname()[1], "2" * 32),
                    of(room),
                )
            )
            wait_until(lambda: len(look.listings()) == 2)
            assert [(listing.title, listing.state) for listing in look.listings()] == [
                ("Room A", "answering"),
                ("Silent", "silent"),
            ]
        answering.join()


def _answer_http(web: socket.socket) -> None:
    sock, _ = web.accept()
    with sock:
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_strangers_goodbye_does_not_remove_a_room_that_lives(host, finder):
    room, way = host(), Told()
    look = finder(way)
    way.report(of(room))
    wait_until(look.listings)
    way.report(Vanished("told", of(room).name))
    assert [listing.room_id for listing in look.wait_change((), 5)] == [room.room_id]
    room.close()
    assert look.wait_change(look.listings(), 5) == ()


def test_a_title_is_found_as_soon_as_it_answers(host, finder):
    room = host("Room A")
    look = finder(Told(of(host("Room B", nick="bob")), of(room)))
    assert [listing.room_id for listing in look.find("Room A", wait=10)] == [room.room_id]
    assert [listing.room_id for listing in look.find("room a", wait=10)] == [room.room_id]


def test_all_rooms_of_a_title_are_found(host, finder):
    rooms = [host("Room A", nick="ann"), host("Room A", nick="bob")]
    look = finder(Told(*map(of, rooms)))
    assert {listing.host for listing in look.find("Room A", wait=10)} == {"ann", "bob"}


def test_an_exact_title_goes_before_one_in_other_letters(host, finder):
    look = finder(Told(of(host("room a", nick="bob")), of(host("Room A", nick="ann"))))
    assert [listing.host for listing in look.find("Room A", wait=10)] == ["ann"]


def test_a_title_that_nobody_has_is_not_found(finder):
    assert finder(Told()).find("Room A", wait=0.05) == ()


def test_a_way_that_does_not_work_is_told_once_and_the_others_go_on(host, finder):
    def broken(report: Report, tell: Tell) -> Told:
        tell("this way is closed")
        tell("this way is closed")
        return Told()

    look = finder(broken, Told(of(host())))
    wait_until(look.listings)
    assert look.problems() == ("this way is closed",)


def test_a_host_that_was_forgotten_is_a_new_one(host, finder, own_world: Path, monkeypatch):
    monkeypatch.setattr(directory, "ASK_EVERY", 0.02)
    room, known = host("Room A"), KnownHosts(own_world)
    look = finder(Told(of(room)))

    def stands(key_status: str) -> bool:
        listing = row(look, room.room_id)
        return listing is not None and listing.key_status == key_status

    wait_until(lambda: stands("new"))
    known.remember(room.room_id, fingerprint(room.identity.public), room.title)
    wait_until(lambda: stands("known"))
    known.forget(room.title)
    wait_until(lambda: stands("new"))


def test_rooms_are_seen_where_the_known_hosts_cannot_be_read(host, finder, own_world: Path):
    (own_world / KNOWN_HOSTS).mkdir(parents=True)
    look = finder(Told(*[of(host("Room A")), of(host("Room B"))]))
    wait_until(lambda: len(look.listings()) == 2)
    assert {listing.key_status for listing in look.listings()} == {""}
    [problem] = look.problems()
    assert f"Cannot use {own_world / KNOWN_HOSTS}" in problem


def test_one_may_look_for_ever(host, finder):
    room = host("Room A")
    look = finder(Told(of(room)))
    assert [listing.room_id for listing in look.find("Room A", wait=inf)] == [room.room_id]
    assert look.wait_change((), inf)


def test_closing_does_not_wait_for_those_that_do_not_answer(finder):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for sock in (first, second):  # fill the backlog, so that the next one is left waiting for its connection
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        with socket.create_server(("127.0.0.1", 0)) as silent:
            far, mute = full.getsockname()[1], silent.getsockname()[1]
            look = finder(Told(sighting("Far", far, "1" * 32), sighting("Mute", mute, "2" * 32)))
            silent.accept()[0].close()  # it is being asked
            began = time.monotonic()
            look.close()
            look.close()
            assert time.monotonic() - began < 1.5  # less than the time a probe may take


def test_finding_ends_when_the_lookout_closes(finder):
    look = finder(Told())
    finder = threading.Thread(target=look.find, args=("Room A", 60))
    finder.start()
    look.close()
    finder.join(5)
    assert not finder.is_alive()
