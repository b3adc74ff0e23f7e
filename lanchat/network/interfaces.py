"""The network interfaces of this machine. The only module that imports `ifaddr`."""

import ipaddress
import os
import re
import socket
from collections.abc import Sequence

import ifaddr

from lanchat.errors import LanchatError
from lanchat.protocol.address import Address, InterfaceKind

# Interfaces that are not simply a network, by their names on Linux, macOS and Windows. KDE Connect has a similar list.
_KINDS: tuple[tuple[InterfaceKind, re.Pattern[str]], ...] = (
    ("loopback", re.compile(r"lo\d*$|.*Loopback")),
    ("container", re.compile(r"docker|br-[0-9a-f]{12}|veth|cni|podman|lxc|lxd|incus|flannel|cali|cilium")),
    ("virtual machine", re.compile(r"virbr|vnet\d|vmnet|vboxnet|bridge1\d\d|vEthernet|VMware|VirtualBox")),
    ("VPN", re.compile(r"tun|tap|wg|utun|ppp|ipsec|tailscale|zt|nordlynx|proton|.*(VPN|WireGuard|Tailscale|ZeroTier)")),
    ("device link", re.compile(r"awdl|llw|anpi|p2p")),
)


def kind_of(interface: str) -> InterfaceKind:
    """The kind of an interface, judged by its name."""
    return next((kind for kind, names in _KINDS if names.match(interface)), "network")


def addresses() -> list[Address]:
    """All addresses of this machine: those of real networks first, loopback last."""
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
    """The addresses of the interfaces that a person named, as `eth0` or `192.168.1.7`; all, if none was named.

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
    """The addresses to use now, since interfaces come, go and change their addresses.

    Args:
        on: the addresses chosen at the start; None for everywhere.

    Returns:
        The chosen addresses that still exist. An interface that has lost all of them counts with its new ones.
    """
    now = addresses()
    if on is None:
        return now
    kept = [address for address in now if address in on]
    lost = {address.interface for address in on} - {address.interface for address in kept}
    return kept + [address for address in now if address.interface in lost]


def reachable(on: Sequence[Address] | None) -> list[Address]:
    """The addresses that others can type to reach a host.

    Loopback is included only if it was chosen or is all there is. Link-local addresses are left out, because they need
    a scope.

    Args:
        on: the addresses that the host listens on; None for everywhere.
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
    """The number of the interface in the scope of an address; 0: it has no scope, or the interface is gone."""
    name = text.partition("%")[2]
    try:
        return int(name) if name.isdigit() else socket.if_nametoindex(name) if name else 0
    except OSError:
        return 0
