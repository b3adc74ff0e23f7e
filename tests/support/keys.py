"""Keys that nobody should use: files that hold none, and certificates of any public key."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, password: bytes = b"") -> bytes:
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


NO_KEYS = {
    "empty": b"",
    "zeros": b"\x00" * 100,
    "text": b"not a key",
    "cut": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "another kind": pem(ec.generate_private_key(ec.SECP256R1())),
    "encrypted": pem(ed25519.Ed25519PrivateKey.generate(), b"password"),
}


def certificate_of(public: bytes) -> bytes:
    """A certificate (DER) of this raw Ed25519 key, signed with another."""
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, ed25519.Ed25519PublicKey.from_public_bytes(public), 1)
    builder = builder.not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2030, 1, 1))
    return builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(serialization.Encoding.DER)
