"""Ed25519 keys: signatures, and the certificate that carries a key into TLS. Pure.

A certificate is no secret. Everything in it follows from the key, so two programs make the same bytes from one key.
"""

import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID

from lanchat.errors import ProtocolError
from lanchat.protocol.weak_keys import is_weak

PrivateKey = Ed25519PrivateKey
SEED_SIZE = 32  # bytes; RFC 8032, section 5.1.5


def key_from_seed(seed: bytes) -> PrivateKey:
    """The key that SEED_SIZE random bytes stand for."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def key_to_pem(key: PrivateKey) -> bytes:
    """A private key as a file holds it: PKCS 8 in PEM, without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def key_from_pem(pem: bytes) -> PrivateKey:
    """The opposite of `key_to_pem`.

    Raises:
        ValueError: this is not an Ed25519 key, or it asks for a password.
    """
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
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lanchat")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)  # fixed, so that the whole certificate follows from the key
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(9999, 12, 31))  # RFC 5280, 4.1.2.5: no end; only the key counts
        .sign(key, None)
    )
    return certificate.public_bytes(serialization.Encoding.DER), certificate.public_bytes(serialization.Encoding.PEM)


def certificate_key(certificate: bytes) -> bytes:
    """The raw public key, 32 bytes, in a certificate (DER) that a host shows.

    Raises:
        ProtocolError: it cannot be read, or holds a key of another kind, or a weak one.
    """
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise ProtocolError("The host's certificate cannot be read.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ProtocolError("The host's certificate holds no Ed25519 key.")
    public = key.public_bytes_raw()
    if is_weak(public):
        raise ProtocolError("The host's key is one that anybody can sign with.")
    return public
