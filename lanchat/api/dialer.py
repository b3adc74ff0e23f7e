"""Makes connections to a host: at its known addresses, or where discovery sees it."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable

from lanchat.api.host_check import HostCheck
from lanchat.errors import ConnectionLost, NoSuchRoom
from lanchat.network.addresses import OwnAddresses
from lanchat.network.connect import STOP_WITHIN, dial, peer_of
from lanchat.protocol.address import Endpoint, is_ip
from lanchat.protocol.timing import Timing


class Dialer:
    """Connects to a host: at its known addresses, or where discovery sees the same room with the same key now.

    Before the first connection the room and the key are those of the invite, if there is one.
    `dial` and `look_elsewhere` are called by one thread at a time, `stop` by any.

    Args:
        on: our own addresses on which to look.
        deadline: when to give up, by `time.monotonic()`; None: never. It is for the first connection alone.
        looking: called before the host of an invite is looked for, which takes some seconds.
    """

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        check: HostCheck,
        on: OwnAddresses,
        timing: Timing,
        deadline: float | None = None,
        looking: Callable[[], None] = lambda: None,
    ) -> None:
        self.last = endpoints[0]  # the address of the last connection
        self.moved = False  # whether the host was found by looking for it
        self.deadline = deadline
        self._endpoints = endpoints
        self._check = check
        self._on = on
        self._timing = timing
        self._looking = looking
        self._occupied = False  # another host answered at the last connection
        self._stopped = threading.Event()

    def dial(self) -> socket.socket:
        looked, self._occupied = self._occupied, False
        if looked:
            self._look()
        try:
            sock = self._connect()
        except NoSuchRoom:
            if looked or not self._look():
                raise
            sock = self._connect()
        self.last = peer_of(sock) or self.last
        return sock

    def dial_again(self) -> socket.socket:
        """Make another connection to the address of the last one. Any thread."""
        return dial((self.last,), self._unwanted, self._timing)

    def look_elsewhere(self) -> None:
        """Note that another host answered at the last connection: the next `dial` looks for the right one first."""
        self._occupied = True
        self._endpoints = tuple(sorted(self._endpoints, key=lambda endpoint: endpoint == self.last))

    def stop(self) -> None:
        """Cancel a running dial."""
        self._stopped.set()

    def shared_endpoints(self) -> tuple[Endpoint, ...]:
        """Where others can reach the host, as far as we know: the address of the last connection first."""
        endpoints = (self.last, *self._endpoints)
        if _is_loopback(self.last):  # the host is on this machine
            here = (Endpoint(address.text, self.last.port) for address in self._on.reachable())
            endpoints = (*here, *endpoints)
        outside = [endpoint for endpoint in endpoints if not _is_loopback(endpoint)]
        return tuple(sorted(outside or endpoints, key=lambda endpoint: "%" in endpoint.host))  # hard to type

    def _connect(self) -> socket.socket:
        try:
            return dial(self._endpoints, self._unwanted, self._timing)
        except ConnectionLost:
            if self._stopped.is_set():
                raise
            raise ConnectionLost("The host did not answer in time.") from None

    def _unwanted(self) -> bool:
        return self._stopped.is_set() or (self.deadline is not None and time.monotonic() >= self.deadline)

    def _look(self) -> bool:
        """Look for the host, if it is known which one is meant. `HostCheck` or `SameRoom` checks it again.

        Returns:
            Whether it is seen; its addresses are the known ones then.
        """
        from lanchat.discovery.finder import Finder

        room_id, first = self._check.wanted_room, not self._check.fingerprint
        if not room_id:
            return False
        if first:
            self._looking()
        with Finder(self._on, wanted=room_id) as finder:
            until = time.monotonic() + (self._timing.look_first if first else self._timing.look_again)
            listings = finder.listings()
            while not self._unwanted() and (left := until - time.monotonic()) > 0:
                for listing in listings:
                    if listing.state == "answering" and self._check.is_host(listing):
                        self._endpoints, self.moved = listing.endpoints, True
                        return True
                listings = finder.wait_change(listings, min(left, STOP_WITHIN))
        return False


def _is_loopback(endpoint: Endpoint) -> bool:
    return is_ip(endpoint.host) and ipaddress.ip_address(endpoint.host).is_loopback
