"""What lanchats call across a network over UDP, as bytes. Pure; `lanchat/protocol/README.md` has the words.

One JSON object in each datagram: `{"lanchat": 1, "say": "here", ...}`, padded with spaces where an
answer may come, since an answer is never larger than the question. Nothing in a datagram is trusted,
and no address is in it: who sent it is what the packet's own source says.
"""

import json
from dataclasses import dataclass
from typing import Any, assert_never

from lanchat.discovery.sighting import Advertisement
from lanchat.protocol.ids import is_fingerprint, is_room_id

VERSION = 1
MAX_DATAGRAM = 508  # bytes; 576 - 60 (IP) - 8 (UDP): what every IPv4 host takes in one piece (RFC 791, 3.1)
LEAST_KEY = 32  # hex digits of a fingerprint that are worth sending: 128 bits, a member id
MAX_PEOPLE = 100_000
_MAX_NONCE = 32  # characters


@dataclass(frozen=True)
class Seek:
    """Which rooms are here? Hosts answer at once.

    Args:
        nonce: comes back in the answer, so it tells which of several questions got through.
    """

    nonce: str = ""


@dataclass(frozen=True)
class Here:
    """A room is open at the address this comes from.

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
    """The room is closed. A hint only: anyone can say so."""

    room_id: str


@dataclass(frozen=True)
class Knock:
    """Try to connect to me at this TCP port: the question of `lanchat doctor` whether others can reach us."""

    port: int
    nonce: str = ""


Datagram = Seek | Here | Gone | Knock


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


def encode(datagram: Datagram) -> bytes:
    """At most MAX_DATAGRAM bytes; a question is padded to just that."""
    match datagram:
        case Seek(nonce):
            return _packed({"say": "seek", "n": nonce}).ljust(MAX_DATAGRAM)
        case Knock(port, nonce):
            return _packed({"say": "knock", "port": port, "n": nonce}).ljust(MAX_DATAGRAM)
        case Gone(room_id):
            return _packed({"say": "gone", "room": room_id})
        case Here():
            return _encode_here(datagram)
        case _:
            assert_never(datagram)


def decode(data: bytes) -> Datagram | None:
    """What a stranger's datagram says; None: nothing that we know."""
    if len(data) > MAX_DATAGRAM:
        return None
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.get("lanchat") != VERSION:
        return None
    nonce = _text(fields, "n")[:_MAX_NONCE]
    match fields.get("say"):
        case "seek":
            return Seek(nonce)
        case "here":
            return _decode_here(fields, nonce)
        case "gone" if is_room_id(room := _text(fields, "room")):
            return Gone(room)
        case "knock" if (port := _number(fields, "port", 1, 65535)) is not None:
            return Knock(port, nonce)
        case _:
            return None


def _encode_here(said: Here) -> bytes:
    """The hints go first where it does not fit, then the end of the title."""
    fields: dict[str, Any] = {"say": "here", "room": said.room_id, "port": said.port}
    fields |= {"title": said.title, "host": said.host}
    if said.nonce:
        fields["n"] = said.nonce
    if said.people is not None:
        fields["people"] = said.people
    for key in (said.fingerprint, said.fingerprint[:LEAST_KEY]):
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
    """Empty where there is none. Lone surrogates, which JSON can hold and UTF-8 cannot, are replaced."""
    value = fields.get(name)
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _number(fields: dict[str, Any], name: str, lowest: int, highest: int) -> int | None:
    value = fields.get(name)
    return value if type(value) is int and lowest <= value <= highest else None  # True is an int, too
