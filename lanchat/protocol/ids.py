"""The ids of rooms, people and messages on the wire: room ids, key fingerprints, member ids. Pure."""

import hashlib
import re

KEY_SIZE = 32  # bytes of a raw Ed25519 public key (RFC 8032, section 5.1.5)
MEMBER_ID_LENGTH = 32  # hex digits of a fingerprint: with 128 bits nobody can find a second key for them
SHORTEST_FINGERPRINT = 32  # hex digits; invites and announcements may shorten a fingerprint to these
UNVERIFIED = "~"  # begins the member id of a guest, who has proven no key

_ROOM_ID = re.compile(r"[0-9a-f]{32}")  # 128 bits
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FINGERPRINT = re.compile(rf"[0-9a-f]{{{SHORTEST_FINGERPRINT},64}}")
_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, section 4: the fixed DER before the 32 bytes


def is_room_id(text: str) -> bool:
    return _ROOM_ID.fullmatch(text) is not None


def clean_message_id(text: str) -> str:
    """The id that a program gives to a message of its own, which others take as it is.

    Raises:
        ValueError: a message id has another form.
    """
    if not _MESSAGE_ID.fullmatch(text):
        raise ValueError("The id of a message has 1 to 64 of these characters: A-Z a-z 0-9 _ -")
    return text


def is_fingerprint(text: str) -> bool:
    """Whether this is a fingerprint, or at least the first SHORTEST_FINGERPRINT digits of one."""
    return _FINGERPRINT.fullmatch(text) is not None


def fingerprint(public: bytes) -> str:
    """SHA-256 over the SPKI form of a raw Ed25519 public key, 64 hex digits."""
    return hashlib.sha256(_SPKI_PREFIX + public).hexdigest()


def member_id(public: bytes) -> str:
    """The member id of this key: the first digits of its fingerprint."""
    return fingerprint(public)[:MEMBER_ID_LENGTH]


def is_key_of(public: bytes, id: str) -> bool:
    """Whether this is the raw public key of the member with this id. So a host cannot show its own in its place."""
    return len(public) == KEY_SIZE and member_id(public) == id


def is_verified(id: str) -> bool:
    """Whether the member with this id has proven a key. The id of a guest begins with a tilde and is random."""
    return not id.startswith(UNVERIFIED)
