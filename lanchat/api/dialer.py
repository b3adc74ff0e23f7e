"""Makes connections to a host: at its known addresses, or where discovery sees it."""

import socket
import threading
import time
from collections.abc import Sequence

from lanchat.api.host_check import HostCheck
from lanchat.errors import ConnectionLost, NoSuchRoom
from lanchat.network.connect import STOP_WITHIN, dial, peer_of
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.timing import Timing


class Dialer:
    """Connects to a host: at its known addresses, or where discovery sees the same room with the same key now.

    `dial` and `look_elsewhere` are called by one thread at a time, `stop` by any.

    Args:
        deadline: when to give up, by `time.monotonic()`; None: never. It is for the first connection alone.
    """

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        check: HostCheck,
        on: Sequence[Address] | None,
        timing: Timing,
        deadline: float | None = None,
    ) -> None:
        self.last = endpoints[0]  # the address of the last connection
        self.deadline = deadline
        self._endpoints = endpoints
        self._check = check
        self._on = on
        self._timing = timing
        self._occupied = False  # another host answered at the last connection
        self._stopped = threading.Event()

    def dial(self) -> socket.socket:
        found = self._look() if self._occupied else ()
        self._occupied = False
        try:
            sock = self._connect(found or self._endpoints)
        except NoSuchRoom:
            found = self._look() if self._check.room_id and not found else ()
            if not found:
                raise
            sock = self._connect(found)
        self.last = peer_of(sock) or self.last
        return sock

    def look_elsewhere(self) -> None:
        """Note that another host answered at the last connection: the next `dial` looks for the right one first."""
        self._occupied = True
        self._endpoints = tuple(sorted(self._endpoints, key=lambda endpoint: endpoint == self.last))

    def stop(self) -> None:
        """Cancel a running dial."""
        self._stopped.set()

    def _connect(self, endpoints: tuple[Endpoint, ...]) -> socket.socket:
        try:
            return dial(endpoints, self._unwanted, self._timing)
        except ConnectionLost:
            if self._stopped.is_set():
                raise
            raise ConnectionLost("The host did not answer in time.") from None

    def _unwanted(self) -> bool:
        return self._stopped.is_set() or (self.deadline is not None and time.monotonic() >= self.deadline)

    def _look(self) -> tuple[Endpoint, ...]:
        """The addresses at which discovery sees the room with its key. `HostCheck` or `SameRoom` checks them again."""
        from lanchat.discovery.finder import Finder

        with Finder(self._on) as finder:
            deadline = time.monotonic() + self._timing.look_again
            listings = finder.listings()
            while not self._stopped.is_set() and (left := deadline - time.monotonic()) > 0:
                for listing in listings:
                    if listing.state == "answering" and self._check.is_host(listing):
                        return listing.endpoints
                listings = finder.wait_change(listings, min(left, STOP_WITHIN))
        return ()
