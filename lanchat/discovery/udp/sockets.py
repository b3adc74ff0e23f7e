"""All the spots of this machine, as interfaces come, go and change. Owned by one thread, but for `wake`."""

import errno
import logging
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from lanchat.discovery.udp.multicast import PORT, Spot, Where, told, usable
from lanchat.network.interfaces import kind_of, still
from lanchat.protocol.address import Address
from lanchat.protocol.limits import TokenBucket

FOLLOW_EVERY = 4.0  # s; a laptop that wakes up or changes its Wi-Fi is back within 10
RETRY_AFTER = 1.0  # s; a new IPv6 address cannot be used at first (RFC 4862, 5.4)
HEAR_ANEW_AFTER = 30.0  # s; see Spot.open_ear
TELL_AFTER = 3.0  # s of failing before it is said, unless it will not pass by itself
MAX_READ = 2048  # bytes; more than any datagram of ours, so that a longer one is known as that
_AT_ONCE = 16  # datagrams of one socket before the others have their turn
_HEARD_RATE, _HEARD_BURST = 1000.0, 2000.0  # datagrams a second, and at once; what a flood brings more is lost
_BREATH = 0.05  # s

_LASTING = {errno.EADDRINUSE, errno.EPERM, errno.EACCES} | ({errno.EHOSTUNREACH} if sys.platform == "darwin" else set())

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Heard:
    """
    Args:
        source: the address it came from, as an endpoint has it; with its scope where it needs one.
        where: to answer to.
        alone: it was for us, not for everybody.
    """

    spot: Spot
    data: bytes
    source: str
    where: Where
    alone: bool


