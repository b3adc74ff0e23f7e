"""Where an invisible character is writing. Each of these is a word or a picture that people send."""

import pytest

from lanchat.protocol.invisible import is_invisible
from lanchat.protocol.text import safe_text
from tests.support.cases import cases
from tests.support.harmless import BLANK, TAGS

FLAGS = {region: "🏴" + "".join(chr(0xE0000 + ord(c)) for c in region) + "\U000e007f" for region in ("gbeng", "ustx")}

WORDS = [
    "می\u200cخواهم",  # Persian: I want
    "خانه\u200cای",
    "آن\u200cها",
    "دانشجو\u200cها",  # behind a letter that would not join anyway; people type it
    "۱۴۰۰ ه\u200d.ش",  # a year: the joiner keeps the letter's first form before the full stop
    "مُ\u200cن",  # with a mark between
    "kurdî: نه\u200cبوو",
    "अध्\u200dययन",  # Hindi: half a letter
    "क्\u200cष",  # and the virama shown
    "र्\u200dय",  # Marathi: the eyelash
    "ক্\u200dষ",  # Bengali
    "র\u200d্যাব",  # Bengali: the joiner before the virama
    "ರ\u200d್ಯಾಂಕ್",  # Kannada: rank
    "ශ්\u200dරී ලංකා",  # Sinhala: Sri Lanka
    "അവന്\u200d",  # Malayalam: at the end of a word
    "ন্\u200cয",
    "ߒ\u200cߞߏ",  # N'Ko
]
PICTURES = [
    "❤\ufe0f",
    "☺\ufe0e",
    "👍🏽 ❤\ufe0f ☕",
    "👩\u200d👩\u200d👧",
    "🏳\ufe0f\u200d🌈",
    "🏴\u200d☠\ufe0f",
    "👨🏽\u200d🚀",
    "🤷🏽\u200d♀\ufe0f",
    "👁\ufe0f\u200d🗨\ufe0f",
    "❤\ufe0f\u200d🔥",
    "🙂\u200d↕\ufe0f nod, 🙂\u200d↔\ufe0f shake",
    "#\ufe0f\u20e3 1\ufe0f\u20e3",
    "🇩🇪",
    FLAGS["gbeng"],
    "\U0001fa77 \U0001fae8 \U0001fadf",  # of 2022 and later: no Python of 2022 knows them
    "\U000323b0",  # a Chinese character of 2025
]


@cases("text", WORDS + PICTURES)
def test_what_people_write_stays(text):
    assert safe_text(text) == text
    assert safe_text(f"so: {text}, and on") == f"so: {text}, and on"
    assert safe_text(text * 40) == text * 40


@cases(
    "text",
    [
        "a\u200cb",
        "a\u200db",
        "Auf\u200clage",
        "\u200cم",
        "م \u200cم",  # behind a space
        "1\u200c2",
        "٣\u200c٤",  # digits of Arabic do not join
        "は\u200dい",
        "א\u200cב",  # Hebrew does not join
        "👩\u200d",
        "👩\u200d x",
        "\u200d👩",
        "👩\u200c👧",
        "a\u200d👧",
        "क\u200dख",  # no virama
        "🏴\u200dx",
        "🇩\u200d🇪",
        "1\u200d♀",
        FLAGS["ustx"],
        FLAGS["gbeng"][1:],
        FLAGS["gbeng"][:-1],
        "x" + FLAGS["gbeng"][1:],
        "🏴" + TAGS,
        "─\ufe0f",
        "é\ufe0f",
        "✗\ufe0f",
        "ᠠ\u180b\u180b",
    ],
)
def test_elsewhere_it_is_named(text):
    shown = safe_text(text)
    assert "<U+" in shown
    assert safe_text(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("葛\U000e0100城", "葛城"),  # Japanese: one form of the character among several
        ("辻\ufe00", "辻"),
        ("ᠠ\u180b", "ᠠ"),
        ("សួស្តី\u200bពិភពលោក", "សួស្តីពិភពលោក"),  # Khmer: a break between words
        ("ภาษา\u200bไทย", "ภาษาไทย"),
    ],
)
def test_what_no_terminal_draws_is_left_out(text, shown):
    assert safe_text(text) == shown


def test_every_blank_character_is_known():
    assert [hex(ord(char)) for char in BLANK if not is_invisible(char)] == ["0x2800"], "which is shown as a space"
