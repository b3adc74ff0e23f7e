"""Colour on stdout."""

import io

from lanchat.terminal.cells import Styled
from lanchat.terminal.colour import BOLD, coloured, has_colour, put_styled


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


def test_a_line_is_harmless_and_its_first_word_may_look_another_way(monkeypatch):
    out = io.StringIO()
    put_styled(out, [Styled("✗ it is \x1b[2J broken", BOLD, "class:bad")])
    assert out.getvalue() == "✗ it is \\x1b[2J broken\n"
    monkeypatch.setattr("lanchat.terminal.colour.has_colour", lambda out: True)
    put_styled(out, [Styled("✗ it is", BOLD, "class:bad"), Styled("  plain")])
    assert out.getvalue().endswith("\x1b[31m✗\x1b[0m\x1b[1m it is\x1b[0m\n  plain\n")


def test_where_nobody_looks_there_is_no_colour():
    assert not has_colour(io.StringIO()) and not has_colour(Terminal())
