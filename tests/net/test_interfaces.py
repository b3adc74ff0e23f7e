from ipaddress import ip_address
from typing import Any

import ifaddr
import pytest

from lanchat.errors import LanchatError
from lanchat.net.interfaces import Address, addresses, chosen

LAPTOP: list[tuple[str, Any, int]] = [
    ("lo", "127.0.0.1", 8),
    ("lo", ("::1", 0, 0), 128),
    ("wlan0", ("fe80::7", 0, 3), 64),
    ("wlan0", "192.168.1.7", 24),
    ("wlan0", ("2001:db8::7", 0, 0), 64),
    ("eth0", "169.254.3.4", 16),
]


@pytest.fixture
def laptop(monkeypatch):
    """A machine with these interfaces."""
    names = dict.fromkeys(name for name, _, _ in LAPTOP)
    adapters = [
        ifaddr.Adapter(name, name, [ifaddr.IP(ip, prefix, name) for who, ip, prefix in LAPTOP if who == name])
        for name in names
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)


def test_addresses_others_can_use_come_first(laptop):
    assert [address.text for address in addresses()] == [
        "192.168.1.7",
        "2001:db8::7",
        "169.254.3.4",
        "fe80::7%wlan0",
        "127.0.0.1",
        "::1",
    ]


def test_what_an_address_knows(laptop):
    by_text = {address.text: address for address in addresses()}
    scoped = by_text["fe80::7%wlan0"]
    assert (scoped.version, scoped.is_link_local, scoped.is_loopback, scoped.prefix) == (6, True, False, 64)
    assert by_text["127.0.0.1"].is_loopback and by_text["169.254.3.4"].is_link_local
    assert by_text["192.168.1.7"] == Address("wlan0", "192.168.1.7", 24)


@pytest.mark.parametrize(
    ("wanted", "picked"),
    [
        ((), ["192.168.1.7", "2001:db8::7", "169.254.3.4", "fe80::7%wlan0", "127.0.0.1", "::1"]),
        (("wlan0",), ["192.168.1.7", "2001:db8::7", "fe80::7%wlan0"]),
        (("192.168.1.7",), ["192.168.1.7"]),
        (("fe80::7",), ["fe80::7%wlan0"]),
        (("fe80::7%wlan0",), ["fe80::7%wlan0"]),
        (("127.0.0.1", "lo"), ["127.0.0.1", "::1"]),
        (("eth0", "eth0"), ["169.254.3.4"]),
    ],
)
def test_a_choice(laptop, wanted, picked):
    assert [address.text for address in chosen(wanted)] == picked


def test_a_choice_that_is_not_there(laptop):
    with pytest.raises(LanchatError, match='no interface or address "tun0"') as caught:
        chosen(("lo", "tun0"))
    assert caught.value.hint == "its interfaces: wlan0, eth0, lo"


def test_a_machine_without_any(monkeypatch):
    monkeypatch.setattr(ifaddr, "get_adapters", list)
    assert chosen(()) == []
    with pytest.raises(LanchatError) as caught:
        chosen(("eth0",))
    assert caught.value.hint == "its interfaces: none"


def test_this_machine():
    here = addresses()
    assert any(address.is_loopback for address in here)
    assert all(ip_address(address.text) and address.prefix for address in here)
