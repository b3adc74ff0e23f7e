"""How wide text is, and what of it fits."""

import pytest

from lanchat.terminal.cells import cells, cut, drawn_cells, fitted, most_cells


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


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("abc", 3),
        ("日本", 4),
        ("e\u0301", 1),
        ("❤\ufe0f", 3),
        ("👨\u200d👩", 5),
        ("क\u093e", 2),
        ("می\u200cخواهم", 8),
        ("🇩🇪", 4),
        ("\U0001fadf", 2),
    ],
)
def test_a_row_has_to_fit_in_every_terminal(text, most):
    """Those that join the emoji of a sequence take fewer cells; those that draw a box for a joiner take as many."""
    assert most_cells(text) == most >= cells(text)
