"""Where a member looks for the room when its host is gone."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from lanchat.api.dialer import Dialer
from lanchat.api.host_check import HostCheck
from lanchat.api.targets import Target
from lanchat.errors import ConnectionLost, NoSuchRoom
from lanchat.protocol.address import Endpoint
from lanchat.protocol.places import Place
from lanchat.protocol.timing import Timing
from lanchat.storage.home import home_folder
from lanchat.storage.known_hosts import KnownHosts
from tests.support.addresses import LOOPBACK

TIMING = Timing(connect=1.0, next_address=0.05, look_again=0.0, look_first=0.0)


@pytest.fixture
def open_port() -> Iterator[Endpoint]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Endpoint(*server.getsockname())


@pytest.fixture
def closed_port() -> Endpoint:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return Endpoint(*server.getsockname())


def dialer(*endpoints: Endpoint) -> Dialer:
    return Dialer(endpoints, HostCheck(Target(endpoints), KnownHosts(home_folder())), LOOPBACK, TIMING)


def place(index: int, endpoint: Endpoint) -> Place:
    return Place(index, bytes([index]) * 32, f"number{index}", (str(endpoint),))


def reached(one: Dialer) -> Endpoint:
    with closing(one.dial()):
        return one.last


def test_where_the_host_has_handed_the_room_to_is_dialled_first(open_port, closed_port):
    with socket.create_server(("127.0.0.1", 0)) as old:
        one = dialer(Endpoint(*old.getsockname()))
        one.places_changed((place(1, closed_port), place(2, open_port)))
        assert reached(one) != open_port
        one.prefer(2)
        assert reached(one) == open_port
        one.settled()
        assert reached(one) == open_port, "it stays there"


def test_the_others_are_dialled_when_nobody_answers_where_the_host_was(open_port, closed_port):
    one = dialer(closed_port)
    with pytest.raises(NoSuchRoom):
        one.dial()
    one.places_changed((place(3, open_port),))
    assert reached(one) == open_port


def test_after_some_tries_another_place_is_dialled_first(open_port):
    """What answers at the first place may be no host of the room."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        first = Endpoint(*other.getsockname())
        one = dialer(first)
        one.places_changed((place(1, open_port),))
        assert [reached(one) for _ in range(6)] == [first, first, first, open_port, first, open_port]


def test_our_own_host_is_reached_without_a_network(closed_port):
    ours, theirs = socket.socketpair()
    one = dialer(closed_port)
    one.local = lambda: ours
    with theirs, one.dial() as sock:
        assert sock is ours
    one.settled()
    one.local = None
    with pytest.raises(NoSuchRoom):
        one.dial()


def test_who_has_left_looks_for_the_room_nowhere(closed_port, monkeypatch):
    """A search takes a moment to begin and to end, and on a busy machine seconds: that would delay the leaving."""

    class NoSearch:
        def __init__(self, *wanted: object, **options: object) -> None:
            raise AssertionError("nobody waits for this search")

    monkeypatch.setattr("lanchat.discovery.finder.Finder", NoSearch)
    one = Dialer((), HostCheck(Target((), room_id="5" * 32), KnownHosts(home_folder())), LOOPBACK, TIMING)
    one.look_elsewhere()
    one.stop()
    with pytest.raises(ConnectionLost):
        one.dial()
