"""A room's password, proven without being shown: SPAKE2. The door of `spake2` and `mnemonic`.

The password is stretched (scrypt, with the room id as salt) and never leaves this machine. Both sides mix
into the exchange who they are: the member its key and the host the certificate the member saw, so whoever stands
in between fails even when handing on the right messages. Each side then proves that it came to the same key; the
host only after the member has, so a stranger gets one guess for each attempt, and an evil host too.
SPAKE2 itself does not confirm the key; a wrong password gives two different keys and no error (python-spake2).
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

from lanchat.errors import LanchatError, ProtocolError

SHARE_SIZE = 33  # bytes: the side, then a point of Ed25519
SECRET_SIZE = 32  # bytes

_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**15, 8, 1  # 130 ms and 32 MiB here: once for each join, too dear for a dictionary
_SCRYPT_MEMORY = 64 * 1024 * 1024  # bytes; OpenSSL's own limit is just below what n and r need
_PRIME = 2**255 - 19  # of the curve; a y at or above it is a second spelling of a point

WORDS_IN_PASSWORD = 3  # of 2,048: 33 bits, which at 10 guesses a minute last for 800 years


def stretch(password: str, room: str) -> bytes:
    """The secret both sides feed into the exchange. Takes about 130 ms.

    Raises:
        LanchatError: the password is no text.
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


class Exchange:
    """One side of one exchange; good for one attempt. 14 ms of CPU in all.

    Args:
        member: raw key of the member.
        certificate: SHA-256 of the host's certificate, as this side knows it.
    """

    def __init__(self, secret: bytes, *, host: bool, member: bytes, certificate: bytes) -> None:
        from spake2 import SPAKE2_A, SPAKE2_B  # 90 ms: only who meets a password pays

        side = SPAKE2_B if host else SPAKE2_A
        self._side = side(secret, idA=member, idB=certificate)
        self._host = host
        self.share: bytes = self._side.start()
        self._key = b""
        self._transcript = b""

    def finish(self, share: bytes) -> None:
        """Take the other side's share.

        Raises:
            ProtocolError: it is none.
        """
        if len(share) != SHARE_SIZE or int.from_bytes(share[1:], "little") & (2**255 - 1) >= _PRIME:
            raise ProtocolError("The password exchange is malformed.")
        try:
            key = self._side.finish(share)
        except Exception:  # spake2 raises half a dozen kinds, some of them assertions; all mean the same
            raise ProtocolError("The password exchange is malformed.") from None
        self._transcript = share + self.share if self._host else self.share + share
        self._key = hashlib.sha256(b"lanchat room key" + key).digest()

    def confirm_member(self) -> bytes:
        """The member's proof that it came to the same key."""
        return self._mac(b"member")

    def confirm_host(self) -> bytes:
        """The host's; never shown before the member's was right."""
        return self._mac(b"host")

    def _mac(self, who: bytes) -> bytes:
        if not self._key:  # a MAC under no key is one that everybody can make
            raise ProtocolError("The password exchange is out of order.")
        return hmac.digest(self._key, b"lanchat confirm " + who + self._transcript, "sha256")


def make_password(choose: Callable[[list[str]], str] = secrets.choice) -> str:
    """Three words that can be said across a table: 33 bits of the list of BIP 39."""
    from mnemonic import Mnemonic

    words: list[str] = Mnemonic("english").wordlist
    return "-".join(choose(words) for _ in range(WORDS_IN_PASSWORD))
