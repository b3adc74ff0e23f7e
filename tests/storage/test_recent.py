from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.address import Endpoint
from lanchat.storage.recent import FILE, MAX_RECENT, RecentRoom, RecentRooms, added, parsed

ROOM = "0123456789abcdef" * 2
ROOM_A = RecentRoom(Endpoint("192.168.1.7", 47474), ROOM, 1_700_000_000, "Room A")
LINE = f"192.168.1.7:47474 {ROOM} 1700000000 Room A"


def recent(number: int) -> RecentRoom:
    return RecentRoom(Endpoint(f"10.0.0.{number}"), ROOM, number, f"Room {number}")


def test_a_room_is_one_line_of_the_file():
    assert parsed(LINE) == ROOM_A
    assert added([], ROOM_A) == [LINE]


def test_the_latest_room_stands_first_and_each_address_once():
    lines = added(added(added([], recent(1)), recent(2)), recent(1))
    assert [parsed(line) for line in lines] == [recent(1), recent(2)]


def test_the_oldest_room_is_forgotten_and_lines_that_are_not_understood_stay():
    lines = ["# mine", LINE, "later version: x"]
    for number in range(1, MAX_RECENT + 1):
        lines = added(lines, recent(number))
    assert lines[-2:] == ["# mine", "later version: x"]
    assert [parsed(line) for line in lines[:-2]] == [recent(number) for number in range(MAX_RECENT, 0, -1)]


def test_a_name_is_not_taken_from_the_file():
    assert parsed(f"annas-mac.local:47474 {ROOM} 1700000000 Room A") is None


@given(st.text())
def test_any_line_is_a_room_or_none(line):
    parsed(line)


@given(st.text(max_size=60))
def test_no_title_makes_a_second_line(title):
    [line] = added([], RecentRoom(ROOM_A.endpoint, ROOM, 1, title))
    assert len(line.splitlines()) == 1 and parsed(line) is not None


def test_rooms_are_kept_but_those_on_this_machine(own_world):
    rooms = RecentRooms(own_world)
    assert rooms.all() == []
    rooms.add(ROOM_A)
    rooms.add(RecentRoom(Endpoint("127.0.0.1"), ROOM, 1, "mine"))
    rooms.add(recent(2))
    assert RecentRooms(own_world).all() == [recent(2), ROOM_A]
    assert [file.name for file in own_world.iterdir()] == [FILE], "no draft is left behind"


def test_a_file_that_cannot_be_written_is_no_trouble(own_world):
    (own_world / FILE).mkdir(parents=True)
    RecentRooms(own_world).add(ROOM_A)
    assert RecentRooms(own_world).all() == []
