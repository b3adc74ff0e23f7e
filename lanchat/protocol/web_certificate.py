"""The certificates of the doors for browsers and IRC clients, which refuse Ed25519: P-256, self-signed. Pure.

That for browsers protects nothing by itself, because none can know it: what is said is sealed inside it (noise.py).
"""

import datetime
import ipaddress
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = datetime.timedelta(days=825)  # the most that Apple's systems accept
RENEWED = datetime.timedelta(days=30)  # before the end


def make_certificate(places: Iterable[str], now: datetime.datetime, valid: datetime.timedelta = VALID) -> bytes:
    """A new key and its certificate, one after the other in PEM.

    Args:
        places: the addresses and names of this machine.
        now: in UTC.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lanchat")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # clocks differ
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectAlternativeName([_place(text) for text in places]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem + certificate.public_bytes(serialization.Encoding.PEM)


def is_good(pem: bytes, places: Iterable[str], now: datetime.datetime) -> bool:
    """Whether this is a key and its certificate, names all these places, and is valid for a while."""
    try:
        private = serialization.load_pem_private_key(pem, password=None)
        found = x509.load_pem_x509_certificate(pem)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, x509.ExtensionNotFound):
        return False
    belongs = private.public_key() == found.public_key()
    return belongs and found.not_valid_after_utc - now > RENEWED and all(_place(text) in names for text in places)


def certificate_print(pem: bytes) -> str:
    """SHA-256 of the certificate, as browsers show it."""
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex().upper()


def _place(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return x509.DNSName(text)
