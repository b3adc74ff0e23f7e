import pytest

from lanchat.server.engine.address import EngineAddress, parse_engine
from tests.support.cases import cases


@cases(
    "text, address",
    [
        ("redis://localhost/0", EngineAddress("localhost")),
        ("redis://box", EngineAddress("box")),
        ("redis://box:7000/3", EngineAddress("box", 7000, 3)),
        ("rediss://[fe80::1]:7000", EngineAddress("fe80::1", 7000, tls=True)),
        ("redis://lanchat:S%40cret@box/0", EngineAddress("box", user="lanchat", password="S@cret")),
        ("redis://:secret@box", EngineAddress("box", password="secret")),
    ],
)
def test_an_address_says_where_and_as_whom(text, address):
    assert parse_engine(text) == address


@cases(
    "text",
    ["", "box", "http://box", "redis://", "redis://box:x", "redis://box:99999", "redis://box/a", "redis://box/0?x=1"]
    + ["redis://box/99999", "unix:///tmp/redis", "redis://[::1", "redis://box/-1", "redis://u:secret@box:x"],
)
def test_anything_else_is_refused_without_a_word_of_it(text):
    with pytest.raises(ValueError, match="An engine is redis://HOST") as error:
        parse_engine(text)
    assert "secret" not in str(error.value)


def test_a_password_is_not_shown():
    assert "secret" not in repr(parse_engine("redis://:secret@box"))
    assert parse_engine("rediss://[fe80::1]:7000").place == "[fe80::1]:7000"


@cases(
    "text, shown",
    [
        ("redis://localhost", "redis://localhost/0"),
        ("rediss://[fe80::1]:7000/3", "rediss://[fe80::1]:7000/3"),
        ("redis://ann@box", "redis://ann@box/0"),
        ("redis://ann:S%40cret@box/0", "redis://ann:PASSWORD@box/0"),
        ("redis://:secret@box/0", "redis://:PASSWORD@box/0"),
    ],
)
def test_an_address_is_shown_without_its_password(text, shown):
    assert parse_engine(text).without_password == shown
