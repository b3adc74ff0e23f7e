"""The values of discovery: what is seen of a room, what a probe finds, and the row that people read. Pure.

A source (UDP, mDNS, recent rooms, a scan) reports each `Sighting` and `Vanished`; the directory makes one `Listing`
for each room from all of them. Nothing here is trusted: a sighting is a stranger's hint at an address to probe.
"""

import ipaddress
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from lanchat.protocol.address import Address, Endpoint, lacks_scope
from lanchat.protocol.messages import Card
from lanchat.protocol.nicks import nick_from
from lanchat.protocol.text import MAX_TITLE, clean_title, safe_text

LOWEST_PORT = 1024  # the system's own services listen below; a room never does
_LONGEST_READ = 256  # characters of a stranger's title that are looked at; a card holds no more

State = Literal["answering", "silent"]


@dataclass(frozen=True)
class Advertisement:
    """What a host tells everybody about its room, by mDNS and by UDP alike."""

    room_id: str
    title: str
    host: str  # the nick of the person who hosts
    port: int
    fingerprint: str = ""  # of the owner's key: a hint
    host_key: str = ""  # the fingerprint of the key of the computer that hosts it: two may, apart from each other


@dataclass(frozen=True)
class Sighting:
    """One discovery answer.

    Args:
        via: the source that reports it: "announce", "mdns", "recent" or "scan".
        name: identifies it within its source; a later sighting with the same name replaces this one.
        room_id: empty if only the address is known: then any room that answers there is meant.
        machine: the address of the machine it is about, so that one machine cannot fill the list.
        joined: this person has been in a room there, so the address is not a stranger's word.
    """

    via: str
    name: str
    room_id: str
    title: str
    host: str
    endpoints: tuple[Endpoint, ...]
    fingerprint: str = ""
    machine: str = ""
    joined: bool = False


@dataclass(frozen=True)
class Vanished:
    """The sighting of this name said goodbye, or somebody else said so for it."""

    via: str
    name: str


Report = Callable[[Sighting | Vanished], None]
OnProblem = Callable[[str], None]  # takes one sentence for a person; "": what this source has reported is over


# ---- what a probe of an address finds


@dataclass(frozen=True)
class Answered:
    """A lanchat host showed its card."""

    card: Card
    fingerprint: str  # of the owner's key: the host's own, or the one that its papers name
    key_status: str = ""  # "known", "new" or "changed": that key against what this person remembers of the room


@dataclass(frozen=True)
class ConnectionRefused:
    """The machine is there, but nothing listens at this port."""


@dataclass(frozen=True)
class NotARoom:
    """Something listens there, but it is not a lanchat room."""


@dataclass(frozen=True)
class Silent:
    """Nothing came back in time."""

    connected: bool = False  # the machine took the connection, and then said nothing on it


@dataclass(frozen=True)
class Unreachable:
    """The system knows no route there, or finds no such neighbour on the link."""


Outcome = Answered | ConnectionRefused | NotARoom | Silent | Unreachable


# ---- what people see


@dataclass(frozen=True)
class Listing:
    """One room as people see it in the list. All text in it is safe to show.

    Args:
        people: how many are in the room; None if the host has never answered.
        endpoints: the room's addresses, those that answered first in front.
        via: the sources that see it, sorted.
        fingerprint: of the owner's key, by what the host showed; before it answers, the one that the sighting claims.
        key_status: "known", "new" or "changed": that key against what this person remembers of the room; empty
            before the host answers.
    """

    room_id: str
    title: str
    host: str
    people: int | None
    password: bool  # whether the room has one
    endpoints: tuple[Endpoint, ...]
    via: tuple[str, ...]
    state: State
    fingerprint: str = ""
    key_status: str = ""

    def continues(self, before: "Listing") -> bool:
        """Whether this row is the same as a row of an earlier list: it has the same room and the same key.

        A row that had not answered yet had only a hint of its key, or none.
        """
        return self.room_id == before.room_id and self.fingerprint.startswith(before.fingerprint)

    def as_json(self) -> str:
        """The line of `lanchat rooms --json`. It is ASCII, because a pipe may have any encoding."""
        return json.dumps(
            {
                "id": self.room_id,
                "title": self.title,
                "host": self.host,
                "people": self.people,
                "password": self.password,
                "state": self.state,
                "addresses": [str(endpoint) for endpoint in self.endpoints],
                "via": self.via,
                "fingerprint": self.fingerprint,
                "key_status": self.key_status,
            }
        )


def shown_title(text: str) -> str:
    """A stranger's title, safe to show: one that breaks the rules of a title is escaped and cut."""
    try:
        return clean_title(text)
    except ValueError:
        return safe_text(text[:_LONGEST_READ])[:MAX_TITLE].strip() or "(no title)"


def shown_nick(text: str) -> str:
    """A stranger's nick, safe to show; empty if the stranger gave none."""
    return nick_from(text) if text else ""


def may_dial(endpoint: Endpoint, own: Iterable[Address], *, joined: bool = False) -> bool:
    """Whether a connection may be opened to an address that a stranger named.

    Only addresses on our own links are allowed, so that a forged sighting cannot make this machine connect anywhere.

    Args:
        own: our addresses on the networks that are searched; loopback is allowed only if it is one of them.
        joined: this person has been in a room there, so no stranger named it. Then it may also be a private address
            behind a router of this site. It may never be a public one: the list is built without being asked, and
            must not tell the internet who looks at it, and from where.
    """
    if not LOWEST_PORT <= endpoint.port < 65536:
        return False
    try:
        ip = ipaddress.ip_address(endpoint.host)
    except ValueError:
        return False  # a name: looking it up would tell it to others
    if ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return False
    if lacks_scope(endpoint.host):
        return False  # a record of a stranger names no interface of ours
    if ip.is_link_local:
        return any(not address.is_loopback for address in own)
    if joined and not ip.is_global and not ip.is_loopback and any(not address.is_loopback for address in own):
        return True
    return any(_on_link(ip, address) for address in own)


def _on_link(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, address: Address) -> bool:
    network = address.network
    if ip not in network:  # also if one is IPv4 and the other IPv6
        return False
    ends = (network.network_address, network.broadcast_address)
    return network.num_addresses <= 2 or ip.version == 6 or ip not in ends
