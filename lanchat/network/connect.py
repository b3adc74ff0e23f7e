"""Connects to a host by its addresses. A slow one does not delay the next for long (RFC 8305, happy eyeballs)."""

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lanchat.errors import ConnectionLost, NoSuchRoom
from lanchat.network.addresses import OwnAddresses
from lanchat.network.sockets import numeric
from lanchat.protocol.address import Endpoint, is_ip, lacks_scope
from lanchat.protocol.timing import DEFAULT_TIMING, Timing

MAX_TARGETS = 16  # addresses in all, after names are looked up
STOP_WITHIN = 0.25  # s within which a running dial notices that it was stopped


def has_machine(endpoint: Endpoint) -> bool:
    """Whether a machine with this name exists. Asks the DNS of this network, and takes as long as that does."""
    if endpoint.host.replace(".", "").isdigit() and not is_ip(endpoint.host):
        return False  # "2.0" means 2.0.0.0 to the system, but not to a person
    return bool(_targets((endpoint,), {}))


def dial(
    endpoints: tuple[Endpoint, ...], stopped: Callable[[], bool] = lambda: False, timing: Timing = DEFAULT_TIMING
) -> socket.socket:
    """Connect to the first of these endpoints that answers. The socket has `timing.connect` as its timeout.

    Args:
        endpoints: the likely fastest first.
        stopped: whether the connection is no longer wanted. Asked every STOP_WITHIN, except during a name lookup.

    Raises:
        NoSuchRoom: none of them answers; the text says why the last one does not.
        ConnectionLost: it was stopped.
    """
    endpoints = tuple(scoped for endpoint in endpoints for scoped in _with_scopes(endpoint))
    failures: dict[Endpoint, OSError | ValueError] = {}
    with _Race(_targets(endpoints, failures), failures, stopped, timing) as race:
        winner = race.run()
    if winner is not None:
        return winner
    if stopped():
        raise ConnectionLost("You have left.")
    if not failures:
        raise NoSuchRoom("The room has no address.")
    last = [endpoint for endpoint in endpoints if endpoint in failures][-1]
    raise _explained(last, failures[last]) from failures[last]


def begin_connect(endpoint: Endpoint) -> socket.socket:
    """Start a TCP connection to an IP address, without waiting.

    The socket becomes writable when the connection is made or has failed; `finish_connect` says which.

    Raises:
        OSError: it failed at once, or the host is a name, which is not looked up.
    """
    try:
        host = numeric(endpoint.host)
        found = socket.getaddrinfo(host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except UnicodeError:
        raise OSError(errno.EINVAL, "this is no address") from None
    family, _, _, _, where = found[0]
    return _begin(family, where)


def finish_connect(sock: socket.socket) -> None:
    """Check a connection that was begun, once its socket is writable.

    Raises:
        OSError: it failed. ConnectionRefusedError: the machine is there, but nothing listens at this port.
    """
    if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(code, os.strerror(code))


def peer_of(sock: socket.socket) -> Endpoint | None:
    """The address at the other end of a connection; None: it has none."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        host, port, *_ = socket.getnameinfo(sock.getpeername(), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
    except OSError:
        return None
    return Endpoint(host.removeprefix("::ffff:"), int(port))


@dataclass(frozen=True)
class _Target:
    endpoint: Endpoint
    family: int
    where: tuple[Any, ...]


class _Race:
    """Connections to several addresses under way at once. Leaving it closes all but the winner."""

    def __init__(
        self,
        targets: list[_Target],
        failures: dict[Endpoint, OSError | ValueError],
        stopped: Callable[[], bool],
        timing: Timing,
    ) -> None:
        self._timing = timing
        self._waiting = deque(targets)
        self._failures = failures
        self._stopped = stopped
        self._running: dict[socket.socket, tuple[_Target, float]] = {}  # with its deadline
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> "_Race":
        return self

    def __exit__(self, *exception: object) -> None:
        self._selector.close()
        for sock in self._running:
            sock.close()

    def run(self) -> socket.socket | None:
        """The first connection; None: there is none."""
        next_at = time.monotonic()
        while (self._waiting or self._running) and not self._stopped():
            now = time.monotonic()
            if self._waiting and (now >= next_at or not self._running):
                next_at = now + self._timing.next_address
                self._start(self._waiting.popleft(), now)
                continue
            soon = now + STOP_WITHIN
            if (winner := self._wait(min(next_at, soon) if self._waiting else soon)) is not None:
                return winner
        return None

    def _start(self, target: _Target, now: float) -> None:
        try:
            sock = _begin(target.family, target.where)
        except OSError as error:  # for example, this machine has no IPv6
            self._failures[target.endpoint] = error
            return
        self._running[sock] = target, now + self._timing.connect
        self._selector.register(sock, selectors.EVENT_WRITE)

    def _wait(self, until: float) -> socket.socket | None:
        until = min([until, *(deadline for _, deadline in self._running.values())])
        for key, _ in self._selector.select(max(0.0, until - time.monotonic())):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            self._selector.unregister(sock)
            try:
                finish_connect(sock)
            except OSError as error:
                self._lost(sock, error)
            else:
                return self._won(sock)
        now = time.monotonic()
        for sock in [sock for sock, (_, deadline) in self._running.items() if now >= deadline]:
            self._selector.unregister(sock)
            self._lost(sock, TimeoutError("timed out"))
        return None

    def _won(self, sock: socket.socket) -> socket.socket:
        del self._running[sock]
        sock.settimeout(self._timing.connect)
        return sock

    def _lost(self, sock: socket.socket, error: OSError) -> None:
        target, _ = self._running.pop(sock)
        self._failures[target.endpoint] = error
        sock.close()


def _begin(family: int, where: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    code = sock.connect_ex(where)
    if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
        sock.close()
        raise OSError(code, os.strerror(code))
    return sock


def _targets(endpoints: tuple[Endpoint, ...], failures: dict[Endpoint, OSError | ValueError]) -> list[_Target]:
    """All addresses of these endpoints, in the same order. Names are looked up."""
    targets: dict[_Target, None] = {}
    for endpoint in endpoints:
        try:
            found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:  # ValueError: a name that no machine can have (IDNA, a NUL)
            failures[endpoint] = error
            continue
        targets |= {_Target(endpoint, family, where): None for family, _, _, _, where in found}
    return list(targets)[:MAX_TARGETS]


def _with_scopes(endpoint: Endpoint) -> list[Endpoint]:
    """The endpoint; for a link-local IPv6 address without a scope, as in an invite, one on each interface of ours."""
    if not lacks_scope(endpoint.host):
        return [endpoint]
    own = [address.text.partition("%")[2] for address in OwnAddresses().now() if address.needs_scope]
    return [Endpoint(f"{endpoint.host}%{scope}", endpoint.port) for scope in own] or [endpoint]


def _explained(endpoint: Endpoint, error: OSError | ValueError) -> NoSuchRoom:
    match error:
        case ConnectionRefusedError():
            return NoSuchRoom(
                f"There is no room at {endpoint}.", "Ask the host for the address that is on their screen."
            )
        case socket.gaierror() | ValueError():
            return NoSuchRoom(
                f'Cannot find a machine called "{endpoint.host}".', "Use the address that is on the host's screen."
            )
        case _:
            return NoSuchRoom(
                f"{endpoint} does not answer ({(error.strerror or str(error)).lower()}).",
                "Check that you are on the same network, and that no firewall is in the way.",
            )
