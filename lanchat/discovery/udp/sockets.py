"""The multicast sockets of all addresses of this machine, as interfaces come, go and change."""

import errno
import logging
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from lanchat.discovery.sighting import OnProblem
from lanchat.discovery.udp.multicast import PORT, MulticastSocket, SocketAddress, is_usable, multicast_problem
from lanchat.network.addresses import OwnAddresses
from lanchat.network.sockets import numeric
from lanchat.protocol.address import Address
from lanchat.protocol.limits import TokenBucket
from lanchat.protocol.timing import DEFAULT_TIMING
from lanchat.threads import Closable, Wakeup

FOLLOW_EVERY = DEFAULT_TIMING.own_addresses  # s; then also what could not be opened is tried again
REJOIN_EVERY = 30.0  # s; see MulticastSocket.open_receiver
REPORT_AFTER = 3.0  # s of failures before they are reported, unless they will not pass by themselves
MAX_READ = 2048  # bytes; more than any datagram of lanchat has, so that a longer one is recognised
_AT_ONCE = 16  # datagrams from one socket before the next socket is read
_RECEIVE_RATE, _RECEIVE_BURST = 1000.0, 2000.0  # datagrams a second, and at once; what a flood sends beyond is lost
_FLOOD_PAUSE = 0.05  # s

_LASTING = {errno.EADDRINUSE, errno.EPERM, errno.EACCES} | ({errno.EHOSTUNREACH} if sys.platform == "darwin" else set())

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Received:
    """One datagram.

    Args:
        socket: the one that received it, to reply from.
        sender: the IP address it came from; with its scope if it needs one.
        reply_to: where an answer goes.
    """

    socket: MulticastSocket
    data: bytes
    sender: str
    reply_to: SocketAddress


