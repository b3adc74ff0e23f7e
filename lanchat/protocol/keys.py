"""Ed25519 keys: signatures, and the certificate that carries a key into TLS. Pure.

A certificate is no secret. Everything in it follows from the key, so two programs make the same bytes from one key. For
the same reason it is put together from its parts here: to load what reads and makes certificates of all kinds takes a
sixth of the time in which a command starts.
"""

import base64
import textwrap

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lanchat.errors import ProtocolError
from lanchat.protocol.weak_keys import is_weak

PrivateKey = Ed25519PrivateKey
SEED_SIZE = 32  # bytes; RFC 8032, section 5.1.5

# A certificate in DER (RFC 5280, section 4.1, and RFC 8410), up to the key. What is to be signed begins after START.
_START = bytes.fromhex("3081d2")
_SIGNED = bytes.fromhex(
    "308185"  # of these bytes and the key
    "a003020102"  # version 3
    "020101"  # the serial number, which is fixed
    "300506032b6570"  # signed with Ed25519
    "3012 3110 300e 0603550403 0c07"  # by, a common name:
    + b"lanchat".hex()
    + "3020 170d"  # valid from, and without end (RFC 5280, 4.1.2.5): only the key counts
    + b"200101000000Z".hex()
    + "180f"
    + b"99991231000000Z".hex()
    + "3012 3110 300e 0603550403 0c07"  # for
    + b"lanchat".hex()
    + "302a 300506032b6570 032100"  # an Ed25519 key
)
_KEY_AT = len(_START) + len(_SIGNED)
_BEFORE_SIGNATURE = bytes.fromhex("300506032b6570 034100")
_CERTIFICATE_SIZE = _KEY_AT + 32 + len(_BEFORE_SIGNATURE) + 64


def key_from_seed(seed: bytes) -> PrivateKey:
    """The key that SEED_SIZE random bytes stand for."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def key_to_pem(key: PrivateKey) -> bytes:
    """A private key as a file holds it: PKCS 8 in PEM, without a password."""
    from cryptography.hazmat.primitives import serialization  # takes 4 ms, and to see rooms needs none

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def key_from_pem(pem: bytes) -> PrivateKey:
    """The opposite of `key_to_pem`.

    Raises:
        ValueError: this is not an Ed25519 key, or it asks for a password.
    """
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("this is a key of another kind")
    return key


def verify(public: bytes, signature: bytes, text: bytes) -> bool:
    """Whether the holder of this raw public key signed this text. Takes any bytes. A weak key signs nothing."""
    if is_weak(public):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def self_signed(key: PrivateKey) -> tuple[bytes, bytes]:
    """The certificate of this key, in DER and in PEM."""
    signed = _SIGNED + key.public_key().public_bytes_raw()
    certificate = _START + signed + _BEFORE_SIGNATURE + key.sign(signed)
    lines = textwrap.wrap(base64.b64encode(certificate).decode(), 64)
    pem = "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
    return certificate, pem.encode()


def certificate_key(certificate: bytes) -> bytes:
    """The raw public key, 32 bytes, in a certificate (DER) that a host shows.

    Raises:
        ProtocolError: it cannot be read, or holds a key of another kind, or a weak one.
    """
    if len(certificate) == _CERTIFICATE_SIZE and certificate.startswith(_START + _SIGNED):
        public = certificate[_KEY_AT : _KEY_AT + 32]
    else:
        public = _key_of_other(certificate)
    if is_weak(public):
        raise ProtocolError("The host's key is one that anybody can sign with.")
    return public


def _key_of_other(certificate: bytes) -> bytes:
    """The key in a certificate that another program has made."""
    from cryptography import x509  # see above

    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise ProtocolError("The host's certificate cannot be read.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ProtocolError("The host's certificate holds no Ed25519 key.")
    return key.public_bytes_raw()
