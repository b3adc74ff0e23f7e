"""A person's long-lived key. The door of `cryptography`.

The key is an Ed25519 key; its fingerprint is SHA-256 over the public key (SPKI), and the member id
in a room is the first 128 bits of that. The same key makes the self-signed certificate of a host.
A certificate is not a secret and can be made again from the key at any time.
"""

import datetime
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.ids import member_id

KEY_FILE = "identity.key"
CERTIFICATE_FILE = "identity.crt"


@dataclass(frozen=True)
class Identity:
    """The key of the person at this machine, and where the files for TLS are."""

    private: Ed25519PrivateKey
    key_path: Path
    certificate_path: Path
    certificate: bytes  # DER

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        return member_id(self.public)

    def sign(self, text: bytes) -> bytes:
        return self.private.sign(text)


def load_identity(home: Path) -> Identity:
    """The identity kept in this folder, made on first use.

    Raises:
        LanchatError: the folder cannot be written, or the key file cannot be used.
    """
    key_path, certificate_path = home / KEY_FILE, home / CERTIFICATE_FILE
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.path.lexists(key_path):
            _create(key_path, _new_key())
        private = _read_key(key_path)
        certificate = _certificate(private, certificate_path)
    except OSError as error:
        raise LanchatError(
            f"cannot use {error.filename or home}: {error.strerror or error}",
            "set LANCHAT_HOME to a folder you can write to",
        ) from None
    return Identity(private, key_path, certificate_path, certificate)


def verify(public: bytes, signature: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def certificate_key(certificate: bytes) -> bytes:
    """The raw Ed25519 public key in a certificate (DER).

    Raises:
        ProtocolError: it holds no such key.
    """
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise ProtocolError("The host's certificate cannot be read.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ProtocolError("The host's certificate holds no Ed25519 key.")
    return key.public_bytes_raw()


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _create(path: Path, content: bytes) -> None:
    """Write a new file whole or not at all. Two programs that start at once end up with one and the same file."""
    draft = _draft(path, content)
    try:
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # somebody was faster; theirs is the key
    finally:
        draft.unlink()


def _draft(path: Path, content: bytes) -> Path:
    """A new file beside `path`, for its owner alone, on the disk."""
    file, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # not by process id: threads share it
    try:
        with os.fdopen(file, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        os.unlink(draft)
        raise
    return Path(draft)


def _read_key(path: Path) -> Ed25519PrivateKey:
    _check_private(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise LanchatError(
            f"{path} is damaged: it holds no Ed25519 key",
            f"restore it from a copy, or move it away to start with a new identity: mv '{path}' '{path}.bad'",
        )
    return key


def _check_private(path: Path) -> None:
    """The rule of OpenSSH: a key that others can read is no key."""
    about = path.lstat()
    if stat.S_ISLNK(about.st_mode) or not stat.S_ISREG(about.st_mode):
        raise LanchatError(f"{path} is not a plain file, so it is not used as a key", "put the key itself there")
    if os.name != "posix":
        return  # Windows keeps a person's own folder from others by its access lists
    if about.st_uid != os.geteuid():
        raise LanchatError(f"{path} belongs to another user, so it is not used as a key", "set LANCHAT_HOME elsewhere")
    if about.st_mode & 0o077:
        raise LanchatError(f"{path} can be read by others, so it is not used as a key", f"close it: chmod 600 '{path}'")


def _certificate(private: Ed25519PrivateKey, path: Path) -> bytes:
    """The certificate of this key (DER): the one in the file when it fits, else a new one written there."""
    public = private.public_key().public_bytes_raw()
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        if certificate_key(certificate.public_bytes(serialization.Encoding.DER)) == public:
            return certificate.public_bytes(serialization.Encoding.DER)
    except (FileNotFoundError, ValueError, ProtocolError):
        pass
    certificate = _self_signed(private)
    os.replace(_draft(path, certificate.public_bytes(serialization.Encoding.PEM)), path)
    return certificate.public_bytes(serialization.Encoding.DER)


def _self_signed(private: Ed25519PrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lanchat")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)  # so all that is in it follows from the key: two programs that make it at once make the same
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(9999, 12, 31))  # RFC 5280, 4.1.2.5: no end; what counts is the key
        .sign(private, None)
    )
