import pytest

from lanchat.discovery.sighting import Sighting, Vanished
from lanchat.discovery.sources import RecentSource, default_sources
from lanchat.protocol.address import Endpoint
from lanchat.storage.recent import RecentRoom, RecentRooms
from tests.support.addresses import LOOPBACK

ROOM = "0123456789abcdef" * 2


def test_recent_rooms_are_reported_at_once_as_places_this_person_has_joined(own_world):
    rooms = RecentRooms(own_world)
    for number in (1, 2):
        rooms.add(RecentRoom(Endpoint(f"10.0.0.{number}"), ROOM, number, f"Room {number}"))
    reports: list[Sighting | Vanished] = []
    RecentSource(rooms, reports.append).close()
    assert reports == [
        Sighting("recent", f"{host}:47474", "", title, "", (Endpoint(host),), machine=host, joined=True)
        for host, title in [("10.0.0.2", "Room 2"), ("10.0.0.1", "Room 1")]
    ]


def test_the_default_sources_begin_with_the_fastest_and_end_with_mdns(own_world, udp_port):
    """zeroconf is the slowest to load, so it must not hold up the others."""
    started = [source(lambda seen: None, pytest.fail) for source in default_sources(LOOPBACK, own_world, udp_port)]
    assert [type(source).__name__ for source in started] == ["Seeker", "RecentSource", "Browser"]
    for source in started:
        source.close()
