"""Long lines in rows: nothing of what others wrote stands at the left edge but the beginning of a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.text import safe_text
from lanchat.terminal.cells import most_cells
from lanchat.terminal.wrap import NARROWEST, hang, is_link, rows
from tests.support.cases import cases

LINK = "https://docs.example.org/a/long/way/to/a/page/that/does/not/fit/in/a/row?of=this&window=1"
INVITE = "lanchat://192.168.1.7:47474/" + "5" * 32 + "#" + "a" * 32


@cases(
    ("line", "width", "expected"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 13, ["one two three"]),
        ("", 8, [""]),
        ("one     two", 8, ["one", "two"]),  # spaces at a break are left out
        ("one     two", 20, ["one     two"]),
        ("one          ", 8, ["one"]),
        ("    code that is long", 12, ["    code", "that is long"]),
        ("    " + "x" * 10, 12, ["", "xxxxxxxxxx"]),
        ("x" * 20, 8, ["xxxxxxxx", "xxxxxxxx", "xxxx"]),
        ("ab " + "x" * 10, 8, ["ab", "xxxxxxxx", "xx"]),
        ("well-known-word", 8, ["well-kno", "wn-word"]),
        ("日本語のテキスト", 6, ["日本語", "のテキ", "スト"]),
        ("日本語", 5, ["日本", "語"]),
        ("see 日本語のテキスト", 8, ["see 日本", "語のテキ", "スト"]),
        ("你好 world 你好", 10, ["你好 world", "你好"]),
        ("日本\u3000\u3000語", 6, ["日本", "語"]),
        ("日", 1, ["日"]),
        ("Привет мир", 8, ["Привет", "мир"]),
        ("e\u0301" * 10, 4, ["e\u0301" * 4, "e\u0301" * 4, "e\u0301" * 2]),
        ("👩\u200d👧" * 3, 6, ["👩\u200d👧"] * 3),
        ("🇩🇪🇫🇷🇬🇧", 4, ["🇩🇪", "🇫🇷", "🇬🇧"]),
        ("👍🏽👍🏽", 6, ["👍🏽", "👍🏽"]),
        ("ก" * 10, 4, ["กกกก", "กกกก", "กก"]),
    ],
)
def test_a_line_is_broken_between_words_and_long_words_by_cells(line, width, expected):
    assert rows(line, width) == expected


@pytest.mark.parametrize(
    ("line", "first", "expected"),
    [
        ("one two three", 3, ["one", "two three"]),
        ("three two one", 3, ["", "three two", "one"]),
        ("x" * 12, 3, ["xxx", "xxxxxxxxx"]),  # too long for any row: it begins at once
        ("x" * 10, 0, ["", "xxxxxxxxx", "x"]),
        ("日本", 3, ["日", "本"]),
    ],
)
def test_the_first_row_may_have_less_room(line, first, expected):
    assert rows(line, 9, first) == expected


def test_further_rows_stand_under_the_indent():
    assert hang("one two three", 12, 4) == "one two\n    three"
    assert hang("one\ntwo three four", 12, 4) == "one\n    two\n    three\n    four"
    assert hang("one two three", 12, 4, start=9) == "one\n    two\n    three"
    assert hang("one two\nthree", 0, 4) == "one two\n    three", "no terminal: nothing is broken"
    assert hang("one two three", 10, 8, start=7) == "one\n     two\n     three", (
        "an indent takes half of a window at most"
    )


def test_a_link_stays_whole_and_what_follows_it_goes_on_under_the_indent():
    """A link in pieces can be neither clicked nor copied."""
    assert rows(f"see {LINK} and more of it", 30) == ["see", LINK, "and more of it"]
    assert rows(f"see https://a.example and {LINK}", 30) == ["see https://a.example and", LINK]
    assert rows(f"  lanchat join '{INVITE}'", 30) == [f"  lanchat join '{INVITE}'"]


@cases(
    "word",
    [
        LINK.replace("a/page", "12:30_ann_the_code_is_4711"),
        LINK.replace("a/page", "--ann2_left"),
        LINK + "12:30",
        LINK + "--",
        LINK + "日本",
        LINK + "é",
        "javascript:" + LINK,
        "x" + LINK,
    ],
)
def test_a_link_whose_end_could_look_like_a_line_of_ours_is_none(word):
    assert not is_link(word)
    assert max(map(most_cells, rows(word, 30))) <= 30


def test_an_invite_and_a_name_that_is_not_ascii_are_links():
    assert is_link(INVITE) and is_link("https://xn--bcher-kva.example/") and is_link(LINK)
    assert is_link("http://192.168.1.17:47474/")


@given(st.lists(st.text(st.sampled_from("ab-c:"), min_size=1, max_size=15), max_size=20), st.integers(8, 40))
def test_plain_words_are_broken_as_all_else_is(words, width):
    """There is a faster way for them."""
    line = " ".join(words)
    for first in (width, width // 2):
        assert hang("-\n" + line, width, 0).split("\n")[1:] == rows(line, width)
        assert hang(line, width, 0, width - first).split("\n") == rows(line, width, first)


texts = st.text(st.characters() | st.sampled_from(" \n-:日👩\u200d\ufe0f\u0301🇩12"), max_size=120)


@given(texts, st.integers(NARROWEST, 60), st.integers(0, 12), st.integers(0, 80))
def test_no_row_is_longer_than_the_window_and_nothing_visible_is_lost(text, columns, indent, start):
    text = safe_text(text, lines=True)
    shown = hang(text, columns, indent, start).split("\n")
    for number, row in enumerate(shown):
        if number:
            assert row.startswith(" " * min(indent, columns // 2))
        if not any(is_link(word) for word in row.split()):
            assert most_cells(row) <= (columns if number else max(columns - start, 0))
    gone = str.maketrans("", "", " \n\u3000")
    assert "".join(shown).translate(gone) == text.translate(gone)
