"""Valid nicks, nicks that count as the same, and nicks that are suggested."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lanchat.protocol.nicks import (
    MAX_NICK,
    MAX_NICK_BYTES,
    MAX_SUGGESTIONS,
    clean_nick,
    free_nick,
    nick_from,
    same_nick,
)
from lanchat.protocol.text import safe_text
from tests.support.cases import cases


@cases("nick", ["ann", "Ann_2", "a", "7", "x-y.z", "Zoë", "Ænne", "Иван", "山田", "हिन्दी", "n" * 32])
def test_valid_nicks(nick):
    assert clean_nick(nick) == nick


@cases(
    ("text", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("n" * 33, "32 characters"),
        ("n" * 65, "64 bytes"),
        ("山" * 22, "64 bytes"),
        ("\u0958" * 11 + "n", "64 bytes"),  # twice as long in NFC
        ("ann bob", "no space"),
        ("ann\t", "\\(no "),
        ("ann\n", "\\(no "),
        ("~ann", 'no "~"'),
        ("@ann", "\\(no "),
        ("ann:", "\\(no "),
        ("<ann>", "\\(no "),
        ("*", "\\(no "),
        ("ann\x1b[2J", r'\(no "\\x1b"'),
        ("ann\u202e", r'\(no "<U\+202E>"'),
        ("ann\u200b", "\\(no "),
        ("ann\u00ad", "\\(no "),
        ("ann\ufe0f", "\\(no "),  # a mark that is not seen: another nick that looks like ann
        ("ann\u034f", "\\(no "),
        ("ann\u180b", "\\(no "),
        ("ann\U000e0100", "\\(no "),
        ("ann\u3164", "\\(no "),  # a blank letter
        ("\u115f\u1160", "\\(no "),
        ("😀", "\\(no "),
        ("\ud800", "valid Unicode"),
        ("._-", "letter or a digit"),
        ("\u0301", "letter or a digit"),
        ("a" + "\u0301" * 6, "4 marks"),  # the fifth would not be shown
        ("क" + "\u093e" * 5, "4 marks"),
    ],
)
def test_invalid_nicks(text, why):
    with pytest.raises(ValueError, match=why.replace(r"\"", '"')):
        clean_nick(text)


def test_a_nick_has_one_canonical_spelling():
    assert clean_nick("  Zoe\u0308 ") == "Zoë"


@given(st.text(st.characters(categories=["L", "N", "M", "P"]), max_size=40))
@example("\u0958" * 16)
@example("\u1e9b\u0323" * 10)
def test_a_clean_nick_stays_the_same(text):
    """Member and host both check a nick, and must agree."""
    try:
        nick = clean_nick(text)
    except ValueError:
        return
    assert clean_nick(nick) == nick == safe_text(nick)
    assert len(nick) <= MAX_NICK and len(nick.encode()) <= MAX_NICK_BYTES


@cases(
    ("one", "other"),
    [
        ("ann", "ANN"),
        ("Zoë", "Zoe\u0308"),
        ("ann", "\uff41\uff4e\uff4e"),  # wide letters
        ("straße", "STRASSE"),
        ("ﬁn", "FIN"),
        ("x2", "x²"),
        ("ΟΔΟΣ", "οδος"),
        ("K", "\u212a"),  # the Kelvin sign
    ],
)
def test_nicks_that_count_as_the_same(one, other):
    assert same_nick(one) == same_nick(other)


def test_nicks_that_count_as_different():
    assert len({same_nick(nick) for nick in ["ann", "ann_", "ann2", "änn", "bob"]}) == 5


def test_a_free_nick_is_found():
    assert free_nick("ann", {"ann"}.__contains__) == "ann2"
    assert free_nick("Ann", {"ann", "ann2", "ann3"}.__contains__) == "Ann4"
    assert free_nick("n" * 32, {"n" * 32}.__contains__) == "n" * 31 + "2"
    assert free_nick("山" * 21, set[str]().__contains__) == "山" * 21 + "2"


def test_no_nick_is_suggested_if_all_near_ones_are_taken():
    taken = {f"ann{number}" for number in range(MAX_SUGGESTIONS + 2)}
    assert free_nick("ann", {same_nick(nick) for nick in taken}.__contains__) == ""


@pytest.mark.parametrize("nick", ["1" * 32, "²" * 32, "ann", "山" * 21])
def test_suggested_nicks_cannot_be_exhausted(nick):
    taken = {same_nick(nick)}
    for _ in range(80):
        proposal = free_nick(nick, taken.__contains__)
        assert same_nick(proposal) not in taken and clean_nick(proposal) == proposal
        taken.add(same_nick(proposal))


@cases(
    ("text", "nick"),
    [
        ("ann", "ann"),
        (" ann\r\n", "ann"),
        ("Ann Smith", "Ann_Smith"),
        ("DOMAIN\\ann", "DOMAINann"),
        ("~root", "root"),
        ("\x1b[2J", "2J"),
        ("", "guest"),
        ("!!!", "guest"),
        ("._.", "guest"),
        ("😀😀", "guest"),
        ("\ud800ann", "ann"),
        ("x" * 1000, "x" * 32),
        ("山" * 100, "山" * 21),
    ],
)
def test_the_nick_nearest_to_a_text(text, nick):
    assert nick_from(text) == nick


@given(st.text(st.characters(), max_size=100))
def test_any_text_gives_a_valid_nick(text):
    assert clean_nick(nick_from(text)) == nick_from(text)
