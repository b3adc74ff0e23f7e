"""How wide text is, and what of it fits."""

import pytest

from lanchat.terminal.cells import cells, cut, drawn_cells, fitted, rows


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
def test_text_is_cut_by_the_cells_that_it_takes(text, width, result):
    assert cut(text, width) == result


def test_drawn_cells_are_counted_as_prompt_toolkit_counts():
    assert (cells("❤️"), drawn_cells("❤️")) == (2, 1)
    assert (cells("👨\u200d👩"), drawn_cells("👨\u200d👩")) == (2, 4)


def test_text_is_filled_up_by_the_cells_that_it_takes():
    assert fitted("日", 4) == "日  "


def test_rows_break_between_words_and_leave_long_words_whole():
    assert rows("one two three", 10) == ["one two", "three"]
    assert rows("an invite: " + "x" * 30, 20) == ["an invite: " + "x" * 30]
    assert rows("one two three", 0) == ["one two three"]
