"""A search, split into words for the index and parts for the texts."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from lanchat.storage.search import Search, parse_search
from tests.support.cases import cases

NFD_KOREAN = unicodedata.normalize("NFD", "한국어.hwp")  # as macOS writes the names of files


@cases(
    ("text", "words", "parts"),
    [
        ("quick fox", ("quick", "fox"), ()),
        ("c++", ("c",), ("c++",)),
        ("it_all", ("it", "all"), ("it_all",)),
        (":-)", (), (":-)",)),
        ("世界 tea", ("tea",), ("世界",)),
        ("a\0b", ("a", "b"), ()),
        ("Привет! Über", ("привет", "uber"), ("привет!",)),
        ("caf\udce9", ("caf",), ("caf\N{REPLACEMENT CHARACTER}",)),
        (" \0 ", (), ()),
    ],
)
def test_words_go_to_the_index_and_other_parts_to_the_texts(text, words, parts):
    assert parse_search(text) == Search(words, parts)


@given(st.text())
def test_the_index_gets_nothing_but_letters_and_digits(text):
    assert all(word.isalnum() for word in parse_search(text).words)


def test_a_word_is_found_by_its_beginning_without_case_and_accents():
    assert matches("Über alles, quickly", "uber QUICK")
    assert not matches("quickly", "uick") and not matches("quick", "quick fox")


SAID = ["Привет! Как дела?", "Ärger! Über-Auto", "Re\u0301sume\u0301.pdf", "Don’t “panic”", NFD_KOREAN, "Straße 5–7"]


@cases(
    ("typed", "found"),
    [
        ("привет!", SAID[0]),
        ("über-auto", SAID[1]),
        ("Résumé.pdf", SAID[2]),
        ("Re\u0301sume\u0301.pdf", SAID[2]),
        ("resume.PDF", SAID[2]),
        ("don't", SAID[3]),
        ('"panic"', SAID[3]),
        ("한국어.hwp", SAID[4]),
        ("한국", SAID[4]),
        ("STRASSE 5-7", SAID[5]),
    ],
)
def test_a_text_is_found_however_it_is_spelled(typed, found):
    assert [text for text in SAID if matches(text, typed)] == [found]


def matches(text: str, search: str) -> bool:
    return parse_search(search).matches(text)
