"""HPKE (RFC 9180) once more, from its pieces: base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305, one message a key.

Unlike the library's, it takes the ephemeral key and additional data, so it can be held against the vectors of the RFC,
and the library against it.
"""

import hashlib
import hmac
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_KEM = b"KEM" + (0x20).to_bytes(2, "big")
_SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x20, 1, 3))


class Schedule(NamedTuple):
    """What both sides come to."""

    shared_secret: bytes
    key: bytes
    nonce: bytes


def seal(ephemeral: bytes, recipient: bytes, info: bytes, plain: bytes, aad: bytes = b"") -> bytes:
    """The share of the ephemeral private key, and behind it the ciphertext."""
    share = X25519PrivateKey.from_private_bytes(ephemeral).public_key().public_bytes_raw()
    keys = schedule(ephemeral, recipient, share + recipient, info)
    return share + ChaCha20Poly1305(keys.key).encrypt(keys.nonce, plain, aad)


def unseal(private: bytes, sealed: bytes, info: bytes, aad: bytes = b"") -> bytes:
    share, recipient = sealed[:32], X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    keys = schedule(private, share, share + recipient, info)
    return ChaCha20Poly1305(keys.key).decrypt(keys.nonce, sealed[32:], aad)


def schedule(private: bytes, public: bytes, both: bytes, info: bytes) -> Schedule:
    """
    Args:
        both: the share and the recipient's key.
    """
    dh = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    secret = _expand(_KEM, _extract(_KEM, b"", b"eae_prk", dh), b"shared_secret", both, 32)
    context = b"\0" + _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", info)
    base = _extract(_SUITE, secret, b"secret", b"")
    return Schedule(
        secret, _expand(_SUITE, base, b"key", context, 32), _expand(_SUITE, base, b"base_nonce", context, 12)
    )


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, hashlib.sha256)


def _expand(suite: bytes, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """One block is enough: nothing here is longer than 32 bytes."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
    return hmac.digest(secret, labelled + b"\x01", hashlib.sha256)[:length]
