from ipaddress import ip_address
from typing import Any

import ifaddr
import pytest

from lanchat.errors import LanchatError
from lanchat.network.interfaces import addresses, chosen, interface_number, kind_of, still
from lanchat.protocol.address import Address

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


def test_the_properties_of_an_address(laptop):
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
def test_interfaces_are_chosen_by_name_or_address(laptop, wanted, picked):
    assert [address.text for address in chosen(wanted)] == picked


def test_an_unknown_interface_is_an_error(laptop):
    with pytest.raises(LanchatError, match='no interface or address "tun0"') as caught:
        chosen(("lo", "tun0"))
    assert caught.value.hint == "It has: wlan0, eth0, lo"


def test_a_machine_without_interfaces(monkeypatch):
    monkeypatch.setattr(ifaddr, "get_adapters", list)
    assert chosen(()) == []
    with pytest.raises(LanchatError) as caught:
        chosen(("eth0",))
    assert caught.value.hint == "It has: none"


def test_this_machine_has_loopback():
    here = addresses()
    assert any(address.is_loopback for address in here)
    assert all(ip_address(address.text) and address.prefix for address in here)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[(name, "network") for name in ("eth0", "wlan0", "enp3s0", "wlp2s0", "en0", "Wi-Fi", "Ethernet 2", "bond0")],
        *[(name, "loopback") for name in ("lo", "lo0", "Software Loopback Interface 1")],
        *[(name, "VPN") for name in ("tun0", "tap0", "wg0", "utun3", "tailscale0", "zt5u4y", "ppp0", "Proton VPN")],
        *[(name, "container") for name in ("docker0", "br-0123456789ab", "veth1a2b", "podman1", "cni0", "lxcbr0")],
        *[(name, "virtual machine") for name in ("virbr0", "vmnet8", "vboxnet0", "bridge100", "vEthernet (WSL)")],
        *[(name, "device link") for name in ("awdl0", "llw0")],
    ],
)
def test_the_kind_of_an_interface(name, kind):
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("address", "broadcast"),
    [
        (Address("eth0", "192.168.1.7", 24), "192.168.1.255"),
        (Address("eth0", "10.1.2.3", 22), "10.1.3.255"),
        (Address("tun0", "10.0.0.1", 31), None),
        (Address("wg0", "10.0.0.1", 32), None),
        (Address("eth0", "fe80::7%eth0", 64), None),
    ],
)
def test_the_broadcast_address_of_a_network(address, broadcast):
    assert address.broadcast == broadcast


def test_a_link_local_address_has_the_number_of_its_interface():
    assert interface_number("fe80::7%7") == 7
    assert interface_number("fe80::7%lo") > 0
    assert interface_number("fe80::7%eth9") == 0  # no such interface
    assert interface_number("192.168.1.7") == 0


def test_chosen_addresses_follow_the_interfaces(laptop):
    """Chosen addresses stay; if an interface has changed its address, the new one is used."""
    assert still(None) == addresses()
    lan, old, gone = Address("wlan0", "192.168.1.7", 24), Address("wlan0", "10.9.9.9", 8), Address("usb0", "1.1.1.1", 8)
    assert still([lan]) == [lan]
    assert still([lan, gone]) == [lan]
    assert [address.text for address in still([old])] == ["192.168.1.7", "2001:db8::7", "fe80::7%wlan0"]
