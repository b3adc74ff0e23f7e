"""An invite: one line that leads to a room and proves that it is the right one. Pure.

    lanchat://192.168.1.7:47474/ROOM-ID#FINGERPRINT

The fingerprint pins the host's key, so that even the first contact is as safe as the channel over which the invite
came. More addresses of the same host may follow as `?at=ADDRESS:PORT`. No address carries the scope of a link-local
IPv6 address (`fe80::1%eth0`), because it names an interface of the machine that made the invite: who reads it tries
every interface.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from lanchat.protocol.address import Endpoint, parse_endpoint
from lanchat.protocol.ids import SHORTEST_FINGERPRINT, is_fingerprint, is_room_id
from lanchat.protocol.weak_keys import is_weak_fingerprint

SCHEME = "lanchat"
MAX_INVITE = 1024  # characters
MAX_ADDRESSES = 8


@dataclass(frozen=True)
class Invite:
    """The content of an invite. `str()` is the line itself.

    Args:
        endpoints: where the host listens; at least one. Scopes and what stands there twice are dropped.
        fingerprint: of the host's key, 32 to 64 hex digits.
    """

    endpoints: tuple[Endpoint, ...]
    room_id: str
    fingerprint: str

    def __post_init__(self) -> None:
        endpoints = dict.fromkeys(endpoint.shared for endpoint in self.endpoints)
        object.__setattr__(self, "endpoints", tuple(endpoints)[:MAX_ADDRESSES])

    def __str__(self) -> str:
        first, *others = self.endpoints
        more = "&".join(f"at={quote(str(other), safe=':[]')}" for other in others)
        query = f"?{more}" if more else ""
        return f"{SCHEME}://{quote(str(first), safe=':[]')}/{self.room_id}{query}#{self.fingerprint}"

    @property
    def first(self) -> "Invite":
        """The same invite with one address and the short fingerprint, for a screen."""
        return Invite(self.endpoints[:1], self.room_id, self.fingerprint[:SHORTEST_FINGERPRINT])

    def for_qr(self) -> str:
        """The same invite in capitals and without a `#`, for which a QR code needs only 5.5 bits a character."""
        first = quote(str(self.endpoints[0]), safe=":[]").replace("[", "%5B").replace("]", "%5D")
        return f"{SCHEME}://{first}/{self.room_id}%23{self.fingerprint[:SHORTEST_FINGERPRINT]}".upper()


def is_invite(text: str) -> bool:
    """Whether this is meant as an invite, valid or not."""
    return text.strip().lower().startswith(f"{SCHEME}://")


def parse_invite(text: str) -> Invite:
    """Read an invite.

    Raises:
        ValueError: this is no invite, or only a part of one; the text is for a person.
    """
    text = text.strip()
    if len(text) > MAX_INVITE or not text.isascii() or not text.isprintable():
        raise ValueError("An invite is one line of plain letters.")
    if not is_invite(text):
        raise ValueError(f"An invite begins with {SCHEME}://")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("The address in this invite cannot be read.") from None
    room, mark, key = parts.path.strip("/").partition("%23")
    room, key = room.lower(), (key if mark else parts.fragment).lower()
    if not is_room_id(room):
        raise ValueError("This invite is incomplete; copy the whole line.")
    if not is_fingerprint(key):
        raise ValueError("This invite is incomplete: the key after the # is missing. Copy the whole line.")
    if is_weak_fingerprint(key):
        raise ValueError("This invite names a key that anybody can sign with. Do not use it.")
    others = [value for name, value in parse_qsl(parts.query)[:MAX_ADDRESSES] if name == "at"]
    found = [_endpoint(where) for where in (unquote(parts.netloc), *others)]
    if found[0] is None:
        raise ValueError("This invite has no address that can be used.")
    return Invite(tuple(endpoint for endpoint in found if endpoint is not None), room, key)


def _endpoint(text: str) -> Endpoint | None:
    """Read an address of an invite. A single word without a port is an address here, because it cannot be a title."""
    endpoint = parse_endpoint(text if ":" in text else f"{text}:")
    if endpoint is None or "@" in endpoint.host or "/" in endpoint.host:
        return None
    return Endpoint(endpoint.host.lower(), endpoint.port).shared
