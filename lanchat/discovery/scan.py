"""Knocking at every address of our own network: when nothing else sees anything, and a person asks for it.

Never more than the 254 neighbours of each of our addresses, however large the network is: a scan of a
company is an attack. Whoever takes the connection is then asked for the card of its room by the lookout.
"""

import ipaddress
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from lanchat.discovery.sighting import Sighting, Vanished
from lanchat.network.interfaces import kind_of, still
from lanchat.protocol.address import DEFAULT_PORT, Address, Endpoint

WAY = "scan"
AT_ONCE = 50  # connections under way; more, and cheap routers lose some
ANSWER_LIMIT = 0.3  # s; a neighbour answers in a few ms, one that sleeps on Wi-Fi in 200
MORE_ROOMS = 3  # ports after the first that are tried where somebody is at home: rooms of the same machine
LARGEST = 24  # bits; of a larger network we look at this part around us


class Scan:
    """One scan, from now until it is done or closed. 254 addresses take about 2 s.

    Args:
        interfaces: where; None for everywhere but for containers, virtual machines and loopback.
    """

    def __init__(
        self,
        interfaces: Sequence[Address] | None,
        report: Callable[[Sighting | Vanished], None],
        tell: Callable[[str], None],
    ) -> None:
        self._report = report
        self._tell = tell
        self._on = _worth_it(still(interfaces)) if interfaces is None else still(interfaces)
        self._closing = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scan", daemon=True)
        self._thread.start()

    def wait_done(self, timeout: float) -> bool:
        return self._done.wait(timeout)

    def close(self) -> None:
        """Stop, if it is not done. May be called twice."""
        self._closing = True
        self._thread.join()

    def _run(self) -> None:
        targets = list(neighbours(self._on))
        if not targets:
            self._tell("there is no IPv4 network here whose addresses could be tried")
        try:
            for endpoint in self._open(deque(targets)):
                self._report(Sighting(WAY, str(endpoint), "", "", "", (endpoint,), source=endpoint.host))
        finally:
            self._done.set()

    def _open(self, waiting: deque[Endpoint]) -> Iterator[Endpoint]:
        """Those who take a connection."""
        running: dict[socket.socket, tuple[Endpoint, float]] = {}
        with selectors.DefaultSelector() as selector:
            try:
                while (waiting or running) and not self._closing:
                    while waiting and len(running) < AT_ONCE:
                        if (sock := _knock(endpoint := waiting.popleft())) is not None:
                            running[sock] = endpoint, time.monotonic() + ANSWER_LIMIT
                            selector.register(sock, selectors.EVENT_WRITE)
                    ready = {key.fileobj for key, _ in selector.select(ANSWER_LIMIT / 10)}
                    now = time.monotonic()
                    for sock, (endpoint, deadline) in list(running.items()):
                        if sock not in ready and now < deadline:
                            continue
                        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if sock in ready else -1
                        selector.unregister(sock)
                        del running[sock]
                        sock.close()
                        if code == 0:
                            yield endpoint
                        if code >= 0 and endpoint.port == DEFAULT_PORT:  # somebody is at home, even if it said no
                            more = range(DEFAULT_PORT + 1, DEFAULT_PORT + 1 + MORE_ROOMS)
                            waiting.extend(Endpoint(endpoint.host, port) for port in more)
            finally:
                for sock in running:
                    sock.close()


def neighbours(on: Sequence[Address]) -> Iterator[Endpoint]:
    """Every address beside ours, and our own: another room of this machine counts, too. Pure."""
    seen: set[str] = set()
    for address in on:
        if address.version != 4:
            continue  # a link has 2^64 of them
        prefix = max(address.prefix, LARGEST)
        network = ipaddress.ip_interface(f"{address.text}/{prefix}").network
        for ip in network.hosts():
            if str(ip) not in seen:
                seen.add(str(ip))
                yield Endpoint(str(ip), DEFAULT_PORT)


def _worth_it(on: Sequence[Address]) -> list[Address]:
    return [a for a in on if not a.is_loopback and kind_of(a.interface) in ("network", "VPN")]


def _knock(endpoint: Endpoint) -> socket.socket | None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        sock.connect((endpoint.host, endpoint.port))
    except BlockingIOError:
        return sock
    except OSError:  # no way there
        sock.close()
        return None
    return sock
