"""Hello, proof, password, welcome: both ends as small state machines.

    host                                member
      <======= TLS 1.3 handshake =======>
      Card (room, nonce, locked) ------>
                          <-------------  Hello (nick, key, nonce, proof; share)
      Share               ------------->              }
                          <-------------  Confirm     } a locked room only
      Confirm             ------------->              }
      Welcome or Refused  ------------->

The host speaks first, so that whoever only lists rooms reads one line and goes, and a member needs
one round trip. A proof is a signature over Binding: it fits this room, this host's certificate and
these two nonces, so it can be neither replayed nor carried to another room or host.

A password is never sent (net/password.py). The host confirms last, so whoever does not know it learns
nothing but "no" from an attempt; and a member takes no Welcome to a locked room without the host's Confirm, nor
any to an open one where it came with a password: else whoever stands in between would only have to say "open".

Key operations come in as functions, time and randomness as values.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lanchat import errors
from lanchat.protocol.binding import Binding
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import (
    VERSION,
    Card,
    Closing,
    Confirm,
    FromHost,
    FromMember,
    Hello,
    Present,
    Refused,
    Share,
    Welcome,
)

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes, bytes], bool]  # key, signature, text


class Exchange(Protocol):
    """One side of a password exchange; good for one attempt."""

    share: bytes

    def finish(self, share: bytes) -> None:
        """Take the other side's share; raises ProtocolError where it is none."""

    def confirm_member(self) -> bytes: ...
    def confirm_host(self) -> bytes: ...


@dataclass(frozen=True)
class Newcomer:
    """Somebody who has shown who they are and waits to be let into the room."""

    key: bytes  # Ed25519 public key, raw
    nick: str
    after: int = -1


class HostGreeting:
    """The host's end, for one link. Owned by that link's reader thread.

    Args:
        card: what this link is told first; its nonce must be fresh.
        certificate: the host's certificate, DER.
        host_key: the raw public key in it.
        attempt: for a locked room: begins a password exchange with the member of this key, or says why not
            now. Called once, before anything about the password is computed: an attempt counts from its start.
    """

    def __init__(
        self,
        card: Card,
        *,
        certificate: bytes,
        host_key: bytes,
        verify: Verify,
        attempt: Callable[[bytes, bytes], Exchange | Refused] | None = None,
    ) -> None:
        self._card = card
        self._certificate = hashlib.sha256(certificate).digest()
        self._host_key = host_key
        self._verify = verify
        self._attempt = attempt
        self._arrival: Newcomer | None = None
        self._exchange: Exchange | None = None

    def opening(self) -> Card:
        return self._card

    def receive(self, message: FromMember) -> tuple[Share | Confirm | Refused | None, Newcomer | None]:
        """One message of the member.

        Returns:
            What to answer, if anything; and who has arrived, once that is certain.

        Raises:
            errors.ProtocolError: this is not how a member begins.
        """
        match message:
            case Hello() if self._arrival is None:
                return self._hello(message)
            case Confirm() if self._arrival is not None and self._exchange is not None:
                if not hmac.compare_digest(message.mac, self._exchange.confirm_member()):
                    return Refused("password", "The password is wrong."), None
                return Confirm(self._exchange.confirm_host()), self._arrival
            case _:
                raise errors.ProtocolError("This is not how a member begins.")

    def _hello(self, hello: Hello) -> tuple[Share | Refused | None, Newcomer | None]:
        if hello.v != VERSION:
            return _other_version(hello.v), None
        binding = Binding(
            VERSION,
            self._card.room,
            self._certificate,
            self._card.nonce,
            hello.nonce,
            hello.key,
            self._host_key,
            hello.nick,
        )
        if not self._verify(hello.key, hello.proof, binding.text()):
            raise errors.ProtocolError("The proof of identity does not fit.")
        self._arrival = Newcomer(hello.key, hello.nick, hello.after)
        if self._attempt is None:
            return None, self._arrival
        if not hello.share:
            return Refused("password", "This room has a password."), None
        exchange = self._attempt(hello.key, self._certificate)
        if isinstance(exchange, Refused):
            return exchange, None
        exchange.finish(hello.share)
        self._exchange = exchange
        return Share(exchange.share), None


