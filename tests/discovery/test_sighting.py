import json

import pytest

from lanchat.discovery.sighting import Listing, may_dial, shown_nick, shown_title
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.ids import is_room_id
from tests.support.cases import cases

LAN = Address("eth0", "192.168.7.20", 24)
LAN6 = Address("eth0", "fd00::20", 64)
LOOPBACK = Address("lo", "127.0.0.1", 8)
POINT = Address("tun0", "10.8.0.2", 32)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("192.168.7.1", [LAN]),
        ("192.168.7.20", [LAN]),
        ("fd00::1", [LAN, LAN6]),
        ("169.254.3.4", [LAN]),
        ("fe80::1%eth0", [LAN]),
        ("127.0.0.1", [LOOPBACK]),
        ("10.8.0.2", [POINT]),
    ],
)
def test_a_neighbour_may_be_dialled(host, own):
    assert may_dial(Endpoint(host, 47474), own)


@cases(
    "host",
    ["8.8.8.8", "192.168.8.1", "192.168.7.255", "192.168.7.0", "0.0.0.0", "224.0.0.251", "255.255.255.255", "127.0.0.1"]
    + ["::1", "::", "ff02::fb", "::ffff:127.0.0.1", "2001:db8::1", "fe80::1", "fileserver", "", "192.168.7.1 "],
)
def test_nothing_else_may_be_dialled(host):
    assert not may_dial(Endpoint(host, 47474), [LAN, LAN6])


def test_only_loopback_is_dialled_if_only_loopback_is_searched():
    assert not may_dial(Endpoint("169.254.3.4", 47474), [LOOPBACK])
    assert not may_dial(Endpoint("192.168.7.1", 47474), [LOOPBACK])


def test_a_room_that_was_joined_may_be_behind_a_router_but_not_out_in_the_internet():
    near, site, tailscale, internet, this_machine = (
        Endpoint(host) for host in ("192.168.7.7", "10.1.2.3", "100.64.0.7", "93.184.216.34", "127.0.0.1")
    )
    endpoints = (near, site, tailscale, internet, this_machine)
    assert [may_dial(endpoint, [LAN], joined=True) for endpoint in endpoints] == [True] * 3 + [False] * 2
    assert [may_dial(endpoint, [LAN]) for endpoint in endpoints] == [True] + [False] * 4
    assert not may_dial(site, [LOOPBACK], joined=True), "a search of loopback alone stays there"


@pytest.mark.parametrize("port", [-1, 0, 22, 80, 1023, 65536])
def test_ports_of_the_system_are_not_dialled(port):
    assert not may_dial(Endpoint("192.168.7.1", port), [LAN])


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Room A", "Room A"),
        (" Room A ", "Room A"),
        ("", "(no title)"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a<U+202E>b"),
        ("x" * 300, "x" * 60),
        ("\ud800", "<U+D800>"),
    ],
)
def test_a_strangers_title_is_safe_to_show(title, shown):
    assert shown_title(title) == shown


def test_a_strangers_nick_is_safe_to_show():
    assert [shown_nick(nick) for nick in ("ann", "", "a\x1bnn", "!!!")] == ["ann", "", "ann", "guest"]


def test_a_room_id_is_128_bits_in_hex():
    assert [is_room_id(id) for id in ("0" * 32, "0" * 31, "A" * 32, "0" * 32 + "\n", "")] == [True] + [False] * 4


def test_a_listing_as_json_is_one_line():
    listing = Listing("0" * 32, "会議", "ann", 3, True, (Endpoint("::1", 5000),), ("mdns",), "answering", "ab")
    line = listing.as_json()
    assert "\n" not in line and line.isascii(), "a pipe may have any encoding"
    assert json.loads(line) == {
        "id": "0" * 32,
        "title": "会議",
        "host": "ann",
        "people": 3,
        "password": True,
        "state": "answering",
        "addresses": ["[::1]:5000"],
        "via": ["mdns"],
        "fingerprint": "ab",
        "key_status": "",
    }
