"""Which other machines run lanchat. A machine is listed once, even if several checks have found it. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from lanchat.discovery.sighting import Listing
from lanchat.discovery.udp.flood_guard import VIA_ANNOUNCE
from lanchat.doctor.report import Node


class NodeTable:
    """Collects what is known of each machine. One with several addresses is known by the first that was added.

    Args:
        own: the addresses of this machine, which are left out.
    """

    def __init__(self, own: Collection[str]) -> None:
        self._own = own
        self._nodes: dict[str, Node] = {}  # by the address that a machine is known by
        self._known_by: dict[str, str] = {}  # that address, by each address of the machine

    def add_listing(self, listing: Listing) -> None:
        """A room of the list. All its addresses are taken for one machine."""
        endpoints = [endpoint for endpoint in listing.endpoints if endpoint.host not in self._own]
        if not endpoints:
            return
        node = self._node([endpoint.host for endpoint in endpoints], at=str(endpoints[0]))
        self._nodes[node.address] = replace(
            node,
            rooms=tuple(dict.fromkeys((*node.rooms, listing.title))),
            via=tuple(sorted({*node.via, *listing.via})),
            reached=node.reached or listing.state == "answering",
        )

    def add_answer(self, host: str, hears: Iterable[str], titles: Iterable[str]) -> None:
        """A host that answered our questions over UDP.

        Args:
            hears: which of our questions it answered: "multicast", "broadcast", ...
            titles: of the rooms in its answers.
        """
        if host in self._own:
            return
        node = self._node([host], at=host, rooms=tuple(sorted(titles)))
        self._nodes[node.address] = replace(
            node,
            via=tuple(sorted({*node.via, VIA_ANNOUNCE})),
            hears=tuple(sorted({*node.hears, *hears})),
        )

    def add_room(self, host: str, at: str, title: str, via: str) -> None:
        """A room that answered at an address that was tried. It adds nothing to a machine that is known already."""
        if host not in self._own and host not in self._known_by:
            node = self._node([host], at=at, rooms=(title,))
            self._nodes[node.address] = replace(node, via=(via,), reached=True)

    def nodes(self) -> list[Node]:
        return list(self._nodes.values())

    def _node(self, hosts: Sequence[str], *, at: str, rooms: tuple[str, ...] = ()) -> Node:
        """The machine with these addresses, as it is known already, or a new one."""
        address = next((self._known_by[host] for host in hosts if host in self._known_by), hosts[0])
        for host in hosts:
            self._known_by.setdefault(host, address)
        return self._nodes.get(address, Node(address, at, rooms))
