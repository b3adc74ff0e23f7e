import socket
import sys
from ipaddress import ip_address
from typing import Any

import ifaddr
import pytest

from lanchat.network import interfaces
from lanchat.network.interfaces import interface_names, interface_number, is_up, kind_of, read_addresses
from lanchat.protocol.address import Address
from tests.support.cases import cases

_UP, _POINT_TO_POINT, _RUNNING = 0x1, 0x10, 0x40  # Linux: netdevice(7)


def adapter(name: str, *ips: tuple[Any, int]) -> ifaddr.Adapter:
    return ifaddr.Adapter(name, name, [ifaddr.IP(ip, prefix, name) for ip, prefix in ips])


def test_the_properties_of_an_address(monkeypatch):
    laptop = [
        adapter("lo", ("127.0.0.1", 8)),
        adapter("wlan0", (("fe80::7", 0, 3), 64), ("192.168.1.7", 24)),
        adapter("eth0", ("169.254.3.4", 16)),
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: laptop)
    by_text = {address.text: address for address in read_addresses()}
    scoped, cable = by_text["fe80::7%wlan0"], by_text["169.254.3.4"]
    assert (scoped.version, scoped.is_link_local, scoped.needs_scope, scoped.prefix) == (6, True, True, 64)
    assert (cable.is_link_local, cable.needs_scope) == (True, False), "an IPv4 one is typed as any other"
    assert by_text["127.0.0.1"].is_loopback and by_text["127.0.0.1"].kind == "loopback"
    assert by_text["192.168.1.7"] == Address("wlan0", "192.168.1.7", 24)


def test_what_the_system_says_of_an_interface(monkeypatch):
    flags = {"eth0": _UP | _RUNNING, "eth1": _UP, "corp0": _UP | _RUNNING | _POINT_TO_POINT}
    monkeypatch.setattr(interfaces, "_flags_of", flags.get)
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [adapter(name, ("10.0.0.1", 8)) for name in (*flags, "en0")])
    found = {address.interface: (address.kind, address.up) for address in read_addresses()}
    assert found == {
        "eth0": ("network", True),
        "eth1": ("network", False),  # no cable
        "corp0": ("VPN", True),  # its name says nothing, but it leads to one machine
        "en0": ("network", True),  # where the system does not tell
    }


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="labels are a thing of Linux")
def test_a_label_of_an_address_is_no_interface(monkeypatch):
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [adapter("lo:1", ("10.0.0.1", 8))])
    assert [address.interface for address in read_addresses()] == ["lo"]


def test_this_machine_has_loopback():
    here = read_addresses()
    assert any(address.is_loopback for address in here)
    assert all(ip_address(address.text) and address.prefix for address in here)
    assert any(kind_of(name) == "loopback" for name in interface_names())


def test_loopback_is_up_and_an_interface_that_is_not_there_is_unknown():
    loopback = next(name for _, name in socket.if_nameindex() if kind_of(name) == "loopback")
    assert is_up(loopback) in (True, None)
    assert is_up("nope0") is None


@cases(
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
