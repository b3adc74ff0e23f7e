"""The network interfaces of this machine. The door of `ifaddr`."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import ifaddr

from lanchat.errors import LanchatError


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


def addresses() -> list[Address]:
    """All addresses of this machine, those of real networks first, loopback last."""
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, tuple):
                text, _, scope = ip.ip
                text = f"{text}%{adapter.nice_name}" if scope and ipaddress.ip_address(text).is_link_local else text
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


def reachable(on: Sequence[Address] | None) -> list[Address]:
    """Of the addresses we listen on (None: everywhere), those that others can type.

    Loopback only where it was chosen or is all there is; no link-local ones, which need a scope to be of use.
    """
    everything = [a for a in (addresses() if on is None else on) if not a.is_link_local]
    outside = [a for a in everything if not a.is_loopback]
    return everything if on is not None else outside or everything
