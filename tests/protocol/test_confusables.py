"""Nicks that look alike have the same skeleton."""

import time

import pytest
from confusable_homoglyphs.confusables import confusables_data
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.confusables import skeleton, skeletons
from lanchat.protocol.nicks import clean_nick
from tests.support.cases import cases

ALIKE = [
    ("evan", "Evan"),
    ("evan", "EVAN"),
    ("evan", "\u0435van"),  # Cyrillic
    ("evan", "\uff45\uff56\uff41\uff4e"),  # full width
    ("evan", "e\u03bdan"),  # Greek nu
    ("paypal", "paypa1"),
    ("paypal", "paypaI"),
    ("bill", "bi11"),
    ("modem", "modern"),
    ("Bob0", "BobO"),
    ("scope", "\u0455\u0441\u043e\u0440\u0435"),  # all of it Cyrillic
    ("max", "ma\u0445"),
    ("ann", "\U0001d41a\U0001d427\U0001d427"),  # mathematical bold
    ("stra\u00dfe", "strasse"),
    ("\u0391\u03bd\u03bd\u03b1", "Anna"[:0] + "\u0410\u03bd\u03bd\u0430"),
]
DIFFERENT = [
    ("ann", "anne"),
    ("evan", "eva\u0144"),  # an accent is to be seen
    ("tom", "tim"),
    ("anna", "hanna"),
    ("\u5f20\u4f1f", "\u5f20\u82b3"),
    ("\u0418\u0432\u0430\u043d", "\u0418\u0433\u043e\u0440\u044c"),
    ("x", "xx"),
]


@cases(("one", "other"), ALIKE)
def test_nicks_that_look_alike(one, other):
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_nicks_that_do_not_look_alike(one, other):
    assert skeleton(one) != skeleton(other)


def look_alike(one: str, other: str) -> bool:
    return not skeletons(one).isdisjoint(skeletons(other))


@cases(
    ("written", "looks_like"),
    [
        ("\u0412ob", "Bob"),  # Cyrillic Ve: its small letter is no b
        ("\u0392ob", "Bob"),  # Greek Beta
        ("\u0397arry", "Harry"),
        ("\u03a4O\u039c", "TOM"),
        ("\u039cA\u03a7", "MAX"),
        ("\u03f9arl", "Carl"),  # lunate sigma, which NFKC takes for another one
        ("\u03f2arl", "carl"),
        ("\U0001030fscar", "Oscar"),  # Old Italic, not in the tables
        ("\u039dick", "Nick"),
        ("\u03bdick", "vick"),
        ("\u0392\u0412B", "BBB"),
    ],
)
def test_letters_look_alike_as_they_are_written(written, looks_like):
    assert look_alike(written, looks_like)
    for case in (str.upper, str.lower):
        assert look_alike(written, case(looks_like))


@cases(("one", "other"), ALIKE)
def test_what_is_one_nick_looks_alike(one, other):
    assert look_alike(one, other)


@cases(("one", "other"), [*DIFFERENT, ("nick", "vick"), ("hal", "nal"), ("yo", "uo"), ("bob", "ssoss")])
def test_what_differs_does_not_look_alike(one, other):
    assert not look_alike(one, other)


def is_of_a_nick(letters: str) -> bool:
    try:
        return clean_nick(f"a{letters}b") == f"a{letters}b"
    except ValueError:
        return False


def test_the_pairs_of_the_tables():
    """Each pair that Unicode's confusables have, where both sides may stand in a nick."""
    pairs = {
        (min(letter, other), max(letter, other))
        for letter, alike in confusables_data.items()
        for other in (str(each["c"]) for each in alike)
        if len(letter) == 1 and is_of_a_nick(letter) and is_of_a_nick(other)
    }
    apart = [pair for pair in pairs if not look_alike(*(f"x{letters}x" for letters in pair))]
    one_letter = [pair for pair in apart if len(pair[0]) == len(pair[1]) == 1]
    assert len(pairs) > 2800, "2,025 of one letter for another, 807 of a letter for several"
    assert one_letter == []
    assert len(apart) == 38, "letters of Indic scripts, jamo and Canadian syllabics, each for a sequence of others"


@given(st.text(max_size=80))
def test_any_text_has_a_skeleton(text):
    assert skeleton(text) in skeletons(text) and "" not in skeletons(text + "x")


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20))
def test_case_never_makes_another_nick(text):
    assert skeleton(text.upper().lower()) == skeleton(text.lower().upper().lower())


@given(st.text(max_size=40))
def test_a_nick_that_is_allowed_has_a_skeleton_of_its_own(text):
    try:
        nick = clean_nick(text)
    except ValueError:
        return
    assert skeleton(nick)


@pytest.mark.parametrize("part", ["\ufdfa", "\u0301\u0316", "\U0001d41a"], ids=ascii)
def test_the_cost_of_skeletons_does_not_explode(part):
    """Of letters that grow, and of marks that pile up. These are sorted: eight times as many cost 23 times the CPU."""

    def cost(text: str) -> float:
        """s of CPU for eight times this, the best of several tries."""
        tries = []
        for _ in range(10):
            began = time.thread_time()
            for _ in range(8):
                skeletons(text)
            tries.append(time.thread_time() - began)
        return min(tries)

    assert cost("a" + part * 400) < 50 * cost("a" + part * 50)
