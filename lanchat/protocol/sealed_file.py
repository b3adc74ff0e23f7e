"""A file for one person: its offer, and its bytes, sealed piece by piece. Pure; a door of `cryptography`.

Each file has a random key of its own, which stands in the offer, beside the name, the size and the SHA-256 of the file.
The offer is sealed to the recipient as a private message is (sealed.py). The host stores sealed pieces of one size, and
only the last one may be shorter. A piece is bound to its number and to being the last one or not, so none can be
changed, left out, repeated or put elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.filenames import safe_name
from lanchat.protocol.sealed import CannotOpen

SEALED_PIECE = 64 * 1024  # bytes of a whole piece, as the host stores it
TAG = 16  # bytes of it that prove the rest
PLAIN_PIECE = SEALED_PIECE - TAG  # bytes of the file in a whole piece
FILE_KEY = 32  # bytes

_SHA256 = 32  # bytes
_SIZE = 8  # bytes, big-endian
_NUMBER = 11  # bytes of a nonce, big-endian; the last byte is 1 for the last piece and else 0


@dataclass(frozen=True)
class Offer:
    """The part of an offer that only the two people can read.

    Args:
        key: of its pieces.
        sha256: of the plain bytes, in hex.
        size: of the plain bytes.
    """

    key: bytes = field(repr=False)
    sha256: str
    size: int
    name: str

    def pack(self) -> bytes:
        """The offer as it is sealed, with a safe name."""
        name = safe_name(self.name).encode()
        return self.key + bytes.fromhex(self.sha256) + self.size.to_bytes(_SIZE, "big") + name


def unpack_offer(data: bytes) -> Offer:
    """The opposite of `Offer.pack`.

    Raises:
        CannotOpen: it is no offer.
    """
    key, sha256, rest = data[:FILE_KEY], data[FILE_KEY : FILE_KEY + _SHA256], data[FILE_KEY + _SHA256 :]
    size, name = int.from_bytes(rest[:_SIZE], "big"), rest[_SIZE:]
    if not name or size > MAX_NUMBER:
        raise CannotOpen("against the rules for files")
    return Offer(key, sha256.hex(), size, safe_name(name.decode(errors="replace")))


def sealed_size(size: int) -> int:
    """The number of bytes that the host stores for a file of this size."""
    return size + TAG * _pieces(size)


def whole_pieces(size: int) -> int:
    """The number of whole pieces in the first plain bytes of a file."""
    return size // PLAIN_PIECE


class PieceCipher:
    """Seals the pieces of one file.

    A key must never seal two different pieces with one number: who stores both could then read parts of them.

    Args:
        key: FILE_KEY bytes.
        size: of the plain file.
    """

    def __init__(self, key: bytes, size: int) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._last = _pieces(size) - 1

    def seal(self, number: int, plain: bytes) -> bytes:
        return self._cipher.encrypt(self._nonce(number), plain, None)

    def open(self, number: int, sealed: bytes | bytearray) -> bytes:
        """The plain bytes of a piece.

        Raises:
            CannotOpen: it is not the piece of this number.
        """
        try:
            return self._cipher.decrypt(self._nonce(number), sealed, None)
        except InvalidTag:
            raise CannotOpen(f"piece {number + 1} was changed on its way") from None

    def _nonce(self, number: int) -> bytes:
        return number.to_bytes(_NUMBER, "big") + bytes([number == self._last])


class Opening:
    """Opens the pieces of a file as they come in. Owned by the thread that receives them.

    Args:
        have: plain bytes that have come before: whole pieces, or the whole file.
    """

    def __init__(self, offer: Offer, have: int) -> None:
        self._cipher = PieceCipher(offer.key, offer.size)
        self._number = whole_pieces(have)
        self._left = sealed_size(offer.size) - self._number * SEALED_PIECE
        self._begun = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes of the pieces that these bytes complete.

        Raises:
            CannotOpen: one of them is not what the sender sealed.
        """
        rest = memoryview(data)
        while self._left > 0 and len(self._begun) + len(rest) >= (whole := min(SEALED_PIECE, self._left)):
            lacking = whole - len(self._begun)
            piece, self._begun = self._begun, bytearray()
            piece += rest[:lacking]
            rest = rest[lacking:]
            plain = self._cipher.open(self._number, piece)
            self._left -= whole
            self._number += 1
            yield plain
        self._begun += rest


def _pieces(size: int) -> int:
    """The number of pieces of a file; an empty one has one piece, which proves that it is empty."""
    return max(1, -(-size // PLAIN_PIECE))
