"""The UDP packets of discovery, to and from bytes. Pure; `lanchat/protocol/README.md` describes them.

There is one JSON object in each datagram: `{"lanchat": 1, "say": "here", ...}`. A question is padded with spaces, so
that no answer is larger than its question. Nothing in a packet is trusted, and none holds an address: a room is at the
address that its packet came from.
"""

import json
from dataclasses import dataclass
from typing import Any, assert_never

from lanchat.discovery.sighting import Advertisement
from lanchat.protocol.ids import SHORTEST_FINGERPRINT, is_fingerprint, is_room_id

VERSION = 1
MAX_DATAGRAM = 508  # bytes; 576 - 60 (IP) - 8 (UDP): every IPv4 host accepts this in one piece (RFC 791, 3.1)
MAX_PEOPLE = 100_000
_MAX_NONCE = 32  # characters


@dataclass(frozen=True)
class Seek:
    """A question for the rooms on this network. Hosts answer at once.

    Args:
        nonce: comes back in the answer, and tells which of several questions got through.
    """

    nonce: str = ""


@dataclass(frozen=True)
class Here:
    """A room is open at the address that this packet comes from.

    Args:
        nonce: of the question that this answers; empty in an announcement.
    """

    room_id: str
    title: str
    host: str
    port: int
    fingerprint: str = ""
    people: int | None = None
    nonce: str = ""


@dataclass(frozen=True)
class Gone:
    """The room is closed. This is only a hint, because anyone can send it."""

    room_id: str


@dataclass(frozen=True)
class Connect:
    """A request to connect once to this TCP port of the sender: `lanchat doctor` asks whether others can reach it."""

    port: int
    nonce: str = ""


Packet = Seek | Here | Gone | Connect


def here(advertisement: Advertisement, people: int | None = None, nonce: str = "") -> Here:
    return Here(
        advertisement.room_id,
        advertisement.title,
        advertisement.host,
        advertisement.port,
        advertisement.fingerprint,
        people,
        nonce,
    )


def encode(packet: Packet) -> bytes:
    """At most MAX_DATAGRAM bytes; a question is padded to exactly that."""
    match packet:
        case Seek(nonce):
            return _packed({"say": "seek", "n": nonce}).ljust(MAX_DATAGRAM)
        case Connect(port, nonce):
            return _packed({"say": "connect", "port": port, "n": nonce}).ljust(MAX_DATAGRAM)
        case Gone(room_id):
            return _packed({"say": "gone", "room": room_id})
        case Here():
            return _encode_here(packet)
        case _:
            assert_never(packet)


def decode(data: bytes) -> Packet | None:
    """The packet in a stranger's datagram; None: this version knows no such packet."""
    if len(data) > MAX_DATAGRAM:
        return None
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or _number(fields, "lanchat", VERSION, VERSION) is None:
        return None
    nonce = _text(fields, "n")[:_MAX_NONCE]
    match fields.get("say"):
        case "seek":
            return Seek(nonce)
        case "here":
            return _decode_here(fields, nonce)
        case "gone" if is_room_id(room := _text(fields, "room")):
            return Gone(room)
        case "connect" if (port := _number(fields, "port", 1, 65535)) is not None:
            return Connect(port, nonce)
        case _:
            return None


def _encode_here(packet: Here) -> bytes:
    """If it does not fit, the fingerprint is cut and then left out, and then the title or the nick is cut."""
    fields: dict[str, Any] = {"say": "here", "room": packet.room_id, "port": packet.port}
    fields |= {"title": packet.title, "host": packet.host}
    if packet.nonce:
        fields["n"] = packet.nonce
    if packet.people is not None:
        fields["people"] = packet.people
    for key in (packet.fingerprint, packet.fingerprint[:SHORTEST_FINGERPRINT]):
        data = _packed({**fields, "key": key} if key else fields)
        if len(data) <= MAX_DATAGRAM:
            return data
    while len(data := _packed(fields)) > MAX_DATAGRAM:
        longest = max(("title", "host"), key=lambda name: len(fields[name]))
        fields[longest] = fields[longest][:-1]
    return data


def _decode_here(fields: dict[str, Any], nonce: str) -> Here | None:
    room, port, key = _text(fields, "room"), _number(fields, "port", 1, 65535), _text(fields, "key")
    if port is None or not is_room_id(room):
        return None
    return Here(
        room,
        _text(fields, "title"),
        _text(fields, "host"),
        port,
        key if is_fingerprint(key) else "",
        _number(fields, "people", 0, MAX_PEOPLE),
        nonce,
    )


def _packed(fields: dict[str, Any]) -> bytes:
    text = json.dumps({"lanchat": VERSION, **fields}, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


def _text(fields: dict[str, Any], name: str) -> str:
    """A field's text, or an empty one. Lone surrogates, which JSON can hold and UTF-8 cannot, are replaced."""
    value = fields.get(name)
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _number(fields: dict[str, Any], name: str, lowest: int, highest: int) -> int | None:
    value = fields.get(name)
    return value if type(value) is int and lowest <= value <= highest else None  # True is an int, too
