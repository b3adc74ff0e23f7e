"""A line of the screen, for windows of any width."""

from lanchat.terminal.chat.line import SYSTEM, Line, system_line, verbatim

SAID = Line([("time", "12:00 "), ("nick", "bob")], "", " ", "one two three four", 10, 10)


def test_one_line_can_be_broken_for_one_window_after_another():
    assert SAID.fragments(80) == [("time", "12:00 "), ("nick", "bob"), ("", " one two three four\n")]
    assert SAID.fragments(24)[-1] == ("", " one two three\n          four\n")
    assert SAID.fragments(0) == SAID.fragments(80), "no terminal: nothing is broken"
    assert SAID.fragments(4) == SAID.fragments(80), "nobody can read there"


def test_a_nick_that_leaves_no_room_is_broken_as_well_and_the_text_begins_in_a_row_of_its_own():
    long = Line([("time", "12:00 "), ("nick", "b" * 12)], "", " ", "one two", 12, 19)
    assert long.fragments(16) == [
        ("time", "12:00 "),
        ("nick", "bbbbbbbbbb\n        bb"),
        ("", "\n        one two\n"),
    ]


def test_a_line_that_nobody_said_goes_on_behind_its_mark():
    assert system_line("one two three").fragments(10) == [(SYSTEM, "-- one two\n   three\n")]


def test_what_is_drawn_stays_as_it_is():
    drawn = [("", "lanchat join 'x'\n"), ("black", "█▀"), ("", "\n")]
    assert verbatim(drawn).fragments(8) == [*drawn[:-1], ("", "\n")]
