"""Colour on stdout."""

import io

from lanchat.terminal.colour import BOLD, coloured, has_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError  # its size is unknown


def test_styles_become_escape_sequences_and_text_without_a_style_stays():
    assert coloured([(BOLD, "Rooms"), ("", " here")], colour=True) == "\x1b[1mRooms\x1b[0m here"
    assert (
        coloured([("#af5f5f class:mine", "ann"), ("class:unknown", "x")], colour=True) == "\x1b[38;5;131;1mann\x1b[0mx"
    )


def test_without_colour_only_the_text_is_left():
    assert coloured([(BOLD, "Rooms"), ("#af5f5f", "ann")], colour=False) == "Roomsann"


def test_where_nobody_looks_there_is_no_colour():
    assert not has_colour(io.StringIO()) and not has_colour(Terminal())
