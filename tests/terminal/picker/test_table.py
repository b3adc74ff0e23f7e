"""Rooms as a table in windows of any width."""

from dataclasses import replace

from lanchat.discovery.sighting import Listing
from lanchat.terminal.cells import cells
from lanchat.terminal.picker.table import ALARM, NOTE, WARNING, table
from tests.support.listings import room

ROOMS = [
    room("Room A", people=1),
    room("会議室 日本語", "bob", 12, password=True),
    room("A rather long title for a room", "somebody_with_a_long_nick"),
    room("Old", "carl", None),
]


def lines(rooms: list[Listing], width: int | None = None) -> list[str]:
    return ["".join(text for _, text in line) for line in table(rooms, width)]


def test_in_a_wide_window_everything_is_shown():
    assert lines(ROOMS) == [
        "Room A                          ann               1 person",
        "会議室 日本語                   bob               12 people  password",
        "A rather long title for a room  somebody_with_a…  3 people",
        "Old                             carl                         does not answer",
    ]


def test_80_columns_are_enough_for_everything():
    assert lines(ROOMS, 78) == lines(ROOMS)


def test_the_address_is_shown_where_there_is_room_for_it():
    def with_addresses(width: int) -> list[str]:
        return ["".join(text for _, text in line) for line in table(ROOMS[:1], width, addresses=True)]

    assert with_addresses(78) == ["Room A  ann  1 person  10.0.0.2:47474"]
    assert with_addresses(30) == ["Room A  ann  1 person"]


def test_in_a_narrower_window_titles_are_cut_first():
    assert lines(ROOMS, 58) == [
        "Room A        ann               1 person",
        "会議室 日本…  bob               12 people  password",
        "A rather lo…  somebody_with_a…  3 people",
        "Old           carl                         does not answer",
    ]


def test_at_40_columns_hosts_are_cut_and_words_are_short():
    assert lines(ROOMS, 38) == [
        "Room A      ann        1 in",
        "会議室 日…  bob        12 in  password",
        "A rather…   somebody…  3 in",
        "Old         carl              silent",
    ]


def test_at_20_columns_only_title_and_note_remain():
    assert lines(ROOMS, 18) == ["Room A", "会議室…   password", "A rathe…", "Old       silent"]


def test_no_line_is_wider_than_the_window_except_for_the_note():
    for width in range(1, 100):
        assert all(cells(line) <= max(width, 1 + 2 + len("password")) for line in lines(ROOMS, width)), width


def test_columns_are_aligned():
    for width in range(12, 100):
        starts = [
            [cells("".join(text for _, text in line[:column])) for column in range(len(line))]
            for line in table(ROOMS, width)
        ]
        longest = max(starts, key=len)
        assert all(longest[: len(line)] == line for line in starts), width


def test_without_rooms_there_are_no_lines():
    assert table([], 80) == []


def test_only_what_needs_attention_has_the_style_of_a_warning():
    notes = [replace(ROOMS[0], key_status=status) for status in ("known", "changed")] + [ROOMS[1], ROOMS[3]]
    assert [line[-1] for line in table(notes)] == [
        (NOTE, "visited"),
        (ALARM, "KEY CHANGED"),
        (WARNING, "password"),
        (WARNING, "does not answer"),
    ]
