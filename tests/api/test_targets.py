"""What a name means, and what to do where it means nothing."""

import pytest

from lanchat.api.targets import instead
from lanchat.protocol.address import wrong_port
from tests.support.cases import cases


@pytest.mark.parametrize(
    ("title", "open_here", "what"),
    [
        ("Room Q", ["Design", "Room A", "Room B"], 'Did you mean "Room B" or "Room A"?'),
        ("room a!", ["Design", "Room A"], 'Did you mean "Room A"?'),
        ("Nope", ["Design", "Room A"], 'Open here: "Design", "Room A"'),
        ("Nope", [f"Room {n}" for n in range(10, 30)], "and 12 more, see lanchat rooms"),
        ("Nope", [], "lanchat join ADDRESS"),
    ],
)
def test_a_title_that_is_nearly_right_is_helped(title, open_here, what):
    assert what in instead(title, open_here)


@pytest.mark.parametrize("text", ["192.168.1.7:99999", "192.168.1.7:x", "[fe80::1]:0", "localhost:65536", "a.local:0"])
def test_an_address_whose_port_is_none_is_recognised(text):
    assert wrong_port(text) == text.rpartition(":")[2]


@cases(
    "text",
    [
        "192.168.1.7",
        "192.168.1.7:1",
        "192.168.1.7:",
        "fe80::1",
        "[fe80::1]:47474",
        "Sprint: 2026",
        "12:30",
        "Room A",
        "a.b: c",
        "",
    ],
)
def test_titles_and_addresses_have_no_wrong_port(text):
    assert wrong_port(text) == ""
