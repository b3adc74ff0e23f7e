"""A search, split into words for the index and parts for the texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.storage.search import Search, has_words, parse_search


@pytest.mark.parametrize(
    ("text", "words", "parts"),
    [
        ("quick fox", ("quick", "fox"), ()),
        ("c++", ("c",), ("c++",)),
        ("it_all", ("it", "all"), ("it_all",)),
        (":-)", (), (":-)",)),
        ("世界 tea", ("tea",), ("世界",)),
        ("a\0b", ("a", "b"), ()),
        (" \0 ", (), ()),
    ],
)
def test_words_go_to_the_index_and_other_parts_to_the_texts(text, words, parts):
    assert parse_search(text) == Search(words, parts)


@given(st.text())
def test_the_index_gets_nothing_but_letters_and_digits(text):
    assert all(word.isalnum() for word in parse_search(text).words)


def test_a_word_is_found_by_its_beginning_without_case_and_accents():
    assert has_words("Über alles, quickly", "uber QUICK")
    assert not has_words("quickly", "uick") and not has_words("quick", "quick fox")
