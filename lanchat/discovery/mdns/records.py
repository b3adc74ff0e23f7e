"""The DNS-SD record of a room, and the sighting in a stranger's record. Pure."""

from collections.abc import Sequence

from lanchat.discovery.sighting import Advertisement, Sighting
from lanchat.protocol.address import Endpoint
from lanchat.protocol.ids import is_fingerprint, is_room_id
from lanchat.protocol.messages import VERSION

VIA_MDNS = "mdns"
SERVICE = "_lanchat._tcp.local."
MAX_TXT = 1300  # bytes of a TXT record; with the rest of the packet it fits one Ethernet frame (RFC 6763, 6.2)
MAX_TXT_KEYS = 16
MAX_TXT_VALUE = 200  # bytes; a title has at most 180
KEY_DIGITS = 4  # of the fingerprint of a computer that hosts a room; there are at most a few
MAX_INSTANCE = 63  # bytes of UTF-8 in one DNS label (RFC 6763, 4.1.1)


def instance_name(advertisement: Advertisement) -> str:
    """The name that other mDNS browsers show: the title, cut if it is too long, and the beginnings of the room id and
    of the fingerprint of the computer that hosts it.

    Both are needed because two rooms may have the same title, and two computers may host the two halves of one room.
    mDNS does not reliably notice the conflict.
    """
    tail = f" {advertisement.room_id[:8]} {advertisement.host_key[:KEY_DIGITS]}".rstrip()
    title = advertisement.title.replace(".", "-")  # a dot would start a new label
    while len(title.encode()) + len(tail) > MAX_INSTANCE:
        title = title[:-1]
    return f"{title.rstrip()}{tail}.{SERVICE}"


def server_name(advertisement: Advertisement) -> str:
    """The name of this computer as long as it hosts the room."""
    return f"lanchat-{advertisement.room_id[:16]}{advertisement.host_key[:KEY_DIGITS]}.local."


def properties(advertisement: Advertisement) -> dict[str, str]:
    """The TXT record. It stays the same as long as the room is open, because an update takes 0.45 s."""
    return {
        "id": advertisement.room_id,
        "v": str(VERSION),
        "title": advertisement.title,
        "host": advertisement.host,
        "key": advertisement.fingerprint,
    }


def read_txt(text: bytes) -> dict[str, str] | None:
    """The pairs of a TXT record; None if it is malformed or exceeds one of the limits above."""
    if len(text) > MAX_TXT:
        return None
    pairs: dict[str, str] = {}
    count = at = 0
    while at < len(text):
        length = text[at]
        pair, at = text[at + 1 : at + 1 + length], at + 1 + length
        if not length:
            continue
        count += 1
        key, _, value = pair.partition(b"=")
        if at > len(text) or count > MAX_TXT_KEYS or len(value) > MAX_TXT_VALUE:
            return None
        try:
            pairs.setdefault(key.decode("ascii").lower(), value.decode())  # RFC 6763, 6.4: the first one counts
        except UnicodeDecodeError:
            return None
    return pairs


def read_record(name: str, port: int | None, found: Sequence[str], text: bytes) -> Sighting | None:
    """The sighting in a stranger's record; None if it describes no room.

    Args:
        found: the IP addresses in the record.
    """
    pairs = read_txt(text)
    if pairs is None or not port or not found or not is_room_id(pairs.get("id", "")):
        return None
    key = pairs.get("key", "")
    return Sighting(
        VIA_MDNS,
        name,
        pairs["id"],
        pairs.get("title", ""),
        pairs.get("host", ""),
        tuple(Endpoint(address, port) for address in found),
        fingerprint=key if is_fingerprint(key) else "",
        machine=min(found),
    )
