from hypothesis import given
from hypothesis import strategies as st

from lanchat.discovery.recent import FILE, MAX_PLACES, Place, Places, Remembered, added, parsed, sighting
from lanchat.discovery.sighting import Sighting, Vanished, may_dial
from lanchat.protocol.address import Address, Endpoint

ROOM = "0123456789abcdef" * 2
PLACE = Place(Endpoint("192.168.1.7", 47474), ROOM, 1_700_000_000, "Room A")
LINE = f"192.168.1.7:47474 {ROOM} 1700000000 Room A"


def place(number: int) -> Place:
    return Place(Endpoint(f"10.0.0.{number}"), ROOM, number, f"Room {number}")


def test_a_line_of_the_file():
    assert parsed(LINE) == PLACE
    assert added([], PLACE) == [LINE]


def test_the_latest_stands_first_and_once():
    lines = added(added(added([], place(1)), place(2)), place(1))
    assert [parsed(line) for line in lines] == [place(1), place(2)]


def test_the_oldest_goes_and_what_is_not_understood_stays():
    lines = ["# mine", LINE, "later version: x"]
    for number in range(1, MAX_PLACES + 1):
        lines = added(lines, place(number))
    assert lines[-2:] == ["# mine", "later version: x"]
    assert [parsed(line) for line in lines[:-2]] == [place(number) for number in range(MAX_PLACES, 0, -1)]


@given(st.text())
def test_any_line_is_a_place_or_none(line):
    parsed(line)


@given(st.text(max_size=60))
def test_no_title_makes_a_second_line(title):
    [line] = added([], Place(PLACE.endpoint, ROOM, 1, title))
    assert len(line.splitlines()) == 1 and parsed(line) is not None


def test_places_are_kept_and_told(own_world):
    places = Places(own_world)
    assert places.all() == []
    places.add(PLACE)
    places.add(Place(Endpoint("127.0.0.1"), ROOM, 1, "mine"))  # this machine is looked at anyway
    places.add(place(2))
    assert Places(own_world).all() == [place(2), PLACE]
    reports: list[Sighting | Vanished] = []
    Remembered(places, reports.append).close()
    assert reports == [sighting(place(2)), sighting(PLACE)]
    assert [file.name for file in own_world.iterdir()] == [FILE]


def test_a_folder_that_cannot_be_written_is_no_trouble(own_world):
    (own_world / FILE).mkdir(parents=True)
    Places(own_world).add(PLACE)
    assert Places(own_world).all() == []


HOME = Address("wlan0", "192.168.1.2", 24)


def test_where_a_person_was_may_be_behind_a_router_but_not_out_in_the_internet():
    near, site, tailscale, out, self = (
        Endpoint(host) for host in ("192.168.1.7", "10.1.2.3", "100.64.0.7", "93.184.216.34", "127.0.0.1")
    )
    assert [may_dial(e, [HOME], joined=True) for e in (near, site, tailscale, out, self)] == [True] * 3 + [False] * 2
    assert [may_dial(e, [HOME]) for e in (near, site, tailscale, out, self)] == [True] + [False] * 4
    assert not may_dial(site, [Address("lo", "127.0.0.1", 8)], joined=True), "who looks at loopback alone, stays there"
