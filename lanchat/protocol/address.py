"""Addresses as people type them and as this machine has them. Pure.

An `Endpoint` is where a host listens; an `Address` is one address of one network interface of this machine.
"""

import ipaddress
from dataclasses import dataclass
from typing import Literal

from lanchat.protocol.invisible import is_invisible

DEFAULT_PORT = 47474  # TCP and UDP; a second room on a machine takes the next free one


InterfaceKind = Literal["network", "loopback", "VPN", "container", "virtual machine", "device link"]


@dataclass(frozen=True)
class Endpoint:
    """Where a host listens. `str()` is what a person types."""

    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def shared(self) -> "Endpoint":
        """The same without the scope of a link-local IPv6 address, which means something on one machine alone."""
        return Endpoint(self.host.partition("%")[0], self.port)


@dataclass(frozen=True)
class Address:
    """One address of one interface.

    Args:
        text: the address; a link-local IPv6 one carries its scope (`fe80::1%eth0`).
        prefix: bits of the network part.
        scope: the number of the interface of a link-local IPv6 address; 0 for any other.
        kind: of the interface.
        up: whether the interface is switched on and has a link; true where the system does not tell.
    """

    interface: str
    text: str
    prefix: int
    scope: int = 0
    kind: InterfaceKind = "network"
    up: bool = True

    @property
    def version(self) -> int:
        return ipaddress.ip_address(self.text).version

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.text).is_loopback

    @property
    def is_link_local(self) -> bool:
        """Whether the machine chose this address by itself: 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291)."""
        return ipaddress.ip_address(self.text).is_link_local

    @property
    def needs_scope(self) -> bool:
        """Whether the address says nothing without its interface: that of a link-local IPv6 one."""
        return self.version == 6 and self.is_link_local

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        return ipaddress.ip_interface(f"{self.text.partition('%')[0]}/{self.prefix}").network

    @property
    def broadcast(self) -> str | None:
        """The directed broadcast address; None where there is none (IPv6, a link of two, a single address)."""
        network = self.network
        return str(network.broadcast_address) if network.version == 4 and network.prefixlen < 31 else None


def parse_endpoint(text: str) -> Endpoint | None:
    """Read HOST[:PORT], with brackets around an IPv6 address that has a port. None: this is no address.

    A name without a port is an address only if it contains a dot or is `localhost`, because a title may be one word.
    """
    parts = _split(text)
    return None if parts is None else Endpoint(parts[0], int(parts[1]) if parts[1] else DEFAULT_PORT)


def is_address(text: str) -> bool:
    """Whether this can only be an address: an IP address, or a name with a port. Any other name may be a title."""
    parts = _split(text)
    return parts is not None and (bool(parts[1]) or is_ip(parts[0]))


def wrong_port(text: str) -> str:
    """What stands where the port belongs, if this is clearly an address with an invalid port; else ""."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if text.startswith("[") else host
    if not colon or not port or is_ip(text) or (":" in host and not text.startswith("[")):
        return ""
    named = (host == "localhost" or "." in host) and port.isdecimal() and not any(map(str.isspace, host))
    right = port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16
    return "" if right or not (is_ip(host) or named) else port


def is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def lacks_scope(host: str) -> bool:
    """Whether this is a link-local IPv6 address that does not say on which interface it is meant."""
    return is_ip(host) and ":" in host and "%" not in host and ipaddress.ip_address(host).is_link_local


def _split(text: str) -> tuple[str, str] | None:
    """Host and port of an address, the port perhaps empty; None: it is no address."""
    if not text or not text.isprintable() or any(char.isspace() or is_invisible(char) for char in text):
        return None  # it was perhaps written as %1b in an invite
    if text.startswith("["):
        host, bracket, tail = text[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            return None
        port = tail[1:]
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, colon, port = text.partition(":")
        if not colon and "." not in host.strip(".") and host != "localhost":
            return None
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        return None
    return (host, port) if host else None
