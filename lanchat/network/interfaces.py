"""The network interfaces of this machine. The door of `ifaddr`."""

import ipaddress
import os
import re
import socket
from collections.abc import Sequence

import ifaddr

from lanchat.errors import LanchatError
from lanchat.protocol.address import Address, InterfaceKind

# What is not simply a network. The names are those of Linux, macOS and Windows; KDE Connect keeps a like list.
_KINDS: tuple[tuple[InterfaceKind, re.Pattern[str]], ...] = (
    ("loopback", re.compile(r"lo\d*$|.*Loopback")),
    ("container", re.compile(r"docker|br-[0-9a-f]{12}|veth|cni|podman|lxc|lxd|incus|flannel|cali|cilium")),
    ("virtual machine", re.compile(r"virbr|vnet\d|vmnet|vboxnet|bridge1\d\d|vEthernet|VMware|VirtualBox")),
    ("VPN", re.compile(r"tun|tap|wg|utun|ppp|ipsec|tailscale|zt|nordlynx|proton|.*(VPN|WireGuard|Tailscale|ZeroTier)")),
    ("device link", re.compile(r"awdl|llw|anpi|p2p")),
)


def kind_of(interface: str) -> InterfaceKind:
    """What an interface is, as far as its name tells."""
    return next((kind for kind, names in _KINDS if names.match(interface)), "network")


def addresses() -> list[Address]:
    """All addresses of this machine, those of real networks first, loopback last."""
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, tuple):
                text, _, scope = ip.ip
                if scope and ipaddress.ip_address(text).is_link_local:
                    text = f"{text}%{adapter.nice_name if os.name == 'posix' else scope}"  # Windows wants the number
            else:
                text = ip.ip
            scope_id = interface_number(text)
            found.append(Address(adapter.nice_name, text, ip.network_prefix, scope_id))
    return sorted(found, key=lambda a: (a.is_loopback, a.is_link_local, a.version))


def chosen(wanted: tuple[str, ...]) -> list[Address]:
    """The addresses that a person's choice of interfaces names: `eth0`, `192.168.1.7`; none chosen: all.

    Raises:
        LanchatError: this machine has no such interface or address.
    """
    everything = addresses()
    if not wanted:
        return everything
    picked: list[Address] = []
    for name in wanted:
        matching = [a for a in everything if name in (a.interface, a.text, a.text.split("%")[0])]
        if not matching:
            have = ", ".join(dict.fromkeys(a.interface for a in everything)) or "none"
            raise LanchatError(f'This machine has no interface or address "{name}".', f"It has: {have}")
        picked += [a for a in matching if a not in picked]
    return picked


def still(on: Sequence[Address] | None) -> list[Address]:
    """Where to be now, of what was chosen at the start: interfaces come, go and change their addresses.

    Args:
        on: None for everywhere.

    Returns:
        The chosen addresses that are still there; where an interface has none of them any more, what it has now.
    """
    now = addresses()
    if on is None:
        return now
    kept = [address for address in now if address in on]
    lost = {address.interface for address in on} - {address.interface for address in kept}
    return kept + [address for address in now if address.interface in lost]


def reachable(on: Sequence[Address] | None) -> list[Address]:
    """Of the addresses we listen on (None: everywhere), those that others can type.

    Loopback only where it was chosen or is all there is; no link-local ones, which need a scope to be of use.
    """
    everything = [a for a in (addresses() if on is None else on) if not a.is_link_local]
    outside = [a for a in everything if not a.is_loopback]
    return everything if on is not None else outside or everything


def where(interfaces: tuple[str, ...] | None) -> Sequence[Address] | None:
    """The addresses to listen, announce and look on; None: everywhere.

    Args:
        interfaces: names or addresses; None: what LANCHAT_INTERFACE says, comma-separated.

    Raises:
        LanchatError: this machine has no such interface.
    """
    if interfaces is None:
        interfaces = (os.environ.get("LANCHAT_INTERFACE", ""),)
    wanted = tuple(filter(None, (name.strip() for given in interfaces for name in given.split(","))))
    return chosen(wanted) if wanted else None


def interface_number(text: str) -> int:
    """The number of the interface in the scope of an address; 0: it has none, or the interface is gone."""
    name = text.partition("%")[2]
    try:
        return int(name) if name.isdigit() else socket.if_nametoindex(name) if name else 0
    except OSError:
        return 0
