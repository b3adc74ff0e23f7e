"""Reads the network interfaces of this machine and their addresses. The only module that imports `ifaddr`."""

import ipaddress
import os
import re
import socket
import struct
import sys

import ifaddr

from lanchat.protocol.address import Address, InterfaceKind

# Interfaces that are not simply a network, by their names on Linux, macOS and Windows. KDE Connect has a similar list.
_KINDS: tuple[tuple[InterfaceKind, re.Pattern[str]], ...] = (
    ("loopback", re.compile(r"lo\d*$|.*Loopback")),
    ("container", re.compile(r"docker|br-[0-9a-f]{12}|veth|cni|podman|lxc|lxd|incus|flannel|cali|cilium")),
    ("virtual machine", re.compile(r"virbr|vnet\d|vmnet|vboxnet|bridge1\d\d|vEthernet|VMware|VirtualBox")),
    ("VPN", re.compile(r"tun|tap|wg|utun|ppp|ipsec|tailscale|zt|nordlynx|proton|.*(VPN|WireGuard|Tailscale|ZeroTier)")),
    ("device link", re.compile(r"awdl|llw|anpi|p2p")),
)
_SIOCGIFFLAGS, _UP, _POINT_TO_POINT, _RUNNING = 0x8913, 0x1, 0x10, 0x40  # Linux: netdevice(7)


def read_addresses() -> list[Address]:
    """All addresses that this machine has now, in the order of the system.

    Raises:
        OSError: this process has no file descriptors left.
    """
    found = []
    for adapter in ifaddr.get_adapters():
        name = adapter.nice_name
        if sys.platform == "linux":
            name = name.partition(":")[0]  # eth0:1 is a label of an address of eth0
        flags = _flags_of(name)
        kind, up = kind_of(name, flags or 0), _is_up(flags) is not False
        for ip in adapter.ips:
            if isinstance(ip.ip, tuple):
                text, _, scope = ip.ip
                if scope and ipaddress.ip_address(text).is_link_local:
                    text = f"{text}%{name if os.name == 'posix' else scope}"  # Windows wants the number
            else:
                text = ip.ip
            found.append(Address(name, text, ip.network_prefix, interface_number(text), kind, up))
    return found


def kind_of(interface: str, flags: int = 0) -> InterfaceKind:
    """The kind of an interface, judged by its name; one with a name that says nothing and a single peer is a VPN.

    Args:
        flags: of the interface, as Linux has them.
    """
    named = next((kind for kind, names in _KINDS if names.match(interface)), None)
    return named or ("VPN" if flags & _POINT_TO_POINT else "network")


def is_up(interface: str) -> bool | None:
    """Whether an interface is switched on and has a link, as Linux tells it; None if the system does not tell."""
    return _is_up(_flags_of(interface))


def interface_names() -> list[str]:
    """The interfaces of this machine, also those without an address."""
    return [name for _, name in socket.if_nameindex()]


def interface_number(text: str) -> int:
    """The number of the interface in the scope of an address; 0: it has no scope, or the interface is gone."""
    name = text.partition("%")[2]
    try:
        return int(name) if name.isdigit() else socket.if_nametoindex(name) if name else 0
    except OSError:
        return 0


def _flags_of(interface: str) -> int | None:
    """The flags of an interface (IFF_UP, ...); None: they cannot be read here, or the interface is gone.

    Raises:
        OSError: this process has no file descriptors left.
    """
    if sys.platform != "linux":
        return None
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("16sH14x", os.fsencode(interface)[:15], 0))
        except OSError:
            return None
    return int(struct.unpack("16sH14x", answer)[1])


def _is_up(flags: int | None) -> bool | None:
    return None if flags is None else bool(flags & _UP and flags & _RUNNING)
