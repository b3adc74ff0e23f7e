"""How wide text is, and what of it fits."""

import pytest
from prompt_toolkit.utils import get_cwidth

from lanchat.terminal.cells import apart, cells, cut, fitted, most_cells, parts
from tests.support.cases import cases


@pytest.mark.parametrize(
    ("text", "width", "result"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本", 3, "日…"),
        ("日本", 2, "…"),
        ("a", 0, ""),
        ("👩\u200d💻👩\u200d💻", 3, "👩\u200d💻…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
    ],
)
def test_text_is_cut_by_the_cells_that_it_takes(text, width, result):
    assert cut(text, width) == result


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc 日本 e\u0301 می\u200cخواهم", "abc 日本 e\u0301 می\u200cخواهم"),
        ("❤️ Café", "❤ Café"),
        ("👩\u200d💻 Devs", "👩💻 Devs"),
        ("🇩🇪 Berlin", "DE Berlin"),
        ("👍🏽", "👍"),
        ("1️⃣", "1"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "\U0001f3f4"),
    ],
)
def test_parts_of_an_emoji_side_by_side_are_as_wide_in_every_terminal(text, shown):
    assert apart(text) == shown
    assert cells(shown) == sum(map(cells, shown)) == get_cwidth(shown), "as prompt_toolkit counts"
    assert len(parts(text)) == len(text)


def test_text_is_filled_up_by_the_cells_that_it_takes():
    assert fitted("日", 4) == "日  "
    assert {cells(fitted(title, 12)) for title in ("❤️ Café", "👩\u200d💻 Devs", "🇩🇪 Berlin", "Plain")} == {12}


@cases(
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
