"""The names of rooms and people on the wire: room ids, key fingerprints, member ids. Pure."""

import hashlib
import re

MEMBER_ID_LENGTH = 32  # hex digits of a fingerprint: 128 bits, which nobody finds a second key for
SHORTEST_FINGERPRINT = 32  # hex digits; an invite and an announcement may cut it to so many
UNVERIFIED = "~"  # begins the member id of somebody who has shown no key

_ROOM_ID = re.compile(r"[0-9a-f]{32}")  # 128 bits
_FINGERPRINT = re.compile(rf"[0-9a-f]{{{SHORTEST_FINGERPRINT},64}}")
_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, section 4: the fixed DER before the 32 bytes


def is_room_id(text: str) -> bool:
    return _ROOM_ID.fullmatch(text) is not None


def is_fingerprint(text: str) -> bool:
    """Whether this is a fingerprint, whole or cut to at least SHORTEST_FINGERPRINT digits."""
    return _FINGERPRINT.fullmatch(text) is not None


def fingerprint(public: bytes) -> str:
    """SHA-256 over the SPKI form of a raw Ed25519 public key, 64 hex digits."""
    return hashlib.sha256(_SPKI_PREFIX + public).hexdigest()


def member_id(public: bytes) -> str:
    """The id of whoever holds this key: the first digits of its fingerprint."""
    return fingerprint(public)[:MEMBER_ID_LENGTH]


def is_verified(id: str) -> bool:
    """Whether a member with this id has proven a key. Ids of others begin with a tilde and mean nothing."""
    return not id.startswith(UNVERIFIED)
