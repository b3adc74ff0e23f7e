"""Nicks that look alike have the same skeleton."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.confusables import skeleton
from lanchat.protocol.text import clean_nick

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


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_nicks_that_look_alike(one, other):
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_nicks_that_do_not_look_alike(one, other):
    assert skeleton(one) != skeleton(other)


@given(st.text(max_size=80))
def test_any_text_has_a_skeleton(text):
    assert skeleton(text) == skeleton(text)


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
def test_the_cost_of_a_skeleton_does_not_explode(part):
    """For letters that grow and marks that pile up. Marks are sorted, so eight times as many cost 23 times the CPU."""

    def cost(text: str) -> float:
        """s of CPU for eight times this, the best of several tries."""
        tries = []
        for _ in range(10):
            began = time.thread_time()
            for _ in range(8):
                skeleton(text)
            tries.append(time.thread_time() - began)
        return min(tries)

    assert cost("a" + part * 400) < 50 * cost("a" + part * 50)
