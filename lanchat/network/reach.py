"""Which of this machine's addresses others can use, in which order they are told, and what to say of a change. Pure.

The kind of an interface decides, and not the order of the system: a container bridge or a VPN that was there before the
Wi-Fi is of no use to the people around.
"""

from collections.abc import Collection, Mapping, Sequence

from lanchat.protocol.address import Address, InterfaceKind
from lanchat.protocol.text import argument

# Whom an address of such an interface leads to: everybody around, those in the same VPN, or this machine alone.
_CIRCLE: dict[InterfaceKind, int] = {
    "network": 0,
    "VPN": 1,
    "device link": 3,
    "virtual machine": 3,
    "container": 3,
    "loopback": 4,
}
_OUTSIDE = 2  # circles from here on end inside this machine; a link-local address of a network is the last before


def ordered(addresses: Sequence[Address]) -> list[Address]:
    """The addresses that most people can use first: networks, VPNs, link-local addresses, bridges inside this machine,
    loopback. IPv4 stands before IPv6, because it is easier to type."""
    return sorted(addresses, key=lambda a: (_circle(a), a.is_link_local, a.version))


def reachable(addresses: Sequence[Address], *, chosen: bool = False) -> list[Address]:
    """The addresses to tell others, in this order; none if no other machine can reach this one.

    An IPv6 link-local address is told only where its interface has no other, because it cannot be typed on every
    system, and one that leads nowhere outside this machine only where it was chosen or there is nothing else.

    Args:
        chosen: whether a person has chosen these addresses, loopback perhaps among them.
    """
    with_others = {address.interface for address in addresses if not address.needs_scope}
    useful = [a for a in ordered(addresses) if not a.needs_scope or a.interface not in with_others]
    outside = [address for address in useful if _circle(address) <= _OUTSIDE]
    elsewhere = [address for address in useful if not address.is_loopback]
    return elsewhere or useful if chosen else outside or elsewhere


def choose(addresses: Sequence[Address], wanted: Mapping[str, str]) -> list[Address]:
    """The addresses of the interfaces that a person chose, as they are now, in the same order.

    Args:
        wanted: what the person typed, a name or an address, with the interface that this meant then. An interface that
            has lost all its chosen addresses counts with those that it has now.
    """
    found = {address for address in addresses for word in wanted if is_named(address, word)}
    lost = set(wanted.values()) - {address.interface for address in found}
    return [address for address in addresses if address in found or address.interface in lost]


def is_named(address: Address, word: str) -> bool:
    """Whether a person means this address: by the name of its interface, or by the address with or without scope."""
    return word in (address.interface, address.text, address.text.partition("%")[0])


class ReachStory:
    """What to tell the person who hosts while the way to the room changes. A change that passes within seconds, as with
    a new lease, is not worth a word.

    Args:
        address: where others can join, as the person has been told; empty: nowhere.
        trouble: why nobody can, as the person has been told.
        settled: s that something lasts before it is told.
    """

    def __init__(self, address: str, trouble: str, settled: float) -> None:
        self._settled = settled
        self._address = address
        self._trouble = trouble
        self._deaf: set[str] = set()  # the addresses of which it was told that nobody can join there
        self._since: dict[str, float] = {}

    def look(self, addresses: Collection[str], trouble: str, deaf: Mapping[str, str], now: float) -> list[str]:
        """The sentences to tell now.

        Args:
            addresses: where others can join now, the best first.
            trouble: why nobody can.
            deaf: our addresses at which nobody can join, and why.
        """
        address = next(iter(addresses), "")
        waiting = {f"deaf: {at}": at for at in deaf}
        self._since = {fact: self._since.get(fact, now) for fact in (address, trouble, *waiting)}
        said = [f"Others can join at {at} now." for at in sorted(self._deaf) if at in addresses]
        self._deaf &= deaf.keys()
        for fact, at in waiting.items():
            if at not in self._deaf and self._lasts(fact, now):
                self._deaf.add(at)
                said.append(f"Nobody can join at {at} ({deaf[at]}). lanchat keeps trying.")
        return said + self._change(address, trouble, now)

    def _change(self, address: str, trouble: str, now: float) -> list[str]:
        if trouble:
            if self._trouble or not self._lasts(trouble, now):
                return []
            self._trouble = trouble
            return [unreachable_text(trouble)]
        if not address or not self._lasts(address, now) or (address == self._address and not self._trouble):
            return []
        what = "Others can join now:" if self._trouble else "This machine has a new address. Others join with:"
        self._address, self._trouble = address, ""
        return [f"{what} lanchat join {argument(address)}"]

    def _lasts(self, fact: str, now: float) -> bool:
        return now - self._since[fact] >= self._settled


def unreachable_text(trouble: str) -> str:
    """For a host's person.

    Args:
        trouble: see `OwnAddresses.trouble`.
    """
    return f"{trouble} Others cannot join until it has one."


def _circle(address: Address) -> int:
    circle = _CIRCLE[address.kind] if not address.is_loopback else _CIRCLE["loopback"]
    return _OUTSIDE if address.is_link_local and circle < _OUTSIDE else circle