class Spots:
    """
    Args:
        on: where; None for everywhere.
        tell: takes problems, each once.
    """

    def __init__(self, on: Sequence[Address] | None, tell: Callable[[str], None]) -> None:
        self._on = on
        self._tell = tell
        self._told: set[str] = set()
        self._failing: dict[str, float] = {}  # since when nothing goes out of this interface
        self._spots: dict[tuple[Address, int], Spot] = {}
        self._here: list[Address] = []
        self._follow_at = self._renew_at = 0.0
        self._selector = selectors.DefaultSelector()
        self._bell, self._rung = socket.socketpair()
        self._bell.setblocking(False)
        self._rung.setblocking(False)
        self._selector.register(self._rung, selectors.EVENT_READ)
        self._budget = TokenBucket(_HEARD_RATE, _HEARD_BURST, time.monotonic())

    def follow(self, now: float) -> bool:
        """See to it that there is a spot at each of our addresses.

        Returns:
            Whether there are new ones.
        """
        if now < self._follow_at:
            return False
        self._follow_at = now + FOLLOW_EVERY
        self._here = still(self._on)
        wanted = {(address, _index(address)): address for address in self._here if usable(address)}
        for key in self._spots.keys() - wanted.keys():
            self._leave(key)
        fresh = [key for key in wanted if key not in self._spots and self._settle(key, now)]
        if now >= self._renew_at:
            self._renew_at = now + HEAR_ANEW_AFTER
            for key, spot in self._spots.items():
                if key not in fresh:
                    self._hear_anew(spot)
        if not wanted or (self._on is None and all(address.is_loopback for address in wanted.values())):
            self._say("this machine has no network at the moment")
        return bool(fresh)

    def shout(self, data: bytes, now: float) -> None:
        """Say this to everybody on all our networks."""
        for spot in self._spots.values():
            sent = spot.shout(data)
            failures = [error for error in sent.values() if error is not None]
            if len(failures) == len(sent):
                self._failed(spot.address, failures[0], now)
            else:
                self._failing.pop(spot.address.interface, None)
                if failures:
                    _log.debug("at %s: %s", spot.address.text, failures)

    def whisper(self, data: bytes, host: str, port: int = PORT) -> None:
        """Say this to one of our networks' machines, so that its answer comes to us alone."""
        try:
            where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0][4]
        except OSError:
            return
        for spot in self._spots.values():
            if _reaches(spot.address, host):
                spot.send(data, where)

    def hear(self, timeout: float) -> Iterator[Heard]:
        """What was said on our networks by somebody on them; waits for it at most so long."""
        for key, _ in self._selector.select(max(0.0, timeout)):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            if sock is self._rung:
                _drain(sock)
                continue
            spot: Spot = key.data
            for _ in range(_AT_ONCE):
                try:
                    data, where = sock.recvfrom(MAX_READ)
                except BlockingIOError:
                    break
                except OSError as error:  # an earlier packet came back (Windows), or the interface is gone
                    _log.debug("at %s: %s", spot.address.text, error)
                    if error.errno in (errno.ENETDOWN, errno.ENODEV, errno.EBADF):
                        self._leave((spot.address, _index(spot.address)))
                        self._follow_at = 0.0
                    break
                if not self._budget.spare(1, time.monotonic()):
                    time.sleep(_BREATH)
                    break
                source = self._source(where)
                if source is not None:
                    yield Heard(spot, data, source, where, alone=sock is spot.mouth)

    def __iter__(self) -> Iterator[Spot]:
        return iter(list(self._spots.values()))

    def wake(self) -> None:
        """End a wait in `hear`. Any thread."""
        try:
            self._bell.send(b"!")
        except OSError:
            pass  # it is awake, or closed

    def close(self) -> None:
        for key in list(self._spots):
            self._leave(key)
        self._selector.close()
        self._bell.close()
        self._rung.close()

    def _settle(self, key: tuple[Address, int], now: float) -> bool:
        address = key[0]
        try:
            spot = Spot(address)
        except OSError as error:
            self._follow_at = min(self._follow_at, now + RETRY_AFTER)
            self._failed(address, error, now)
            return False
        self._spots[key] = spot
        self._selector.register(spot.mouth, selectors.EVENT_READ, spot)
        self._listen(spot)
        return True

    def _listen(self, spot: Spot) -> None:
        if spot.ear is not None:
            self._selector.register(spot.ear, selectors.EVENT_READ, spot)
        elif spot.deaf is not None and not spot.address.is_loopback:
            self._say(told(spot.deaf, spot.address.interface))

    def _hear_anew(self, spot: Spot) -> None:
        if spot.ear is not None:
            self._selector.unregister(spot.ear)
        spot.open_ear()
        self._listen(spot)

    def _leave(self, key: tuple[Address, int]) -> None:
        spot = self._spots.pop(key, None)
        if spot is None:
            return
        for sock in (spot.mouth, spot.ear):
            if sock is not None:
                self._selector.unregister(sock)
        spot.close()

    def _failed(self, address: Address, error: OSError, now: float) -> None:
        """Say it, if it lasts and is about a network of people: a Docker bridge without containers is no trouble."""
        since = self._failing.setdefault(address.interface, now)
        _log.info("at %s: %s", address.text, error)
        if error.errno in _LASTING or (now - since >= TELL_AFTER and kind_of(address.interface) == "network"):
            self._say(told(error, address.interface))

    def _say(self, problem: str) -> None:
        if problem not in self._told:
            self._told.add(problem)
            self._tell(problem)

    def _source(self, where: Where) -> str | None:
        """Who sent it, with the scope named as our own addresses have it; None: nobody of our networks."""
        host = where[0].partition("%")[0]
        if len(where) == 4 and where[3]:
            scopes = (address.text.partition("%")[2] for address in self._here if address.scope == where[3])
            host = f"{host}%{next(scopes, '')}"
        return host if any(_reaches(address, host) for address in self._here) else None


def _reaches(address: Address, host: str) -> bool:
    """Whether this host is on the network of this address of ours."""
    try:
        ip = ip_address(host)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.is_link_local:
        return ip.scope_id == (address.text.partition("%")[2] or None)
    return ip in address.network


def _index(address: Address) -> int:
    """The number of the interface: an adapter that was pulled and put back has another."""
    try:
        return address.scope or socket.if_nametoindex(address.interface)
    except OSError:
        return 0


def _drain(sock: socket.socket) -> None:
    try:
        while sock.recv(4096):
            pass
    except BlockingIOError:
        pass
