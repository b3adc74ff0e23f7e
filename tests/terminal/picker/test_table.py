import pytest

from lanchat.discovery.sighting import Listing, State
from lanchat.protocol.address import Endpoint
from lanchat.terminal.cells import cells, cut, drawn_cells
from lanchat.terminal.picker.table import fitted, table


def room(title: str, host: str = "ann", people: int | None = 3, *, locked: bool = False) -> Listing:
    state: State = "silent" if people is None else "answering"
    return Listing(title, title, host, people, locked, (Endpoint("10.0.0.2", 47474),), ("mdns",), state)


ROOMS = [
    room("Room A", people=1),
    room("会議室 日本語", "bob", 12, locked=True),
    room("A rather long title for a room", "somebody_with_a_long_nick"),
    room("Old", "carl", None),
]


def lines(rooms: list[Listing], width: int | None = None) -> list[str]:
    return ["".join(text for _, text in line) for line in table(rooms, width)]


def test_where_there_is_space_all_is_shown():
    assert lines(ROOMS) == [
        "Room A                          ann               1 person",
        "会議室 日本語                   bob               12 people  locked",
        "A rather long title for a room  somebody_with_a…  3 people",
        "Old                             carl                         does not answer",
    ]


def test_a_terminal_of_80_columns_shows_all():
    assert lines(ROOMS, 78) == lines(ROOMS)


def test_where_it_is_narrower_titles_give_way_first():
    assert lines(ROOMS, 58) == [
        "Room A        ann               1 person",
        "会議室 日本…  bob               12 people  locked",
        "A rather lo…  somebody_with_a…  3 people",
        "Old           carl                         does not answer",
    ]


def test_at_40_columns_words_get_short():
    assert lines(ROOMS, 38) == [
        "Room A       ann         1 in",
        "会議室 日…   bob         12 in  locked",
        "A rather l…  somebody_…  3 in",
        "Old          carl               silent",
    ]


def test_at_20_columns_title_and_note_are_left():
    assert lines(ROOMS, 18) == ["Room A", "会議室 日…  locked", "A rather…", "Old         silent"]


@pytest.mark.parametrize("width", range(1, 100))
def test_no_line_is_wider_than_the_terminal_but_for_the_note(width):
    assert all(drawn_cells(line) <= max(width, 1 + 2 + len("silent")) for line in lines(ROOMS, width))


@pytest.mark.parametrize("width", range(12, 100))
def test_columns_stand_under_each_other(width):
    starts = [
        [drawn_cells("".join(text for _, text in line[:column])) for column in range(len(line))]
        for line in table(ROOMS, width)
    ]
    longest = max(starts, key=len)
    assert all(longest[: len(line)] == line for line in starts)


def test_no_rooms_no_lines():
    assert table([], 80) == []


@pytest.mark.parametrize(
    ("text", "width", "result"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本", 3, "日…"),
        ("日本", 2, "…"),
        ("a", 0, ""),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
    ],
)
def test_text_is_cut_by_what_it_takes_on_the_screen(text, width, result):
    assert cut(text, width) == result


def test_what_is_drawn_is_counted_as_prompt_toolkit_counts():
    assert (cells("❤️"), drawn_cells("❤️")) == (2, 1)
    assert (cells("👨\u200d👩"), drawn_cells("👨\u200d👩")) == (2, 4)


def test_text_is_filled_up_by_what_it_takes_on_the_screen():
    assert fitted("日", 4) == "日  "
