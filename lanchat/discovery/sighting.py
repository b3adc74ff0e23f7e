"""What was seen of a room, and the row that people read. Pure.

A way of looking (mDNS, UDP announce, remembered rooms, ...) reports `Sighting` and `Vanished`;
the directory makes one `Listing` for each room of all that was reported. Nothing here is trusted:
a sighting is a stranger's word for where to knock.
"""

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.text import MAX_TITLE, clean_title, nick_from, safe_text

LOWEST_PORT = 1024  # below are the system's own services; a room never listens there
_LONGEST_READ = 256  # characters of a stranger's title that are looked at; a card holds no more

State = Literal["answering", "silent"]


@dataclass(frozen=True)
class Advertisement:
    """What a host tells about its room, by whatever way."""

    room_id: str
    title: str
    host: str  # the nick of who hosts
    port: int
    fingerprint: str = ""  # of the host's key: a hint


@dataclass(frozen=True)
class Sighting:
    """One discovery answer.

    Args:
        way: by which it came: "mdns", "announce", ...
        name: tells it from others of its way; a later one with the same name takes its place.
        room_id: empty for a mere place to try: whatever room answers there is meant.
        source: the machine it speaks for, so that no machine fills the list.
        joined: this person was in a room there before; no stranger said so.
    """

    way: str
    name: str
    room_id: str
    title: str
    host: str
    endpoints: tuple[Endpoint, ...]
    fingerprint: str = ""
    source: str = ""
    joined: bool = False


@dataclass(frozen=True)
class Vanished:
    """Whatever was seen under this name says goodbye, or somebody says so in its place."""

    way: str
    name: str


@dataclass(frozen=True)
class Listing:
    """One room as people see it in the list. All text in it is safe to show.

    Args:
        people: None while the host has never answered.
        endpoints: where to knock, those that answer first.
        fingerprint: of the key that the host showed; before it answered, what the sighting claimed.
        standing: "known", "new" or "changed": how that key stands to what we know of the room; "" before it answered.
    """

    room_id: str
    title: str
    host: str
    people: int | None
    locked: bool
    endpoints: tuple[Endpoint, ...]
    ways: tuple[str, ...]
    state: State
    fingerprint: str = ""
    key_status: str = ""

    def as_json(self) -> str:
        """The line of `lanchat rooms --json`. All ASCII: a pipe may have any encoding."""
        return json.dumps(
            {
                "id": self.room_id,
                "title": self.title,
                "host": self.host,
                "people": self.people,
                "locked": self.locked,
                "state": self.state,
                "addresses": [str(endpoint) for endpoint in self.endpoints],
                "ways": self.ways,
                "fingerprint": self.fingerprint,
                "standing": self.key_status,
            }
        )


def shown_title(text: str) -> str:
    """A title from a stranger as it may be shown: one that breaks the rules is made safe and cut."""
    try:
        return clean_title(text)
    except ValueError:
        return safe_text(text[:_LONGEST_READ])[:MAX_TITLE].strip() or "(no title)"


def shown_nick(text: str) -> str:
    """A nick from a stranger as it may be shown; empty where none was given."""
    return nick_from(text) if text else ""


def may_dial(endpoint: Endpoint, on: Iterable[Address], *, joined: bool = False) -> bool:
    """Whether we knock at an address that a stranger named. Else a sighting could make us knock anywhere.

    Args:
        on: our addresses on the networks we look at. Loopback is one of them, or it is not dialled.
        joined: nobody else named it: this person was in a room there. Then it may also be behind a router of the
            site (an address the internet has no way to); never out in the internet, where a list that is merely
            shown would tell others who looks at it, and from where.
    """
    if not LOWEST_PORT <= endpoint.port < 65536:
        return False
    try:
        ip = ipaddress.ip_address(endpoint.host)
    except ValueError:
        return False  # a name: asking for it would tell it to others
    if ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return False
    if ip.is_link_local:
        if ip.version == 6 and ip.scope_id is None:
            return False  # on which link? It cannot be dialled
        return any(not ours.is_loopback for ours in on)
    if joined and not ip.is_global and not ip.is_loopback and any(not ours.is_loopback for ours in on):
        return True
    return any(_on_link(ip, ours) for ours in on)


def _on_link(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, ours: Address) -> bool:
    network = ipaddress.ip_interface(f"{ours.text.partition('%')[0]}/{ours.prefix}").network
    if ip not in network:  # False for the other version of IP as well
        return False
    ends = (network.network_address, network.broadcast_address)
    return network.num_addresses <= 2 or ip.version == 6 or ip not in ends
