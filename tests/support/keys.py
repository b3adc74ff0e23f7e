"""Files that hold no usable key."""

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
