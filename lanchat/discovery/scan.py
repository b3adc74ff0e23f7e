"""A scan tries every address of our own networks: only when a person asks for it, because nothing else finds a room.

It never tries more than the 254 neighbours of each of our addresses, however large the network is: scanning a whole
company would be an attack. Every machine that accepts the connection is then probed by the finder.
"""

import ipaddress
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence

from lanchat.discovery.sighting import OnProblem, Report, Sighting
from lanchat.network.addresses import OwnAddresses
from lanchat.network.connect import begin_connect, finish_connect
from lanchat.protocol.address import DEFAULT_PORT, Address, Endpoint
from lanchat.threads import Closable

VIA_SCAN = "scan"
AT_ONCE = 50  # connections being made; with more, cheap routers lose some
ANSWER_LIMIT = 0.3  # s; a neighbour answers in a few ms, one that sleeps on Wi-Fi in 200
MORE_ROOMS = 3  # ports after the first that are tried on a machine that answers, for more rooms there
LARGEST = 24  # bits of prefix; of a larger network only the part around our address is scanned


class Scan(Closable):
    """One scan, from now until it is done or closed. 254 addresses take about 2 s.

    Args:
        on: our own addresses whose networks are scanned; without a choice not those of containers, virtual machines
            and loopback.
        report: called from the scan's thread.
        on_problem: called from the scan's thread.

    Raises:
        RuntimeError: this process has no thread left.
    """

    def __init__(self, on: OwnAddresses, report: Report, on_problem: OnProblem) -> None:
        self._report = report
        self._on_problem = on_problem
        self._own = on.now() if on.chosen else _outside_this_machine(on.now())
        self._closing = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scan", daemon=True)
        self._thread.start()

    def wait_done(self, timeout: float) -> bool:
        return self._done.wait(timeout)

    def close(self) -> None:
        """Stop, unless it is done. May be called twice."""
        self._closing = True
        self._thread.join()

    def _run(self) -> None:
        targets = list(neighbours(self._own))
        if not targets:
            self._on_problem("There is no IPv4 network here whose addresses could be tried.")
        try:
            for endpoint in self._accepting(deque(targets)):
                self._report(Sighting(VIA_SCAN, str(endpoint), "", "", "", (endpoint,), machine=endpoint.host))
        finally:
            self._done.set()

    def _accepting(self, waiting: deque[Endpoint]) -> Iterator[Endpoint]:
        """The endpoints that accept a connection."""
        running: dict[socket.socket, tuple[Endpoint, float]] = {}  # with the deadline
        with selectors.DefaultSelector() as selector:
            try:
                while (waiting or running) and not self._closing:
                    while waiting and len(running) < AT_ONCE:
                        endpoint = waiting.popleft()
                        try:
                            sock = begin_connect(endpoint)
                        except OSError:  # no route there
                            continue
                        running[sock] = endpoint, time.monotonic() + ANSWER_LIMIT
                        selector.register(sock, selectors.EVENT_WRITE)
                    ready = {key.fileobj for key, _ in selector.select(ANSWER_LIMIT / 10)}
                    now = time.monotonic()
                    for sock, (endpoint, deadline) in list(running.items()):
                        if sock not in ready and now < deadline:
                            continue
                        selector.unregister(sock)
                        del running[sock]
                        answered = sock in ready
                        accepted = answered and _is_connected(sock)
                        sock.close()
                        if accepted:
                            yield endpoint
                        if answered and endpoint.port == DEFAULT_PORT:  # a machine is there, even if it refused
                            more = range(DEFAULT_PORT + 1, DEFAULT_PORT + 1 + MORE_ROOMS)
                            waiting.extend(Endpoint(endpoint.host, port) for port in more)
            finally:
                for sock in running:
                    sock.close()


def neighbours(own: Sequence[Address]) -> Iterator[Endpoint]:
    """Every address around ours, and ours as well, because this machine may host a room. Pure."""
    seen: set[str] = set()
    for address in own:
        if address.version != 4:
            continue  # an IPv6 link has 2^64 addresses
        prefix = max(address.prefix, LARGEST)
        network = ipaddress.ip_interface(f"{address.text}/{prefix}").network
        for ip in network.hosts():
            if str(ip) not in seen:
                seen.add(str(ip))
                yield Endpoint(str(ip), DEFAULT_PORT)


def _outside_this_machine(own: Sequence[Address]) -> list[Address]:
    """Our addresses on networks that reach other machines: not those of containers, virtual machines and loopback."""
    return [address for address in own if address.kind in ("network", "VPN")]


def _is_connected(sock: socket.socket) -> bool:
    try:
        finish_connect(sock)
    except OSError:
        return False
    return True
