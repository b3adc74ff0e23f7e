"""A room as a DNS-SD record, and a stranger's record as a sighting. Pure."""

from collections.abc import Sequence

from lanchat.discovery.sighting import Advertisement, Sighting
from lanchat.protocol.address import Endpoint
from lanchat.protocol.ids import is_fingerprint, is_room_id
from lanchat.protocol.messages import VERSION

WAY = "mdns"
SERVICE = "_lanchat._tcp.local."
MAX_TXT = 1300  # bytes of a TXT record that we read (RFC 6763, 6.2: it fits one packet with the rest)
MAX_TXT_KEYS = 16
MAX_TXT_VALUE = 200  # bytes; a title has at most 180
MAX_INSTANCE = 63  # bytes of UTF-8 in one DNS label (RFC 6763, 4.1.1)


def instance_name(advertisement: Advertisement) -> str:
    """The name people see in other mDNS browsers: the title as far as it fits, and a part of the room id.

    The id is there because two rooms may have one title, and an mDNS conflict is not dependably found.
    """
    tail = f" {advertisement.room_id[:8]}"
    title = advertisement.title.replace(".", "-")  # a dot would begin a new label
    while len(title.encode()) + len(tail) > MAX_INSTANCE:
        title = title[:-1]
    return f"{title.rstrip()}{tail}.{SERVICE}"


def properties(advertisement: Advertisement) -> dict[str, str]:
    """The TXT record. It stays the same for as long as the room is open: an update takes 0.45 s."""
    return {
        "id": advertisement.room_id,
        "v": str(VERSION),
        "title": advertisement.title,
        "host": advertisement.host,
        "key": advertisement.fingerprint,
    }


def read_txt(text: bytes) -> dict[str, str] | None:
    """The pairs of a TXT record; None: it is malformed, or more than we read."""
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
    """What a stranger's record says; None: it describes no room.

    Args:
        found: the addresses in it.
    """
    pairs = read_txt(text)
    if pairs is None or not port or not found or not is_room_id(pairs.get("id", "")):
        return None
    key = pairs.get("key", "")
    return Sighting(
        WAY,
        name,
        pairs["id"],
        pairs.get("title", ""),
        pairs.get("host", ""),
        tuple(Endpoint(address, port) for address in found),
        fingerprint=key if is_fingerprint(key) else "",
        source=min(found),
    )
