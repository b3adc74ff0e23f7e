"""What is found by what is typed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol import folding
from lanchat.protocol.folding import fold
from tests.support.cases import cases

TEXTS = ["Résumé.pdf", "한국어.hwp", "が", "Việt Nam", "Ångström", "Ἑλλάς"]


@cases(
    ("written", "typed"),
    [
        ("Привет!", "привет!"),
        ("Über-Auto", "über-auto"),
        ("ΟΔΟΣ οδος οδός", "οδοσ οδοσ οδοσ"),
        ("Straße", "STRASSE"),
        ("DIŞ KAPI", "dış kapı"),
        ("İzmir", "izmir"),
        ("Café", "cafe"),
        ("don’t", "don't"),
        ("„Ja“ «oui» “yes”", '"ja" "oui" "yes"'),
        ("2019–2020 — on‑line", "2019-2020 - on-line"),
        ("wait…", "wait..."),
        ("ﬁle ＬＡＮ ①", "file lan 1"),
        ("10\N{NO-BREAK SPACE}km", "10 km"),
        ("می\N{ZERO WIDTH NON-JOINER}خواهم", "میخواهم"),
        ("مُحَمَّد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("❤️", "❤"),
        ("caf\udce9", "caf\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_what_does_not_count(written, typed):
    assert fold(written) == fold(typed)


@pytest.mark.parametrize("text", TEXTS)
def test_composition_does_not_count(text):
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    ("one", "other"), [("が", "か"), ("कि", "क"), ("ก่า", "กา"), ("resume", "result"), ("a-b", "ab"), ("'", '"')]
)
def test_what_counts(one, other):
    assert fold(one) != fold(other)


@given(st.text(), st.text())
def test_folding_goes_character_by_character(one, other):
    """So a part of a text is folded as it is within the whole, and a text that is folded again stays the same."""
    assert fold(one + other) == fold(one) + fold(other)
    assert fold(fold(one)) == fold(one)


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_differs_in_case_alone(text):
    assert fold(text) == text.lower() == fold(text + "é")[:-1]


def test_a_pile_of_marks_takes_linear_time():
    """A stranger may send one; normalizing it as a whole would take a thousand times as long."""
    assert fold("a" + "\u0301\u0316" * 2000) == "a"


def test_the_memory_of_folded_characters_has_a_bound(monkeypatch):
    monkeypatch.setattr(folding, "_CACHED", 10)
    monkeypatch.setattr(folding, "_FOLDED", folding._Folded())
    assert fold("".join(map(chr, range(0x4E00, 0x4F00)))) and len(folding._FOLDED) == 10
