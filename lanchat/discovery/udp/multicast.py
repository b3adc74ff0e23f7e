"""UDP to everybody on one network of this machine, and what everybody there sends.

There is one `MulticastSocket` for each address of this machine, because a packet that is not bound to a network leaves
by the default route alone, which is often a VPN or Docker. What is meant for everybody goes to

* 239.255.47.74, in the range for private use within a site (RFC 2365), used by no other program;
* 224.0.0.174, in the range that switches pass to every port without asking who listens (RFC 4541, 2.1.2): where IGMP
  snooping loses the first, this one gets through (LocalSend uses that range for the same reason);
* the directed broadcast address of the network, for where multicast is switched off;
* ff12::6c61:6e63:6861:74 on IPv6 links ("lanchat" in ASCII; transient, link-local: RFC 4291, 2.7).

The time to live is 1, so that no router passes it on.
"""

import errno
import logging
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any

from lanchat.network.sockets import describe_error
from lanchat.protocol.address import DEFAULT_PORT, Address

GROUP = "239.255.47.74"
LOCAL_GROUP = "224.0.0.174"
GROUP6 = "ff12::6c61:6e63:6861:74"
PORT = DEFAULT_PORT
_RECEIVE_BUFFER = 128 * 1024  # bytes; only a flood needs more
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29  # Linux; Python has no names for them

SocketAddress = tuple[Any, ...]  # (host, port) or (host, port, flow, scope)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """One of the addresses that reach everybody, and what it is called: "multicast", "broadcast", ..."""

    via: str
    address: SocketAddress


class MulticastSocket:
    """Sends to everybody on the network of one of our addresses, and receives what others send there.

    The `receiver` shares its port with every lanchat on this machine, so it gets what is for everybody, and at times
    what is for another program. The `sender` has a port of its own: an answer to that port reaches this object alone.

    Args:
        port: the one that everybody listens on.

    Raises:
        OSError: nothing can be sent from this address.
    """

    def __init__(self, address: Address, port: int = PORT) -> None:
        self.address = address
        self.targets = _targets(address, port)
        self._port = port
        self.receiver: socket.socket | None = None
        self.receive_error: OSError | None = None  # why there is no receiver
        self.sender = _open_sender(address)
        self.open_receiver()

    def open_receiver(self) -> None:
        """Listen, or listen again: an interface that lost its address for a moment has left all its groups."""
        if self.receiver is not None:
            self.receiver.close()
        try:
            self.receiver, self.receive_error = _open_receiver(self.address, self._port), None
        except OSError as error:
            _log.info("cannot receive at %s: %s", self.address.text, error)
            self.receiver, self.receive_error = None, error

    def broadcast(self, data: bytes) -> dict[str, OSError | None]:
        """Send to everybody, by each of the targets.

        Returns:
            For each target's `via`, why it was not sent; None if it was.
        """
        return {target.via: self.send(data, target.address) for target in self.targets}

    def send(self, data: bytes, to: SocketAddress) -> OSError | None:
        """Send from the sender's own port.

        Returns:
            Why it was not sent; None if it was.
        """
        return _send(self.sender, data, to)

    def reply(self, data: bytes, to: SocketAddress) -> OSError | None:
        """Send from the well-known port: a firewall that saw the question go there lets its answer in.

        Returns:
            Why it was not sent; None if it was.
        """
        return _send(self.receiver or self.sender, data, to)

    def close(self) -> None:
        self.sender.close()
        if self.receiver is not None:
            self.receiver.close()


def is_usable(address: Address) -> bool:
    """Whether a multicast socket can be opened at this address. On IPv6 only link-local addresses are used."""
    return address.version == 4 or (address.is_link_local and address.scope != 0)


def multicast_problem(error: OSError, interface: str, port: int = PORT, platform: str = sys.platform) -> str:
    """The sentence for a person about an error of a multicast socket on this interface."""
    match error.errno:
        case errno.EADDRINUSE:
            return f"Another program uses UDP port {port} for itself, so rooms are found over mDNS or by address only."
        case errno.EHOSTUNREACH if platform == "darwin":
            return (
                "macOS does not let this terminal use the local network. Allow it under "
                "System Settings > Privacy & Security > Local Network."
            )
        case errno.EPERM | errno.EACCES:
            return f"A firewall on this machine stops lanchat from sending on {interface}."
        case errno.ENOBUFS:
            return f"This machine has no buffer or multicast membership left for {interface}."
        case _:
            return f"Cannot look for rooms over UDP on {interface} ({describe_error(error)})."


def _targets(address: Address, port: int) -> tuple[Target, ...]:
    if address.version == 6:
        return (Target("multicast", (GROUP6, port, 0, address.scope)),)
    targets = [Target("multicast", (GROUP, port)), Target("local multicast", (LOCAL_GROUP, port))]
    if address.broadcast is not None:
        targets.append(Target("broadcast", (address.broadcast, port)))
    return tuple(targets)


def _send(sock: socket.socket, data: bytes, to: SocketAddress) -> OSError | None:
    try:
        sock.sendto(data, to)
    except OSError as error:
        return error
    return None


def _open_sender(address: Address) -> socket.socket:
    family, own = _family(address)
    sender = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sender.setblocking(False)
        if family is socket.AF_INET6:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, address.scope)
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        else:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address.text))
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        sender.bind(own)
    except OSError:
        sender.close()
        raise
    return sender


def _open_receiver(address: Address, port: int) -> socket.socket:
    family, _ = _family(address)
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    try:
        receiver.setblocking(False)
        _share_port(receiver)
        _receive_only_from(receiver, address)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        if family is socket.AF_INET6:
            receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            receiver.bind(("::", port))
            _join_group(receiver, address, GROUP6)
        else:
            receiver.bind(("", port))  # bound to one address it would receive no multicast, except on Windows
            for group in (GROUP, LOCAL_GROUP):
                _join_group(receiver, address, group)
    except OSError:
        receiver.close()
        raise
    return receiver


def _join_group(receiver: socket.socket, address: Address, group: str) -> None:
    try:
        if address.version == 6:
            membership = socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", address.scope)
            receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
        else:
            membership = socket.inet_aton(group) + socket.inet_aton(address.text)
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError as error:  # no multicast on this interface; broadcast may work
        _log.info("%s cannot join %s: %s", address.text, group, error)


def _share_port(sock: socket.socket) -> None:
    """Let every lanchat on this machine listen on the port, whichever user runs it."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # On Linux SO_REUSEPORT would keep other users out, and give each packet to one socket instead of to all.
    if sys.platform != "linux" and hasattr(socket, "SO_REUSEPORT"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _receive_only_from(sock: socket.socket, address: Address) -> None:
    """Receive from this interface alone, where the platform can do that; elsewhere the sender's address tells."""
    if sys.platform != "linux":
        return
    only_own_groups = (socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    if address.version == 6:
        only_own_groups = (socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
    device = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, address.interface.encode() + b"\0")
    for level, option, value in (only_own_groups, device):
        try:
            sock.setsockopt(level, option, value)
        except OSError as error:  # an old kernel: before 5.7, SO_BINDTODEVICE needs root
            _log.debug("option %s: %s", option, error)


def _family(address: Address) -> tuple[socket.AddressFamily, SocketAddress]:
    if address.version == 4:
        return socket.AF_INET, (address.text, 0)
    return socket.AF_INET6, (address.text.partition("%")[0], 0, 0, address.scope)
