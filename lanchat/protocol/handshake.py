"""Hello, proof, welcome: both ends as small state machines.

    host                                member
      <======= TLS 1.3 handshake =======>
      Card (room, nonce)  ------------->
                          <-------------  Hello (nick, key, nonce, proof)
      Welcome or Refused  ------------->

The host speaks first, so that whoever only lists rooms reads one line and goes, and a member needs
one round trip. A proof is a signature over Binding: it fits this room, this host's certificate and
these two nonces, so it can be neither replayed nor carried to another room or host.

Key operations come in as functions, time and randomness as values.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from lanchat import errors
from lanchat.protocol.messages import VERSION, Card, FromHost, FromMember, Hello, Refused, Welcome

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes, bytes], bool]  # key, signature, text

_PURPOSE = b"lanchat member proof"


@dataclass(frozen=True)
class Binding:
    """What a proof is bound to. Every field has a fixed meaning and a length before it: no two bindings read alike."""

    version: int
    room: str
    certificate: bytes  # SHA-256 of the server certificate (DER) on this link
    host_nonce: bytes
    member_nonce: bytes
    member_key: bytes
    host_key: bytes
    nick: str

    def text(self) -> bytes:
        """The bytes that are signed."""
        fields = [
            _PURPOSE,
            str(self.version).encode(),
            self.room.encode(),
            self.certificate,
            self.host_nonce,
            self.member_nonce,
            self.member_key,
            self.host_key,
            self.nick.encode("utf-8", "surrogatepass"),
        ]
        return b"".join(len(field).to_bytes(4) + field for field in fields)


@dataclass(frozen=True)
class Arrival:
    """Somebody who has shown who they are and waits to be let into the room."""

    key: bytes  # Ed25519 public key, raw; empty for a door without keys
    nick: str
    after: int = -1


class HostGreeting:
    """The host's end, for one link. Owned by that link's reader thread."""

    def __init__(self, card: Card, *, certificate: bytes, host_key: bytes, verify: Verify) -> None:
        """
        Args:
            card: what this link is told first; its nonce must be fresh.
            certificate: the host's certificate, DER.
            host_key: the raw public key in it.
        """
        self._card = card
        self._certificate = hashlib.sha256(certificate).digest()
        self._host_key = host_key
        self._verify = verify

    def opening(self) -> Card:
        return self._card

    def receive(self, message: FromMember) -> Arrival | Refused:
        """
        Raises:
            errors.ProtocolError: this is not how a member begins.
        """
        if not isinstance(message, Hello):
            raise errors.ProtocolError("the first message is not a hello")
        if message.v != VERSION:
            return Refused("version", f"this room speaks version {VERSION} of lanchat's wire, you speak {message.v}")
        binding = Binding(
            VERSION,
            self._card.room,
            self._certificate,
            self._card.nonce,
            message.nonce,
            message.key,
            self._host_key,
            message.nick,
        )
        if not self._verify(message.key, message.proof, binding.text()):
            raise errors.ProtocolError("the proof of identity does not fit")
        return Arrival(message.key, message.nick, message.after)


class MemberGreeting:
    """The member's end, for one link."""

    def __init__(
        self, *, nick: str, key: bytes, nonce: bytes, sign: Sign, certificate: bytes, host_key: bytes, after: int = -1
    ) -> None:
        self._nick = nick
        self._key = key
        self._nonce = nonce
        self._sign = sign
        self._certificate = hashlib.sha256(certificate).digest()
        self._host_key = host_key
        self._after = after

    def hello(self, card: Card) -> Hello:
        """The answer to a host's card.

        Raises:
            errors.Refused: the host speaks another version.
        """
        check_version(card)
        binding = Binding(
            VERSION,
            card.room,
            self._certificate,
            card.nonce,
            self._nonce,
            self._key,
            self._host_key,
            self._nick,
        )
        return Hello(VERSION, self._nick, self._key, self._nonce, self._sign(binding.text()), self._after)

    def receive(self, message: FromHost) -> Welcome:
        """The host's decision.

        Raises:
            errors.Refused: the host said no.
            errors.ProtocolError: this is no decision.
        """
        match message:
            case Welcome():
                return message
            case Refused(code=code, text=text, suggestion=suggestion):
                raise errors.Refused(text, code=code, suggestion=suggestion)
            case _:
                raise errors.ProtocolError("the host answered a hello with something else")


def check_version(card: Card) -> None:
    if card.v != VERSION:
        raise errors.Refused(
            f"the host speaks version {card.v} of lanchat's wire, this program version {VERSION}",
            "use the same release of lanchat on both sides",
            code="version",
        )
