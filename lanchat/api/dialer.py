"""Makes connections to a host: at its known addresses, or where discovery sees it."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable

from msgspec.structs import replace

from lanchat.api.host_check import HostCheck
from lanchat.errors import ConnectionLost, NoSuchRoom
from lanchat.network.addresses import OwnAddresses
from lanchat.network.connect import STOP_WITHIN, dial, peer_of
from lanchat.protocol.address import DEFAULT_PORT, Endpoint, is_ip
from lanchat.protocol.places import Place
from lanchat.protocol.timing import Timing

_NOWHERE = Endpoint("127.0.0.1", DEFAULT_PORT)  # the address of a host that no other machine can reach
_PATIENT_TRIES = 2  # with the first place alone in front, before the others take their part in being the first


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
        self.last = endpoints[0] if endpoints else _NOWHERE  # the address of the last connection
        self.moved = False  # whether the host was found by looking for it
        self.deadline = deadline
        self._endpoints = endpoints
        self._check = check
        self._on = on
        self._timing = timing
        self._looking = looking
        self._occupied = False  # another host answered at the last connection
        self.local: Callable[[], socket.socket] | None = None  # connects to our own host, while we have one
        self._places: tuple[Place, ...] = ()  # where the room may be, if its host is gone
        self._preferred: int | None = None  # the index of the place where the room is likely now
        self._tries = 0  # since a host has admitted us
        self._stopped = threading.Event()

    def dial(self) -> socket.socket:
        if (local := self.local) is not None:
            return local()
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
        """Make another connection to the host of the last one. Any thread."""
        if (local := self.local) is not None:
            return local()
        return dial((self.last,), self._unwanted, self._timing)

    def look_elsewhere(self) -> None:
        """Note that another host answered at the last connection: the next `dial` looks for the right one first."""
        self._occupied = True
        self._endpoints = tuple(sorted(self._endpoints, key=lambda endpoint: endpoint == self.last))

    def places_changed(self, places: tuple[Place, ...]) -> None:
        """If the host is gone, the room may be at these places, the likeliest first."""
        self._places = places

    def prefer(self, index: int) -> None:
        """Dial the computer with this index first, because the room is likely there now."""
        self._preferred, self._tries = index, 0

    def settled(self) -> None:
        """A host has admitted us: from now on it is at the address of the last connection."""
        if self.local is None:
            here = [place.endpoints for place in self._places if self.last in place.endpoints]
            others = here[0] if here else self._endpoints
            self._endpoints = (self.last, *(endpoint for endpoint in others if endpoint != self.last))
        self._preferred, self._tries = None, 0

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
        candidates, start = self._candidates(), max(0, self._tries - _PATIENT_TRIES)
        self._tries += 1
        timing = self._timing if len(candidates) < 2 else replace(self._timing, connect=self._timing.next_place)
        for number in range(len(candidates)):
            endpoints = candidates[(start + number) % len(candidates)]
            try:
                return dial(endpoints, self._unwanted, timing)
            except ConnectionLost:
                if self._stopped.is_set():
                    raise
                if number == len(candidates) - 1:
                    raise ConnectionLost("The host did not answer in time.") from None
            except NoSuchRoom:
                if number == len(candidates) - 1:
                    raise
        raise ConnectionLost("The host did not answer in time.")

    def _candidates(self) -> list[tuple[Endpoint, ...]]:
        """Where to look, one computer after the other: where it is now, as far as we know, where it was, all others."""
        places = {place.index: place.endpoints for place in self._places}
        first = places.get(self._preferred, ()) if self._preferred is not None else ()
        rest = list(places.values())
        found = dict.fromkeys(endpoints for endpoints in [first, self._endpoints, *rest] if endpoints)
        return list(found)

    def _unwanted(self) -> bool:
        return self._stopped.is_set() or (self.deadline is not None and time.monotonic() >= self.deadline)

    def _look(self) -> bool:
        """Look for the host, if it is known which one is meant. `HostCheck` or `SameRoom` checks it again.

        Returns:
            Whether it is seen; its addresses are the known ones then.
        """
        from lanchat.discovery.finder import Finder

        room_id, first = self._check.wanted_room, not self._check.fingerprint
        if not room_id or self._unwanted():  # a member that leaves does not have to wait for a search
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
