"""Private messages, sealed so that only their sender and their recipient can read them. Pure; a door of `cryptography`.

The offer of a file for one person is sealed in the same way (sealed_file.py).

A box holds the two Ed25519 keys, in the clear, and then what HPKE (RFC 9180, base mode) made of a signature by the
sender and the padded text. Both cover the room, the two keys and the message's id, so a host that carries a box can
neither read it, nor make one in somebody's name, nor pass it to another recipient or room, or under another id. The
keys for HPKE follow from the Ed25519 keys by the map of libsodium and age.
"""

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from lanchat.protocol.binding import join_fields
from lanchat.protocol.ids import KEY_SIZE, is_key_of, member_id
from lanchat.protocol.keys import PrivateKey, verify
from lanchat.protocol.padding import pad, padded_size, unpad
from lanchat.protocol.text import clean_text
from lanchat.protocol.weak_keys import PRIME, SIGN, is_weak

PURPOSE = b"lanchat private message 1"
OFFER_PURPOSE = b"lanchat private file 1"  # another one, so that no box of one kind passes for one of the other
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_SIGNATURE = 64  # bytes
_KNOWN_KEYS = 1024  # recipients whose X25519 keys are remembered: five rooms full of people

_D = -121665 * pow(121666, -1, PRIME) % PRIME  # of the curve -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032, section 5.1)


class CannotOpen(ValueError):
    """A box cannot be opened; says why, in words that stand behind a colon or in brackets."""


class Sealer:
    """Seals and opens the private messages, and the offers of files, of one person in one room. Any thread.

    Args:
        key: the person's identity.
        room: the room's id.
    """

    def __init__(self, key: PrivateKey, room: str) -> None:
        self._key = key
        self._public = key.public_key().public_bytes_raw()
        self.id = member_id(self._public)
        self._opening = X25519PrivateKey.from_private_bytes(opening_key(key))
        self._room = room

    def seal(self, recipient: bytes, id: str, text: str) -> tuple[bytes, bytes]:
        """Seal a message.

        Args:
            recipient: their raw Ed25519 key.
            id: the message's.

        Returns:
            A box for the recipient, and one of the same size for other sessions of the sender.

        Raises:
            ValueError: the text is too long, or this is no key to seal to.
        """
        return self._seal(PURPOSE, recipient, id, text.encode())

    def seal_offer(self, recipient: bytes, id: str, offer: bytes) -> tuple[bytes, bytes]:
        """As `seal`, for the packed offer of a file.

        Args:
            id: of the file's FileSend.
        """
        return self._seal(OFFER_PURPOSE, recipient, id, offer)

    def _seal(self, purpose: bytes, recipient: bytes, id: str, data: bytes) -> tuple[bytes, bytes]:
        to_them, to_us = (X25519PublicKey.from_public_bytes(sealing_key(key)) for key in (recipient, self._public))
        info = context(self._room, self._public, recipient, id, purpose)
        plain = self._key.sign(info + join_fields(data)) + pad(data)
        return (
            self._public + recipient + _SUITE.encrypt(plain, to_them, info),
            self._public + recipient + _SUITE.encrypt(plain, to_us, info),
        )

    def open(self, by: str, to: str, id: str, box: bytes) -> str:
        """The text in a box that was sealed for us, or by us for our other sessions.

        Args:
            by, to: the member ids that it is said to be from and for.
            id: the message's.

        Raises:
            CannotOpen: we cannot read it, or it is not what its sender sealed.
        """
        text = self._open(PURPOSE, by, to, id, box)
        try:
            return clean_text(text.decode())
        except ValueError:
            raise CannotOpen("against the rules for messages") from None

    def open_offer(self, by: str, to: str, id: str, box: bytes) -> bytes:
        """The packed offer in a box; the rest as for `open`."""
        return self._open(OFFER_PURPOSE, by, to, id, box)

    def _open(self, purpose: bytes, by: str, to: str, id: str, box: bytes) -> bytes:
        sender, recipient, sealed = box[:KEY_SIZE], box[KEY_SIZE : 2 * KEY_SIZE], box[2 * KEY_SIZE :]
        try:
            padded_size(box)
        except ValueError:
            raise CannotOpen("damaged") from None
        if (member_id(sender), member_id(recipient)) != (by, to):
            raise CannotOpen("sealed by or for somebody else")
        if self._public not in (sender, recipient):
            raise CannotOpen("sealed for another key of yours")
        info = context(self._room, sender, recipient, id, purpose)
        try:
            plain = _SUITE.decrypt(sealed, self._opening, info)
            data = unpad(plain[_SIGNATURE:])
        except (InvalidTag, ValueError):
            raise CannotOpen("damaged or forged") from None
        if not verify(sender, plain[:_SIGNATURE], info + join_fields(data)):
            raise CannotOpen("not signed by its sender")
        return data


def context(room: str, sender: bytes, recipient: bytes, id: str, purpose: bytes = PURPOSE) -> bytes:
    """What a box is bound to: the `info` of HPKE, and the beginning of what is signed."""
    return join_fields(purpose, room.encode(), sender, recipient, id.encode("utf-8", "surrogatepass"))


def can_seal_to(public: bytes, id: str) -> bool:
    """Whether this is the raw Ed25519 key of the member with this id, and one that a message can be sealed to."""
    if not is_key_of(public, id):
        return False
    try:
        sealing_key(public)
    except ValueError:
        return False
    return True


def opening_key(key: PrivateKey) -> bytes:
    """The raw X25519 private key of an identity: the clamped first half of SHA-512 over its seed."""
    half = bytearray(hashlib.sha512(key.private_bytes_raw()).digest()[:KEY_SIZE])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    return bytes(half)


@lru_cache(_KNOWN_KEYS)
def sealing_key(public: bytes) -> bytes:
    """The raw X25519 public key of an identity: u = (1 + y) / (1 - y) for the y of its Ed25519 key.

    Raises:
        ValueError: this is no Ed25519 key, or one that everybody can open boxes of.
    """
    y = int.from_bytes(public, "little") & ~SIGN
    square = (y * y - 1) * (_D * y * y + 1) % PRIME  # of x, but for a factor that is a square itself
    if len(public) != KEY_SIZE or y >= PRIME or pow(square, (PRIME - 1) // 2, PRIME) > 1:
        raise ValueError("This is no Ed25519 key.")
    if is_weak(public):
        raise ValueError("This key hides nothing.")  # every shared secret with it is zero
    u = (1 + y) * pow(1 - y, -1, PRIME) % PRIME
    return u.to_bytes(KEY_SIZE, "little")
