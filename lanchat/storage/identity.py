"""A person's identity: the long-lived key in LANCHAT_HOME, and the certificate a host shows for it.

The key's fingerprint is SHA-256 over the public key (SPKI); the member id in a room is the first 128 bits of it.
"""

import os
import secrets
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import SEED_SIZE, PrivateKey, key_from_pem, key_from_seed, key_to_pem, self_signed
from lanchat.protocol.text import argument
from lanchat.storage.files import file_errors, make_folder, write_file

KEY_FILE = "identity.key"
CERTIFICATE_FILE = "identity.crt"


@dataclass(frozen=True)
class Identity:
    """The key of the person at this machine. TLS takes the key and the certificate by their paths."""

    private: PrivateKey
    key_path: Path
    certificate_path: Path
    certificate: bytes  # DER

    @cached_property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        """The member id."""
        return member_id(self.public)

    def sign(self, text: bytes) -> bytes:
        return self.private.sign(text)


def load_identity(home: Path) -> Identity:
    """The identity in this folder. The first call makes it.

    Programs that start at once all get the same one.

    Raises:
        LanchatError: the folder cannot be written, or the key file cannot be used.
    """
    key_path, certificate_path = home / KEY_FILE, home / CERTIFICATE_FILE
    with file_errors(home):
        make_folder(home)
    with file_errors(key_path):
        if not os.path.lexists(key_path):  # lexists: a dangling symlink is refused below, not followed
            write_file(key_path, key_to_pem(key_from_seed(secrets.token_bytes(SEED_SIZE))), durable=True, replace=False)
        key = _read_key(key_path)
    certificate, pem = self_signed(key)
    with file_errors(certificate_path):
        stored = b""
        with suppress(FileNotFoundError):
            stored = certificate_path.read_bytes()
        if stored != pem:
            write_file(certificate_path, pem, durable=False)  # it can be made again at any time
    return Identity(key, key_path, certificate_path, certificate)


def find_identity(home: Path) -> Identity | None:
    """The identity in this folder; None if there is none, and then none is made.

    Raises:
        LanchatError: as `load_identity`.
    """
    return load_identity(home) if os.path.lexists(home / KEY_FILE) else None


def find_public_key(home: Path) -> bytes | None:
    """The raw public key of the identity in this folder; None if there is none. It makes no file.

    Raises:
        LanchatError: the key file cannot be used.
    """
    path = home / KEY_FILE
    if not os.path.lexists(path):
        return None
    with file_errors(path):
        return _read_key(path).public_key().public_bytes_raw()


def _read_key(path: Path) -> PrivateKey:
    _check_private(path)
    try:
        return key_from_pem(path.read_bytes())
    except ValueError:
        raise LanchatError(
            f"{path} is damaged: it holds no Ed25519 key.",
            "Restore it from a copy, or move it away to start with a new identity: "
            f"mv {argument(str(path))} {argument(f'{path}.bad')}",
        ) from None


def _check_private(path: Path) -> None:
    """Refuse a key file that others can read or have put there, as OpenSSH does."""
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise LanchatError(f"{path} is not a plain file, so it is not used as a key.", "Put the key itself there.")
    if sys.platform == "win32":
        return  # Windows protects a person's own folder by its access lists
    if about.st_uid != os.geteuid():
        raise LanchatError(
            f"{path} belongs to another user, so it is not used as a key.", "Set LANCHAT_HOME to a folder of your own."
        )
    if about.st_mode & 0o077:
        raise LanchatError(
            f"{path} can be read by others, so it is not used as a key.", f"Protect it: chmod 600 {argument(str(path))}"
        )
