"""UDP to everybody on each network of this machine, and what comes back from there.

One `Spot` for each of our addresses, with two sockets: a packet without a network of its own would go
out by the default route alone, which is often a VPN or Docker. What everybody hears goes to

* 239.255.47.74, of the range for private use within a site (RFC 2365): no other program is in it;
* 224.0.0.174, of the range that switches pass to every port without asking who listens (RFC 4541, 2.1.2):
  where IGMP snooping loses the first, this one gets through (LocalSend ended there, too);
* the subnet's directed broadcast, for where multicast is switched off;
* ff12::6c61:6e63:6861:74 on IPv6 links ("lanchat" in ASCII; transient, link-local: RFC 4291, 2.7).

All with a time to live of 1: no router carries it on.
"""

import errno
import logging
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any

from lanchat.protocol.address import DEFAULT_PORT, Address

GROUP = "239.255.47.74"
LOCAL_GROUP = "224.0.0.174"
GROUP6 = "ff12::6c61:6e63:6861:74"
PORT = DEFAULT_PORT
_RECEIVE_BUFFER = 128 * 1024  # bytes; what does not fit there is a flood
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29  # Linux; Python has no names for them

Where = tuple[Any, ...]  # a socket's address: (host, port) or (host, port, flow, scope)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """Everybody, by one of the ways."""

    way: str
    where: Where


class Spot:
    """Our ear and our mouth at one of our addresses.

    The ear shares its port with every lanchat of this machine, so it hears what is for everybody, and at
    times what is for another. The mouth has a port of its own: an answer to it reaches us and nobody else.

    Raises:
        OSError: nothing can be sent from there.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.targets = _targets(address)
        self.ear: socket.socket | None = None
        self.deaf: OSError | None = None  # why there is no ear
        self.mouth = _mouth(address)
        self.open_ear()

    def open_ear(self) -> None:
        """Listen, or listen anew: an interface that was without its address for a moment has left all groups."""
        if self.ear is not None:
            self.ear.close()
        try:
            self.ear, self.deaf = _ear(self.address), None
        except OSError as error:
            _log.info("no ear at %s: %s", self.address.text, error)
            self.ear, self.deaf = None, error

    def shout(self, data: bytes) -> dict[str, OSError | None]:
        """Send this to everybody here.

        Returns:
            What became of it, by each way; None: it went out.
        """
        sent: dict[str, OSError | None] = {}
        for target in self.targets:
            sent[target.way] = self.send(data, target.where)
        return sent

    def send(self, data: bytes, where: Where) -> OSError | None:
        """
        Returns:
            Why it was not sent.
        """
        try:
            self.mouth.sendto(data, where)
        except OSError as error:
            return error
        return None

    def answer(self, data: bytes, where: Where) -> OSError | None:
        """Send from our well-known port: to a firewall that saw the question go there, this is its answer."""
        try:
            (self.ear or self.mouth).sendto(data, where)
        except OSError as error:
            return error
        return None

    def close(self) -> None:
        self.mouth.close()
        if self.ear is not None:
            self.ear.close()


def usable(address: Address) -> bool:
    """Whether there is a spot to be at this address: IPv6 is spoken on the link alone."""
    return address.version == 4 or (address.is_link_local and address.scope != 0)


def told(error: OSError, interface: str, platform: str = sys.platform) -> str:
    """Why calling there does not work, in one sentence."""
    match error.errno:
        case errno.EADDRINUSE:
            return f"another program keeps UDP port {PORT} to itself, so rooms are seen over mDNS or by their address"
        case errno.EHOSTUNREACH if platform == "darwin":
            return (
                "macOS does not let this terminal onto the local network: allow it under "
                "System Settings > Privacy & Security > Local Network"
            )
        case errno.EPERM | errno.EACCES:
            return f"a firewall on this machine does not let lanchat call on {interface}"
        case errno.ENOBUFS:
            return f"this machine has no buffer or group membership left for {interface}"
        case _:
            return f"calling on {interface} does not work ({(error.strerror or str(error)).lower()})"


def _targets(address: Address) -> tuple[Target, ...]:
    if address.version == 6:
        return (Target("multicast", (GROUP6, PORT, 0, address.scope)),)
    targets = [Target("multicast", (GROUP, PORT)), Target("local multicast", (LOCAL_GROUP, PORT))]
    if address.broadcast is not None:
        targets.append(Target("broadcast", (address.broadcast, PORT)))
    return tuple(targets)


def _mouth(address: Address) -> socket.socket:
    family, where = _family(address)
    mouth = socket.socket(family, socket.SOCK_DGRAM)
    try:
        mouth.setblocking(False)
        if family is socket.AF_INET6:
            mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, address.scope)
            mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        else:
            mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address.text))
            mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        mouth.bind(where)
    except OSError:
        mouth.close()
        raise
    return mouth


def _ear(address: Address) -> socket.socket:
    family, _ = _family(address)
    ear = socket.socket(family, socket.SOCK_DGRAM)
    try:
        ear.setblocking(False)
        _share_port(ear)
        _only_from(ear, address)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        if family is socket.AF_INET6:
            ear.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            ear.bind(("::", PORT))
            _become_member(ear, address, GROUP6)
        else:
            ear.bind(("", PORT))  # at an address of its own it would hear no multicast, but on Windows
            for group in (GROUP, LOCAL_GROUP):
                _become_member(ear, address, group)
    except OSError:
        ear.close()
        raise
    return ear


def _become_member(ear: socket.socket, address: Address, group: str) -> None:
    try:
        if address.version == 6:
            member = socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", address.scope)
            ear.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
        else:
            member = socket.inet_aton(group) + socket.inet_aton(address.text)
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except OSError as error:  # no multicast on this interface; broadcast may do
        _log.info("%s is not in %s: %s", address.text, group, error)


def _share_port(sock: socket.socket) -> None:
    """Every lanchat of this machine listens there, whoever runs it."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # On Linux SO_REUSEPORT would keep other users out, and deal packets out instead of copying them.
    if sys.platform != "linux" and hasattr(socket, "SO_REUSEPORT"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _only_from(sock: socket.socket, address: Address) -> None:
    """Hear this interface alone, where the platform can do that. Elsewhere the source's address tells."""
    if sys.platform != "linux":
        return
    groups_of_ours = (socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    if address.version == 6:
        groups_of_ours = (socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
    device = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, address.interface.encode() + b"\0")
    for level, option, value in (groups_of_ours, device):
        try:
            sock.setsockopt(level, option, value)
        except OSError as error:  # an old kernel: for SO_BINDTODEVICE it takes root before 5.7
            _log.debug("option %s: %s", option, error)


def _family(address: Address) -> tuple[socket.AddressFamily, Where]:
    if address.version == 4:
        return socket.AF_INET, (address.text, 0)
    return socket.AF_INET6, (address.text.partition("%")[0], 0, 0, address.scope)