class MulticastSockets(Closable):
    """Opens and closes multicast sockets so that there is one for each of our addresses. One thread, except for `wake`.

    Args:
        on: our own addresses to use.
        on_problem: called with each problem once, and with "" when all of them are over.
        port: the one that everybody listens on.

    Raises:
        OSError: this process has no file descriptors left.
    """

    def __init__(self, on: OwnAddresses, on_problem: OnProblem, port: int = PORT) -> None:
        self._wakeup = Wakeup()
        self._on = on
        self._on_problem = on_problem
        self._port = port
        self._reported: dict[str, str] = {}  # the interface, by the problem
        self._failing: dict[str, float] = {}  # since when nothing can be sent, by interface
        self._sockets: dict[tuple[Address, int], MulticastSocket] = {}
        self._own: list[Address] = []
        self._follow_at = self._rejoin_at = 0.0
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        self._budget = TokenBucket(_RECEIVE_RATE, _RECEIVE_BURST, time.monotonic())

    def follow_addresses(self, now: float) -> bool:
        """Open and close sockets so that there is one for each of our addresses; does nothing most of the time.

        Returns:
            Whether there are new ones.
        """
        if now < self._follow_at:
            return False
        self._follow_at = now + FOLLOW_EVERY
        self._own = self._on.now()
        wanted = {(address, _interface_index(address)): address for address in self._own if is_usable(address)}
        for key in self._sockets.keys() - wanted.keys():
            self._close(key)
        opened = [key for key in wanted if key not in self._sockets and self._open(key, now)]
        if now >= self._rejoin_at:
            self._rejoin_at = now + REJOIN_EVERY
            for key, multicast in self._sockets.items():
                if key not in opened:
                    self._rejoin(multicast)
        return bool(opened)

    def broadcast(self, data: bytes, now: float) -> None:
        """Send to everybody on all our networks."""
        working: set[str] = set()
        for multicast in self._sockets.values():
            sent = multicast.broadcast(data)
            failures = [error for error in sent.values() if error is not None]
            if len(failures) == len(sent):
                self._failed(multicast.address, failures[0], now)
                continue
            self._failing.pop(multicast.address.interface, None)
            if multicast.receiver is not None and (self._on.chosen or not multicast.address.is_loopback):
                working.add(multicast.address.interface)
            if failures:
                _log.debug("at %s: %s", multicast.address.text, failures)
        if working and self._reported:
            self._take_back(working)

    def unicast(self, data: bytes, host: str) -> None:
        """Send to one machine on our networks, so that its answer comes to this program alone."""
        try:
            info = socket.getaddrinfo(numeric(host), self._port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            return
        for multicast in self._sockets.values():
            if _reaches(multicast.address, host):
                multicast.send(data, info[0][4])

    def receive(self, timeout: float) -> Iterator[Received]:
        """What machines on our networks have sent; waits for it, at most `timeout` seconds or until `wake`."""
        for key, _ in self._selector.select(max(0.0, timeout)):
            sock = key.fileobj
            if sock is self._wakeup:
                self._wakeup.drain()
                continue
            assert isinstance(sock, socket.socket)
            multicast: MulticastSocket = key.data
            for _ in range(_AT_ONCE):
                try:
                    data, reply_to = sock.recvfrom(MAX_READ)
                except BlockingIOError:
                    break
                except OSError as error:  # an earlier datagram came back (Windows), or the interface is gone
                    _log.debug("at %s: %s", multicast.address.text, error)
                    if error.errno in (errno.ENETDOWN, errno.ENODEV, errno.EBADF):
                        self._close((multicast.address, _interface_index(multicast.address)))
                        self._follow_at = 0.0
                    break
                if not self._budget.spare(1, time.monotonic()):
                    time.sleep(_FLOOD_PAUSE)
                    break
                sender = self._sender(reply_to)
                if sender is not None:
                    yield Received(multicast, data, sender, reply_to)

    def wake(self) -> None:
        """End a wait in `receive`. Any thread, also after `close`."""
        self._wakeup.set()

    def close(self) -> None:
        for key in list(self._sockets):
            self._close(key)
        self._selector.close()
        self._wakeup.close()

    def _open(self, key: tuple[Address, int], now: float) -> bool:
        address = key[0]
        try:
            multicast = MulticastSocket(address, self._port)
        except OSError as error:
            self._failed(address, error, now)
            return False
        self._sockets[key] = multicast
        self._selector.register(multicast.sender, selectors.EVENT_READ, multicast)
        self._register_receiver(multicast)
        return True

    def _register_receiver(self, multicast: MulticastSocket) -> None:
        if multicast.receiver is not None:
            self._selector.register(multicast.receiver, selectors.EVENT_READ, multicast)
        elif multicast.receive_error is not None and not multicast.address.is_loopback:
            self._report(multicast.receive_error, multicast.address.interface)

    def _rejoin(self, multicast: MulticastSocket) -> None:
        if multicast.receiver is not None:
            self._selector.unregister(multicast.receiver)
        multicast.open_receiver()
        self._register_receiver(multicast)

    def _close(self, key: tuple[Address, int]) -> None:
        multicast = self._sockets.pop(key, None)
        if multicast is None:
            return
        for sock in (multicast.sender, multicast.receiver):
            if sock is not None:
                self._selector.unregister(sock)
        multicast.close()

    def _failed(self, address: Address, error: OSError, now: float) -> None:
        """Report a failure that lasts, on a network of people: on a Docker bridge without containers it is normal."""
        since = self._failing.setdefault(address.interface, now)
        _log.info("at %s: %s", address.text, error)
        if error.errno in _LASTING or (now - since >= REPORT_AFTER and address.kind == "network"):
            self._report(error, address.interface)

    def _report(self, error: OSError, interface: str) -> None:
        problem = multicast_problem(error, interface, self._port)
        if problem not in self._reported:
            self._reported[problem] = interface
            self._on_problem(problem)

    def _take_back(self, working: set[str]) -> None:
        """Drop the problems of these interfaces, and those of interfaces that are gone."""
        present = {address.interface for address in self._own}
        self._reported = {
            problem: interface
            for problem, interface in self._reported.items()
            if interface in present and interface not in working
        }
        if not self._reported:
            self._on_problem("")

    def _sender(self, address: SocketAddress) -> str | None:
        """The sender's IP address, its scope written as in our own addresses; None if it is not on our networks."""
        host = address[0].partition("%")[0]
        if len(address) == 4 and address[3]:
            scopes = (own.text.partition("%")[2] for own in self._own if own.scope == address[3])
            host = f"{host}%{next(scopes, '')}"
        return host if any(_reaches(own, host) for own in self._own) else None


def _reaches(own: Address, host: str) -> bool:
    """Whether this host is on the network of this one of our addresses."""
    try:
        ip = ip_address(host)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.is_link_local:
        return ip.scope_id == (own.text.partition("%")[2] or None)
    return ip in own.network


def _interface_index(address: Address) -> int:
    """The number of the interface: an adapter that was unplugged and plugged in again has a new one."""
    try:
        return address.scope or socket.if_nametoindex(address.interface)
    except OSError:
        return 0
