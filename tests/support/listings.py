"""Rooms of a network, as a list of them would have them."""

from lanchat.discovery.sighting import Listing, State
from lanchat.protocol.address import Endpoint


def room(title: str, host: str = "ann", people: int | None = 3, *, password: bool = False) -> Listing:
    state: State = "silent" if people is None else "answering"
    return Listing(title, title, host, people, password, (Endpoint("10.0.0.2", 47474),), ("mdns",), state)
