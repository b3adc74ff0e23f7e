"""What a web request gets: the page, the upgrade to a WebSocket, or a refusal in words. Pure.

Any web page that somebody opens inside the network can send requests here, from other origins and, by DNS rebinding,
under other names. So a request has to name the address at which this very connection ended, which a rebound name never
does, and an upgrade has to come from the page of this door. Nothing else is looked at: there are no cookies.
"""

import base64
import ipaddress
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from lanchat.protocol.fields import NONCE_SIZE

Values = Callable[[str], list[str]]  # all values of a header, by its name

MAX_REQUEST = 16 * 1024  # bytes of a request with its headers; browsers send less than one
_FILES = "/f/"
_TICKET_LENGTH = 43  # characters of NONCE_SIZE bytes in base64url, without padding

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOCALHOST = "localhost"


@dataclass(frozen=True)
class Arrival:
    """Where a connection came to, and what this machine may be called there.

    Args:
        address, port: the local end of the connection.
        scheme: http or https.
        from_here: the other end is this machine.
        own_name: the name of this machine, without a domain.
        names: further names or addresses that the host's person has allowed.
        origins: of the pages of other computers that may host the room; their pages follow it here.
    """

    address: str
    port: int
    scheme: str = "http"
    from_here: bool = False
    own_name: str = ""
    names: Collection[str] = ()
    origins: Collection[str] = ()

    @property
    def origin(self) -> str:
        """The web address of this door."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class Refusal:
    """An answer in plain text."""

    status: int
    phrase: str
    text: str
    headers: tuple[tuple[str, str], ...] = ()
    link: str = ""  # below the text


@dataclass(frozen=True)
class Page:
    """The request gets the page."""

    compressed: bool = field(default=False)  # the browser takes gzip


@dataclass(frozen=True)
class Download:
    """The request gets a file, if its ticket is good.

    Args:
        range: as the browser asks for a part of it; "": for all.
        if_range: the tag of the file of which it has the rest; "": it does not say.
        otherwise: the answer if the ticket is not good.
    """

    ticket: bytes
    range: str
    if_range: str
    otherwise: Refusal


@dataclass(frozen=True)
class Upgrade:
    """The request may become a WebSocket."""


Answer = Page | Upgrade | Download | Refusal


def answer(method: str, path: str, values: Values, arrival: Arrival) -> Answer:
    """Decide about a request.

    Args:
        path: as it came, with its query.
        values: gives the headers.
    """
    if not _names_us(values("Host"), arrival):
        return Refusal(
            421,
            "Misdirected Request",
            f"This room is at {arrival.origin}/\n"
            "If you came by another address or name on purpose, the host has to allow it: --web-name NAME\n",
        )
    if method != "GET":
        return Refusal(405, "Method Not Allowed", "There is only a page here.\n", (("Allow", "GET"),))
    match path.partition("?")[0]:
        case "/":
            destination = values("Sec-Fetch-Dest")
            if destination and destination != ["document"]:
                return Refusal(403, "Forbidden", "This page does not let itself be put into another one.\n")
            return Page("gzip" in ",".join(values("Accept-Encoding")))
        case "/ws":
            if not _is_own_origin(values("Origin"), values("Host")[0], arrival):
                return Refusal(403, "Forbidden", "Another web page cannot come into this room.\n")
            return Upgrade()
        case other:
            nothing = Refusal(404, "Not Found", f"There is nothing here but {arrival.origin}/\n")
            ticket = _ticket_of(other) if arrival.scheme == "https" else None  # else it would be read on the way
            if ticket is None:
                return nothing
            asked, known = values("Range"), values("If-Range")
            return Download(ticket, asked[0] if len(asked) == 1 else "", known[0] if known else "", nothing)


def elsewhere(method: str, path: str, values: Values, arrival: Arrival, link: str) -> Refusal:
    """Decide about a request to a computer that keeps a copy of the room, while another one hosts it.

    Args:
        link: to the page of that one; "": nobody knows it.
    """
    usual = answer(method, path, values, arrival)
    if isinstance(usual, Refusal):
        return usual
    words = "Another computer hosts this room now." if link else "Another computer hosts this room, without a page."
    return Refusal(503, "Service Unavailable", f"{words}\n", (("Retry-After", "5"),), link)


def _ticket_of(path: str) -> bytes | None:
    """The ticket of a file in a path; None: there is none."""
    if not path.startswith(_FILES) or len(path) != len(_FILES) + _TICKET_LENGTH:
        return None
    try:
        ticket = base64.urlsafe_b64decode(path.removeprefix(_FILES) + "=")
    except ValueError:
        return None
    return ticket if len(ticket) == NONCE_SIZE else None


def _names_us(hosts: list[str], arrival: Arrival) -> bool:
    """Whether the one Host header names the local end of this connection."""
    if len(hosts) != 1:
        return False
    name, port = _split(hosts[0])
    if name in (known.lower() for known in arrival.names):
        return True  # a port may be forwarded to another number
    if (port or str(_DEFAULT_PORTS[arrival.scheme])) != str(arrival.port):
        return False
    if name == _LOCALHOST:
        return arrival.from_here
    if arrival.own_name and name == f"{arrival.own_name.lower()}.local":
        return True
    address = _address(name)
    return address is not None and address == _address(arrival.address)


def _is_own_origin(origins: list[str], host: str, arrival: Arrival) -> bool:
    if len(origins) != 1:
        return False
    return origins[0].lower() == f"{arrival.scheme}://{host.lower()}" or origins[0].lower() in arrival.origins


def _split(host: str) -> tuple[str, str]:
    """A name or address and the port, as they stand in a Host header; an IPv6 address loses its brackets."""
    if host.startswith("["):
        address, bracket, port = host[1:].partition("]")
        return (address.lower(), port.removeprefix(":")) if bracket and (not port or port[0] == ":") else ("", "")
    name, _, port = host.partition(":")
    return name.lower(), port


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address