class MemberGreeting:
    """The member's end, for one link.

    Args:
        exchange: for a room that may be locked: begins a password exchange for this room, with the SHA-256
            of the certificate the host showed; None: we know no password.
    """

    def __init__(
        self,
        *,
        nick: str,
        key: bytes,
        nonce: bytes,
        sign: Sign,
        certificate: bytes,
        host_key: bytes,
        after: int = -1,
        exchange: Callable[[str, bytes], Exchange] | None = None,
    ) -> None:
        self._nick = nick
        self._key = key
        self._nonce = nonce
        self._sign = sign
        self._certificate = hashlib.sha256(certificate).digest()
        self._host_key = host_key
        self._after = after
        self._begin_exchange = exchange
        self._exchange: Exchange | None = None
        self._shared = False  # the host's share is taken: before that there is no key to confirm
        self._confirmed = False
        self._welcome: Welcome | None = None
        self._present: list[Present] = []

    @property
    def result(self) -> tuple[Welcome, tuple[Present, ...]] | None:
        """The welcome and everybody who is in the room, once all of that has come."""
        if self._welcome is None or len(self._present) < self._welcome.people:
            return None
        return self._welcome, tuple(self._present)

    def hello(self, card: Card) -> Hello:
        """The answer to a host's card.

        Raises:
            errors.Refused: the host speaks another version; the room is locked and we know no password, or the
                other way round.
        """
        check_version(card)
        if card.locked:
            if self._begin_exchange is None:
                raise errors.Refused("This room has a password.", "Ask the host for it.", code="password")
            self._exchange = self._begin_exchange(card.room, self._certificate)
        elif self._begin_exchange is not None:
            raise errors.Refused(
                "You came with a password, and this room has none: somebody may be impersonating it.",
                "Ask the host. If the room is open to all, join without a password.",
                code="unlocked",
            )
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
        share = b"" if self._exchange is None else self._exchange.share
        return Hello(VERSION, self._nick, self._key, self._nonce, self._sign(binding.text()), self._after, share)

    def receive(self, message: FromHost) -> Confirm | None:
        """Take one message of the host.

        Returns:
            A Confirm to send, if there is one.

        Raises:
            errors.Refused: the host said no, or does not know the password itself.
            errors.ConnectionLost: the room closes just now.
            errors.ProtocolError: this is no answer to a hello.
        """
        match message:
            case Refused(code=code, text=text, suggestion=suggestion):
                raise errors.Refused(text, code=code, suggestion=suggestion)
            case Closing():
                raise farewell(message)
            case Share(share=share) if self._exchange is not None and not self._shared:
                self._exchange.finish(share)
                self._shared = True
                return Confirm(self._exchange.confirm_member())
            case Confirm(mac=mac) if self._exchange is not None and self._shared:
                if not hmac.compare_digest(mac, self._exchange.confirm_host()):
                    raise errors.Refused(
                        "The host does not know this room's password: somebody may be impersonating it.",
                        code="password",
                    )
                self._confirmed = True
                return None
            case Welcome(people=people) if self._welcome is None and (self._exchange is None or self._confirmed):
                if people > MAX_PEOPLE:
                    raise errors.ProtocolError(f"The host speaks of {people} people in one room.")
                self._welcome = message
                return None
            case Present() if self._welcome is not None:
                self._present.append(message)
                return None
            case _:
                raise errors.ProtocolError("The host answered a hello with something else.")


def farewell(closing: Closing) -> errors.LanchatError:
    """What a host's last line means to a member."""
    if closing.code == "closed":
        return errors.RoomClosed(closing.text)
    return errors.Refused(closing.text, code=closing.code)


def check_version(card: Card) -> None:
    """
    Raises:
        errors.Refused: the host speaks another version.
    """
    if card.v != VERSION:
        raise errors.Refused(
            f"The host speaks version {card.v} of lanchat's wire, this program version {VERSION}.",
            "Use the same release of lanchat on both sides.",
            code="version",
        )


def _other_version(theirs: int) -> Refused:
    return Refused("version", f"This room speaks version {VERSION} of lanchat's wire, you speak {theirs}.")
