"""The sealed channel of browsers: Noise_NX_25519_ChaChaPoly_SHA256, Noise revision 34. Pure.

A page that came over http cannot use TLS, so it makes this handshake by itself, as initiator. The host's static key
means nothing to anybody: the payload of the second frame says whose it is, as in libp2p, by an Ed25519 signature
of the host's identity. Beyond libp2p the signature covers the handshake hash too (as CertificateVerify does in TLS 1.3,
RFC 8446, section 4.4.3), so that neither a stolen static key nor an old signature is enough.

The README of this folder has every byte and a test vector.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from lanchat.errors import ProtocolError
from lanchat.protocol.binding import join_fields
from lanchat.protocol.keys import verify

NAME = b"Noise_NX_25519_ChaChaPoly_SHA256"  # 32 bytes, so it is the first hash as it is (revision 34, section 5.2)
PROLOGUE = b"lanchat web channel 1"
PURPOSE = b"lanchat web host"

KEY_SIZE = 32  # bytes; of X25519 and Ed25519 public keys
SIGNATURE_SIZE = 64  # bytes
TAG_SIZE = 16  # bytes
FIRST_SIZE = KEY_SIZE  # of the page's frame
SECOND_SIZE = KEY_SIZE + KEY_SIZE + TAG_SIZE + KEY_SIZE + SIGNATURE_SIZE + TAG_SIZE  # of the host's: 192 bytes
MAX_FRAME = 65_535  # bytes; the longest Noise message (section 3)
MAX_CONTENT = MAX_FRAME - TAG_SIZE  # bytes of the stream of lines in one frame

Sign = Callable[[bytes], bytes]


class CipherState:
    """One key and its counter (section 5.1): nothing is ever sealed twice under one nonce."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._nonce = 0

    def seal(self, plain: bytes, associated: bytes = b"") -> bytes:
        """The plain bytes encrypted, with their tag."""
        return self._cipher.encrypt(self._next_nonce(), plain, associated)

    def open(self, sealed: bytes, associated: bytes = b"") -> bytes:
        """The opposite of `seal`.

        Raises:
            ProtocolError: somebody changed, repeated, dropped or reordered frames.
        """
        try:
            return self._cipher.decrypt(self._next_nonce(), sealed, associated)
        except InvalidTag:
            raise ProtocolError("The encrypted connection is broken (a frame does not fit).") from None

    def _next_nonce(self) -> bytes:
        nonce = (self._nonce << 32).to_bytes(12, "little")  # 4 zero bytes, then the counter
        self._nonce += 1
        return nonce


@dataclass(frozen=True)
class Sealed:
    """The result of a finished handshake, for both ends."""

    binding: bytes  # 32 bytes that no other handshake has; proofs are bound to it
    to_host: CipherState
    to_page: CipherState


class Page:
    """The initiator.

    Args:
        ephemeral: 32 random bytes, fresh for each connection.
    """

    def __init__(self, ephemeral: bytes) -> None:
        self._ephemeral = X25519PrivateKey.from_private_bytes(ephemeral)
        self._state = _SymmetricState()
        self.frame = self._ephemeral.public_key().public_bytes_raw()  # frame 1, to be sent first
        self._state.mix_hash(self.frame)
        self._state.mix_hash(b"")

    def finish(self, frame: bytes) -> tuple[bytes, Sealed]:
        """Finish the handshake, as the page that has begun it.

        Args:
            frame: frame 2, as it came from the host.

        Returns:
            The host's Ed25519 key, which the caller compares with the one it knows, and the channel.

        Raises:
            ProtocolError: it is no answer to frame 1, or the host does not hold that key.
        """
        if len(frame) != SECOND_SIZE:
            raise ProtocolError("The host's half of the handshake has another length.")
        theirs, static_sealed, payload = frame[:32], frame[32:80], frame[80:]
        self._state.mix_hash(theirs)
        self._state.mix_key(_exchange(self._ephemeral, theirs))
        static = self._state.decrypt_and_hash(static_sealed)
        self._state.mix_key(_exchange(self._ephemeral, static))
        before = self._state.hash
        words = self._state.decrypt_and_hash(payload)
        host_key, signature = words[:KEY_SIZE], words[KEY_SIZE:]
        if not verify(host_key, signature, join_fields(PURPOSE, before, static)):
            raise ProtocolError("The host does not hold the key that it shows.")
        return host_key, self._state.split()


def answer(frame: bytes, *, ephemeral: bytes, static: bytes, host_key: bytes, sign: Sign) -> tuple[bytes, Sealed]:
    """The host's whole part, as responder.

    Args:
        frame: frame 1, as it came from the page.
        ephemeral: 32 random bytes, fresh for each connection.
        static: 32 random bytes, made when the door opens and never written anywhere.
        host_key: the host's Ed25519 key, raw.
        sign: signs with that key.

    Returns:
        Frame 2, and the channel.

    Raises:
        ProtocolError: that is no frame 1.
    """
    if len(frame) != FIRST_SIZE:
        raise ProtocolError("The page's half of the handshake has another length.")
    ours, static_key = X25519PrivateKey.from_private_bytes(ephemeral), X25519PrivateKey.from_private_bytes(static)
    ours_public, static_public = ours.public_key().public_bytes_raw(), static_key.public_key().public_bytes_raw()
    state = _SymmetricState()
    state.mix_hash(frame)
    state.mix_hash(b"")
    state.mix_hash(ours_public)
    state.mix_key(_exchange(ours, frame))
    static_sealed = state.encrypt_and_hash(static_public)
    state.mix_key(_exchange(static_key, frame))
    signature = sign(join_fields(PURPOSE, state.hash, static_public))
    payload = state.encrypt_and_hash(host_key + signature)
    return ours_public + static_sealed + payload, state.split()


class _SymmetricState:
    """Section 5.2: the running hash and the chaining key of a handshake."""

    def __init__(self) -> None:
        self.hash = self._chaining_key = NAME
        self._cipher: CipherState | None = None
        self.mix_hash(PROLOGUE)

    def mix_hash(self, data: bytes) -> None:
        self.hash = hashlib.sha256(self.hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        self._chaining_key, key = _hkdf(self._chaining_key, secret)
        self._cipher = CipherState(key)

    def encrypt_and_hash(self, plain: bytes) -> bytes:
        assert self._cipher is not None  # in this pattern every encrypted part comes after a MixKey
        sealed = self._cipher.seal(plain, self.hash)
        self.mix_hash(sealed)
        return sealed

    def decrypt_and_hash(self, sealed: bytes) -> bytes:
        assert self._cipher is not None
        plain = self._cipher.open(sealed, self.hash)
        self.mix_hash(sealed)
        return plain

    def split(self) -> Sealed:
        to_host, to_page = _hkdf(self._chaining_key, b"")
        return Sealed(self.hash, CipherState(to_host), CipherState(to_page))


def _hkdf(chaining_key: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """RFC 5869 with an empty info: the first 64 bytes, as two keys (section 4.3)."""
    extracted = hmac.digest(chaining_key, secret, "sha256")
    first = hmac.digest(extracted, b"\x01", "sha256")
    return first, hmac.digest(extracted, first + b"\x02", "sha256")


def _exchange(ours: X25519PrivateKey, theirs: bytes) -> bytes:
    """RFC 7748, section 6.1: an all-zero result, of a key of small order, is refused."""
    try:
        return ours.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError:
        raise ProtocolError("The other side's key is of small order.") from None
