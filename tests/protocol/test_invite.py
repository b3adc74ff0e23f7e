import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.address import Endpoint
from lanchat.protocol.invite import Invite, is_invite, parse_invite
from tests.support.cases import cases

ROOM, KEY = "0123456789abcdef" * 2, "ab" * 32
AT_HOME = Invite((Endpoint("192.168.100.100", 47474),), ROOM, KEY)
TEXT = f"lanchat://192.168.100.100:47474/{ROOM}#{KEY}"


def test_an_invite_is_one_line():
    assert str(AT_HOME) == TEXT
    assert parse_invite(TEXT) == AT_HOME
    assert parse_invite(f"  {TEXT}\n") == AT_HOME


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("192.168.1.7", Endpoint("192.168.1.7", 47474)),
        ("192.168.1.7:5000", Endpoint("192.168.1.7", 5000)),
        ("annas-mac.local:5000", Endpoint("annas-mac.local", 5000)),
        ("annas-mac", Endpoint("annas-mac", 47474)),
        ("[fd00::7]:5000", Endpoint("fd00::7", 5000)),
        ("[fe80::7%25eth0]:5000", Endpoint("fe80::7%eth0", 5000)),
    ],
)
def test_addresses_in_an_invite(address, endpoint):
    invite = parse_invite(f"lanchat://{address}/{ROOM}#{KEY}")
    assert invite == Invite((endpoint,), ROOM, KEY)
    assert parse_invite(str(invite)) == invite


def test_an_invite_may_have_several_addresses():
    invite = Invite((Endpoint("192.168.1.7"), Endpoint("fd00::7", 5000)), ROOM, KEY)
    assert str(invite) == f"lanchat://192.168.1.7:47474/{ROOM}?at=[fd00::7]:5000#{KEY}"
    assert parse_invite(str(invite)) == invite


@pytest.mark.parametrize("hidden", ["%1b%5d52;c;aGk=%07", "%9b", "%C2%9b2J", "%00", "%0a", "%E2%80%8b", "%7f"])
def test_an_address_holds_nothing_that_acts_on_a_terminal(hidden):
    """The invite is plain letters, but what they stand for may be anything."""
    invite = parse_invite(TEXT.replace("#", f"?at=10.0.0.{hidden}:47474&at=ann{hidden}:47474#"))
    assert [endpoint for endpoint in invite.endpoints if not str(endpoint).isprintable()] == []


def test_unknown_parts_of_an_invite_are_ignored():
    assert parse_invite(TEXT.replace("#", "?x=1&at=nonsense%20&y#")) == AT_HOME


@cases(
    "text",
    [
        "Room A",
        "lanchat:",
        "lanchat://",
        TEXT[:-40],
        TEXT.replace("#", ""),
        TEXT.replace(ROOM, ""),
        TEXT.replace(ROOM, ROOM[:-1]),
        TEXT.replace(KEY, "x" * 64),
        TEXT.replace("192.168.100.100:47474", ""),
        TEXT.replace("192.168.100.100:47474", "ann@192.168.1.7:1"),
        TEXT.replace(":47474", ":0"),
        TEXT.replace(":47474", ":99999"),
        TEXT.replace("192.168.100.100:47474", "[192.168.1.7"),
        TEXT.replace("lanchat:", "http:"),
        TEXT + "\x1b[2J",
        TEXT.replace("192.168.100.100", "%1b%5d0;pwned%07"),
        TEXT.replace("192.168.100.100", "%C2%9b31m"),
        TEXT.replace("192.168.100.100", "annas-mac%E2%80%AElocal"),
        TEXT.replace("192.168.100.100", "annas-mac%E3%85%A4"),
        TEXT.replace("192.168.100.100", "[fe80::1%25%0aann]"),
        TEXT + "a" * 2000,
        TEXT.replace("a", "а"),  # Cyrillic
    ],
)
def test_an_incomplete_invite_is_refused_with_a_text(text):
    with pytest.raises(ValueError, match="invite"):
        parse_invite(text)


@given(st.text(), st.text())
def test_any_text_is_an_invite_or_refused(before, after):
    for text in (before, f"lanchat://{before}", f"lanchat://{before}/{ROOM}{after}#{KEY}"):
        try:
            parse_invite(text)
        except ValueError:
            pass


def test_text_that_is_meant_as_an_invite():
    assert [is_invite(text) for text in (TEXT, TEXT.upper(), "lanchat://x", "lanchat: talk", "Room A", "10.0.0.1")] == [
        *[True] * 3,
        *[False] * 3,
    ]
