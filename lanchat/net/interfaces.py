"""The network interfaces of this machine. The door of `ifaddr`."""

import ipaddress
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import ifaddr

from lanchat.errors import LanchatError

Kind = Literal["network", "loopback", "VPN", "container", "virtual machine", "device link"]

# What is not simply a network. The names are those of Linux, macOS and Windows; KDE Connect keeps a like list.
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("loopback", re.compile(r"lo\d*$|.*Loopback")),
    ("container", re.compile(r"docker|br-[0-9a-f]{12}|veth|cni|podman|lxc|lxd|incus|flannel|cali|cilium")),
    ("virtual machine", re.compile(r"virbr|vnet\d|vmnet|vboxnet|bridge1\d\d|vEthernet|VMware|VirtualBox")),
    ("VPN", re.compile(r"tun|tap|wg|utun|ppp|ipsec|tailscale|zt|nordlynx|proton|.*(VPN|WireGuard|Tailscale|ZeroTier)")),
    ("device link", re.compile(r"awdl|llw|anpi|p2p")),
)


@dataclass(frozen=True)
class Address:
    """One address of one interface.

    Args:
        text: the address; a link-local IPv6 one carries its scope (`fe80::1%eth0`).
        prefix: bits of the network part.
    """

    interface: str
    text: str
    prefix: int

    @property
    def version(self) -> int:
        return ipaddress.ip_address(self.text).version

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.text).is_loopback

    @property
    def is_link_local(self) -> bool:
        return ipaddress.ip_address(self.text).is_link_local

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        return ipaddress.ip_interface(f"{self.text.partition('%')[0]}/{self.prefix}").network

    @property
    def broadcast(self) -> str | None:
        """The directed broadcast address; None where there is none (IPv6, a link of two, a single address)."""
        network = self.network
        return str(network.broadcast_address) if network.version == 4 and network.prefixlen < 31 else None

    @property
    def scope(self) -> int:
        """The number of the interface of a link-local IPv6 address; 0 for any other, or where it is gone."""
        name = self.text.partition("%")[2]
        try:
            return int(name) if name.isdigit() else socket.if_nametoindex(name) if name else 0
        except OSError:
            return 0


def kind_of(interface: str) -> Kind:
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
            found.append(Address(adapter.nice_name, text, ip.network_prefix))
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
            raise LanchatError(f'this machine has no interface or address "{name}"', f"its interfaces: {have}")
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
