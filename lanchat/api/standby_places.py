"""Tells a room where its owner and its standbys are, as far as the owner's program sees it."""

import ipaddress
import threading
from collections.abc import Callable, Sequence

from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import OWNER_INDEX, Standby
from lanchat.protocol.places import MAX_ADDRESSES, Place, read_places, write_places
from lanchat.server.followers import Volunteer
from lanchat.server.moving import Moving
from lanchat.storage.delegations import Signing


class StandbyPlaces:
    """Belongs to the thread that names.

    Args:
        signing: keeps the places for the owner's next start; used with the lock held.
        nick: of the owner.
        endpoints, pages: where members can join, and what browsers may call our page.
    """

    def __init__(
        self,
        moving: Moving,
        signing: Signing,
        lock: threading.Lock,
        nick: str,
        endpoints: Callable[[], Sequence[Endpoint]],
        pages: Callable[[], tuple[str, ...]],
        own: OwnAddresses,
    ) -> None:
        self._moving, self._signing, self._lock, self._nick = moving, signing, lock, nick
        self._endpoints, self._pages, self._own = endpoints, pages, own
        self._places = {place.index: place for place in read_places(signing.known.places or "[]")}

    def announce(self, able: Sequence[Volunteer], chosen: Sequence[Standby]) -> None:
        owner = Place(OWNER_INDEX, self._moving.standing.owner, self._nick, _texts(self._endpoints()), self._pages())
        places = [owner]
        for standby in chosen:
            for one in able:
                if (one.key, one.instance) == (standby.key, standby.instance):
                    places.append(Place(standby.index, one.key, one.nick, *self._addresses(one)))
        shown = self._moving.standing.places  # without those of a computer that was off the list in between
        changed = [place for place in places if shown.get(place.index) != place]
        self._places.update({place.index: place for place in changed})
        if changed:
            self._moving.name(b"", *changed)
            kept = {OWNER_INDEX, *(standby.index for standby in chosen)}
            with self._lock:
                self._signing.put(write_places(place for place in self._places.values() if place.index in kept))

    def _addresses(self, one: Volunteer) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Where this computer can be reached, and its page. Others reach our own machine at our addresses."""
        hosts = [one.peer]
        if ipaddress.ip_address(one.peer.partition("%")[0]).is_loopback:
            hosts += [address.text for address in self._own.reachable()]
        members, browsers = ([Endpoint(host, port) for host in hosts if port] for port in (one.port, one.web))
        return _texts(members), _texts(browsers)


def _texts(endpoints: Sequence[Endpoint]) -> tuple[str, ...]:
    """These endpoints as a `Place` has them."""
    return tuple(dict.fromkeys(map(str, endpoints)))[:MAX_ADDRESSES]
