"""A finder with real hosts on loopback. Where mDNS does not matter, a scripted source reports their addresses."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from math import inf
from pathlib import Path

import pytest

from lanchat.discovery import directory
from lanchat.discovery import finder as finder_module
from lanchat.discovery.finder import Finder
from lanchat.discovery.mdns.mdns import Registration
from lanchat.discovery.share import MAX_OF_ONE_MACHINE
from lanchat.discovery.sighting import Advertisement, Listing, OnProblem, Report, Sighting, Vanished
from lanchat.discovery.sources import Source, default_sources
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.ids import fingerprint
from lanchat.server.host import Host
from lanchat.storage.known_hosts import FILE as KNOWN_HOSTS
from lanchat.storage.known_hosts import KnownHosts
from lanchat.threads import Closable
from tests.support.addresses import LOOPBACK
from tests.support.waiting import PATIENCE, wait_until


class Scripted(Closable):
    """A source that reports what the test says."""

    def __init__(self, *seen: Sighting | Vanished) -> None:
        self.seen = seen
        self.closed = False

    def __call__(self, report: Report, on_problem: OnProblem) -> "Scripted":
        self.report = report
        for seen in self.seen:
            report(seen)
        return self

    def close(self) -> None:
        self.closed = True


def sighting(title: str, port: int, room_id: str = "0" * 32) -> Sighting:
    endpoints = (Endpoint("127.0.0.1", port),)
    return Sighting("scripted", f"{title} {room_id}", room_id, title, "hal", endpoints, machine="127.0.0.1")


def of(host: Host) -> Sighting:
    return sighting(f"{host.title} {host.nick}", host.port, host.room_id)


@pytest.fixture
def finder() -> Iterator[Callable[..., Finder]]:
    opened: list[Finder] = []

    def look(*sources: Source) -> Finder:
        opened.append(Finder(LOOPBACK, sources))
        return opened[-1]

    yield look
    for one in opened:
        one.close()


def row(finder: Finder, room_id: str) -> Listing | None:
    return next((listing for listing in finder.listings() if listing.room_id == room_id), None)


def test_an_advertised_room_is_found_with_its_people_and_leaves_the_list_when_killed(
    host, join, finder, own_world, udp_port
):
    room = host("Room A", nick="ann")
    join(room, "bob")
    advertisement = Advertisement(room.room_id, room.title, room.nick, room.port, room.identity.id)
    with Registration(advertisement, LOOPBACK, pytest.fail):
        look = finder(*default_sources(LOOPBACK, own_world, udp_port))
        listing = wait_until(lambda: row(look, room.room_id))
        assert listing is not None
        assert (listing.title, listing.host, listing.people, listing.state) == ("Room A", "ann", 1, "answering")
        assert listing.endpoints == (Endpoint("127.0.0.1", room.port),)
        room.close()  # and its record stays, as that of a killed host does
        wait_until(lambda: row(look, room.room_id) is None)
        assert look.problems() == ()


@pytest.mark.full
def test_what_is_not_a_room_is_not_listed_and_what_is_silent_is_listed_as_silent(host, finder):
    with socket.create_server(("127.0.0.1", 0)) as web, socket.create_server(("127.0.0.1", 0)) as silent:
        answering = threading.Thread(target=_answer_http, args=(web,))
        answering.start()
        with closing(host("Room A")) as room:
            look = finder(
                Scripted(
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


def test_a_room_is_probed_again_after_a_goodbye_and_stays_if_it_answers(host, join, finder, monkeypatch):
    monkeypatch.setattr(directory, "PROBE_EVERY", 3600)
    room, source = host(), Scripted()
    look = finder(source)

    def has_people(number: int) -> bool:
        listing = row(look, room.room_id)
        return listing is not None and listing.people == number

    source.report(of(room))
    wait_until(lambda: has_people(0))
    join(room, "bob")
    source.report(Vanished("scripted", of(room).name))
    wait_until(lambda: has_people(1))


def test_a_title_is_found_as_soon_as_it_answers(host, finder):
    room = host("Room A")
    look = finder(Scripted(of(host("Room B", nick="bob")), of(room)))
    assert [listing.room_id for listing in look.find("Room A", wait=PATIENCE)] == [room.room_id]
    assert [listing.room_id for listing in look.find("room a", wait=PATIENCE)] == [room.room_id]


def test_a_title_is_found_without_what_is_not_seen_of_it(host, finder):
    look = finder(Scripted(of(host("کتاب\u200cها"))))
    assert [listing.title for listing in look.find("کتابها", wait=PATIENCE)] == ["کتاب\u200cها"]


@pytest.mark.parametrize("name", ["don't panic", "DON’T PANIC", "ｄｏｎ’ｔ panic"])
def test_a_title_is_found_however_it_is_spelled(host, finder, name):
    room = host("Don’t panic")
    look = finder(Scripted(of(room)))
    assert [listing.room_id for listing in look.find(name, wait=PATIENCE)] == [room.room_id]


def test_all_rooms_of_a_title_are_found(host, finder):
    rooms = [host("Room A", nick="ann"), host("Room A", nick="bob")]
    look = finder(Scripted(*map(of, rooms)))
    wait_until(lambda: len(look.listings()) == 2)
    assert {listing.host for listing in look.find("Room A", wait=PATIENCE)} == {"ann", "bob"}


def test_an_exact_title_wins_over_one_in_upper_or_lower_case(host, finder):
    look = finder(Scripted(of(host("room a", nick="bob")), of(host("Room A", nick="ann"))))
    wait_until(lambda: len(look.listings()) == 2)
    assert [listing.host for listing in look.find("Room A", wait=PATIENCE)] == ["ann"]


def test_of_a_known_title_the_known_room_is_waited_for(host, finder, own_world):
    """The twin answers at once; the known room is seen only after the time in which a new title would be settled."""
    true, twin = host("Room A", nick="hal"), host("Room A", nick="mallory")
    KnownHosts(own_world).remember(true.room_id, fingerprint(true.identity.public), true.title)
    source = Scripted(of(twin))
    look = finder(source)
    found: list[Listing] = []
    search = threading.Thread(target=lambda: found.extend(look.find("room a", PATIENCE)))
    search.start()
    wait_until(look.listings)
    search.join(2 * finder_module.SAME_TITLE_WAIT)
    assert search.is_alive() and [listing.host for listing in look.listings()] == ["mallory"]
    source.report(of(true))
    search.join(PATIENCE)
    assert [listing.host for listing in found] == ["hal"]


def test_for_the_only_known_room_of_a_title_no_other_is_waited_for(host, finder, own_world, monkeypatch):
    room, known = host("Room A"), KnownHosts(own_world)
    known.remember(room.room_id, fingerprint(room.identity.public), room.title)
    monkeypatch.setattr(finder_module, "SAME_TITLE_WAIT", inf)
    look = finder(Scripted(of(room)))
    assert [listing.room_id for listing in look.find("Room A", wait=inf)] == [room.room_id]


def test_where_two_known_rooms_have_a_title_the_other_one_gets_its_time(host, finder, own_world, monkeypatch):
    room, known = host("Room A"), KnownHosts(own_world)
    known.remember(room.room_id, fingerprint(room.identity.public), room.title)
    known.remember("1" * 32, "f" * 64, "room a")
    monkeypatch.setattr(finder_module, "SAME_TITLE_WAIT", 3600.0)
    look = finder(Scripted(of(room)))
    search = threading.Thread(target=look.find, args=("Room A", 3600.0))
    search.start()
    wait_until(look.listings)
    search.join(0.1)
    assert search.is_alive()
    look.close()
    search.join(PATIENCE)
    assert not search.is_alive()


def test_a_twin_with_the_same_id_does_not_hide_the_known_room(host, finder, own_world):
    true = host("Room A", nick="hal")
    twin = host("Room A", nick="mallory", room_id=true.room_id)
    KnownHosts(own_world).remember(true.room_id, fingerprint(true.identity.public), true.title)
    look = finder(Scripted(of(twin), of(true)))
    wait_until(lambda: len(look.listings()) == 2)
    assert [(listing.host, listing.key_status) for listing in look.listings()] == [
        ("hal", "known"),
        ("mallory", "changed"),
    ]
    assert [listing.host for listing in look.find("Room A", PATIENCE)] == ["hal"]


def test_a_title_that_nobody_has_is_not_found(finder):
    assert finder(Scripted()).find("Room A", wait=0.05) == ()


def test_a_source_that_does_not_work_is_a_problem_once_and_the_others_go_on(host, finder):
    def broken(report: Report, on_problem: OnProblem) -> Scripted:
        on_problem("This source is broken.")
        on_problem("This source is broken.")
        return Scripted()

    look = finder(broken, Scripted(of(host())))
    wait_until(look.listings)
    assert look.problems() == ("This source is broken.",)


def test_a_problem_that_is_over_is_not_one(finder):
    told: list[OnProblem] = []

    def source(report: Report, on_problem: OnProblem) -> Scripted:
        told.append(on_problem)
        return Scripted()

    look = finder(source, source)
    told[0]("UDP does not work here.")
    told[1]("mDNS does not work here.")
    assert look.problems() == ("UDP does not work here.", "mDNS does not work here.")
    told[0]("")
    assert look.problems() == ("mDNS does not work here.",)


def test_a_machine_with_too_many_rooms_is_named(finder):
    with ExitStack() as silent:  # who refuses a connection would be off the list again
        servers = [silent.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(MAX_OF_ONE_MACHINE + 1)]
        rooms = [Endpoint("127.0.0.1", server.getsockname()[1]) for server in servers]
        seen = (Sighting("scripted", str(at), "", "", "", (at,), machine="192.168.1.7") for at in rooms)
        assert finder(Scripted(*seen)).problems() == (
            f"192.168.1.7 has more rooms than are listed ({MAX_OF_ONE_MACHINE}). Join the others by title or address.",
        )


def test_a_host_that_was_forgotten_is_a_new_one_again(host, finder, own_world: Path, monkeypatch):
    monkeypatch.setattr(directory, "PROBE_EVERY", 0.02)
    room, known = host("Room A"), KnownHosts(own_world)
    look = finder(Scripted(of(room)))

    def has(key_status: str) -> bool:
        listing = row(look, room.room_id)
        return listing is not None and listing.key_status == key_status

    wait_until(lambda: has("new"))
    known.remember(room.room_id, fingerprint(room.identity.public), room.title)
    wait_until(lambda: has("known"))
    known.forget(room.title)
    wait_until(lambda: has("new"))


def test_rooms_are_listed_even_if_the_known_hosts_cannot_be_read(host, finder, own_world: Path):
    (own_world / KNOWN_HOSTS).mkdir(parents=True)
    look = finder(Scripted(of(host("Room A")), of(host("Room B"))))
    wait_until(lambda: len(look.listings()) == 2)
    assert {listing.key_status for listing in look.listings()} == {""}
    [problem] = look.problems()
    assert str(own_world / KNOWN_HOSTS) in problem


def test_a_machine_without_a_network_is_told_which_rooms_it_can_see(own_world):
    lo = Address("lo", "127.0.0.1", 8, kind="loopback")
    with Finder(OwnAddresses((), lambda: [lo], read_again=0.0), [lambda report, on_problem: Scripted()]) as alone:
        [problem] = alone.problems()
    assert problem.endswith("Until it has one, only rooms on this machine show up.")


def test_a_search_may_last_for_ever(host, finder):
    room = host("Room A")
    look = finder(Scripted(of(room)))
    assert [listing.room_id for listing in look.find("Room A", wait=inf)] == [room.room_id]
    assert look.wait_change((), inf)


def test_closing_ends_the_probes_under_way(finder, monkeypatch):
    """One waits for its connection, the other for a card; either would wait for an hour."""
    monkeypatch.setattr(finder_module, "PROBE_LIMIT", 3600)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for sock in (first, second):  # fill the backlog, so that the next one is left waiting for its connection
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        with socket.create_server(("127.0.0.1", 0)) as mute:
            ports = [server.getsockname()[1] for server in (full, mute)]
            look = finder(Scripted(sighting("Far", ports[0], "1" * 32), sighting("Mute", ports[1], "2" * 32)))
            with mute.accept()[0]:
                wait_until(lambda: look._probing == 2)
                look.close()
                look.close()


def test_a_search_ends_when_the_finder_closes(finder):
    look = finder(Scripted())
    searching = threading.Thread(target=look.find, args=("Room A", 3600))
    searching.start()
    look.close()
    searching.join(PATIENCE)
    assert not searching.is_alive()


def test_a_source_that_begins_when_the_finder_has_closed_is_closed_again(finder):
    look, late = finder(Scripted()), Scripted()
    look.close()
    look.begin(late)
    assert late.closed


def test_a_source_that_cannot_start_ends_the_others(own_world):
    """No thread of the finder and no other source is left behind (every test checks that at its end)."""

    def broken(report: Report, on_problem: OnProblem) -> Scripted:
        raise RuntimeError("can't start new thread")

    other = Scripted()
    with pytest.raises(RuntimeError):
        Finder(LOOPBACK, [other, broken])
    assert other.closed


def test_a_finder_without_a_thread_leaves_nothing_behind(monkeypatch, own_world):
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with pytest.raises(RuntimeError):
        Finder(LOOPBACK, [])


def test_a_program_whose_home_folder_is_wrong_ends_with_an_error():
    """It could not end if a thread of the finder had been started before the folder was found to be wrong."""
    done = subprocess.run(
        [sys.executable, "-c", "import lanchat; lanchat.rooms(wait=0)"],
        env={**os.environ, "LANCHAT_HOME": "~nosuchuser"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 1
    assert "LanchatError: LANCHAT_HOME" in done.stderr


def test_all_sources_are_closed_at_the_same_time(finder):
    """Each may take seconds on a busy machine, and who leaves a room waits for the search that is under way."""
    both = threading.Barrier(2)

    class Slow(Scripted):
        def close(self) -> None:
            both.wait(PATIENCE)
            super().close()

    sources = Slow(), Slow()
    finder(*sources).close()
    assert [source.closed for source in sources] == [True, True]
