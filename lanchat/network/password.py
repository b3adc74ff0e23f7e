"""Proves that both sides know a room's password, without sending it. Only here `spake2` and `mnemonic` are used.

The exchange is SPAKE2. The password is stretched (scrypt, with the room id as salt) and never leaves this machine. The
exchange is bound to both sides: to the member's key, and to the certificate that the member saw. So a machine in the
middle fails even if it passes on the right messages. Each side then proves that it has the same key, the host only
after the member. So a stranger gets one guess for each attempt, and so does a malicious host.
SPAKE2 itself does not confirm the key: a wrong password gives two different keys and no error (python-spake2).
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

from lanchat.errors import LanchatError, ProtocolError

SHARE_SIZE = 33  # bytes: the side, then a point of Ed25519
SECRET_SIZE = 32  # bytes

_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**15, 8, 1  # 130 ms and 32 MiB: cheap for one join, too expensive for a dictionary
_SCRYPT_MEMORY = 64 * 1024 * 1024  # bytes; OpenSSL's own limit is just below what n and r need

WORDS_IN_PASSWORD = 3  # of 2,048: 33 bits; at the 30 guesses a minute that a host allows, half of them take 270 years


def stretch(password: str, room: str) -> bytes:
    """The secret that both sides put into the exchange. Takes about 130 ms.

    Raises:
        LanchatError: the password is not valid Unicode.
    """
    try:
        typed = password.encode()
    except UnicodeEncodeError:
        raise LanchatError("This password is not text that others could type.", "Choose another.") from None
    return hashlib.scrypt(
        typed,
        salt=b"lanchat room " + room.encode(),
        n=_SCRYPT_N,
        r=_SCRYPT_R,
        p=_SCRYPT_P,
        maxmem=_SCRYPT_MEMORY,
        dklen=SECRET_SIZE,
    )


class PasswordExchange:
    """One side of a password exchange, for one attempt. It takes 14 ms of CPU in all.

    Args:
        member: raw key of the member.
        certificate: SHA-256 of the host's certificate, as this side knows it.
    """

    def __init__(self, secret: bytes, *, host: bool, member: bytes, certificate: bytes) -> None:
        from spake2 import SPAKE2_A, SPAKE2_B  # takes 90 ms, so it is loaded only when there is a password

        side = SPAKE2_B if host else SPAKE2_A
        self._side = side(secret, idA=member, idB=certificate)
        self._host = host
        self.share: bytes = self._side.start()
        self._key = b""
        self._transcript = b""

    def finish(self, share: bytes) -> None:
        """Take the other side's share.

        Raises:
            ProtocolError: it is not a valid share.
        """
        if len(share) != SHARE_SIZE or not _is_canonical(share[1:]):
            raise ProtocolError("The password exchange is malformed.")
        try:
            key = self._side.finish(share)
        except Exception:  # spake2 raises half a dozen types, assertions among them, and all mean the same
            raise ProtocolError("The password exchange is malformed.") from None
        self._transcript = share + self.share if self._host else self.share + share
        self._key = hashlib.sha256(b"lanchat room key" + key).digest()

    def confirm_member(self) -> bytes:
        """The member's proof that it has the same key."""
        return self._mac(b"member")

    def confirm_host(self) -> bytes:
        """The host's proof. It is never sent before the member's proof was checked."""
        return self._mac(b"host")

    def _mac(self, who: bytes) -> bytes:
        if not self._key:  # anybody could make a MAC under an empty key
            raise ProtocolError("The password exchange is out of order.")
        return hmac.digest(self._key, b"lanchat confirm " + who + self._transcript, "sha256")


def _is_canonical(point: bytes) -> bool:
    """Whether these 32 bytes are the canonical encoding of a point of the curve, and the point is not the identity.

    spake2 accepts other encodings as well: with a y at or above the prime, or with a sign where x is 0.
    """
    from spake2 import ed25519_basic as curve

    try:
        element = curve.bytes_to_unknown_group_element(point)
    except curve.NotOnCurve:
        return False
    return bytes(element.to_bytes()) == point != bytes(curve.Zero.to_bytes())


def make_password(choose: Callable[[list[str]], str] = secrets.choice) -> str:
    """Three words that can be said across a table: 33 bits, from the word list of BIP 39."""
    from mnemonic import Mnemonic

    words: list[str] = Mnemonic("english").wordlist
    return "-".join(choose(words) for _ in range(WORDS_IN_PASSWORD))
