"""Hello, proof, password, welcome: both ends as small state machines.

    host                                member
      <======= TLS 1.3 handshake =======>
      Card (room, nonce, password) ---->
                          <-------------  Hello (nick, key, nonce, proof; share)
      Share               ------------->              }
                          <-------------  Confirm     } only in a room with a password
      Confirm             ------------->              }
      Welcome or Refused  ------------->

The host speaks first, so that a client that only lists rooms reads one line and disconnects, and a member needs one
round trip. A proof is a signature over a Binding: it fits this room, this host's certificate and these two nonces, so
it can be neither replayed nor used for another room or host.

A password is never sent (network/password.py). The host confirms last, so an attempt with a wrong password reveals
nothing but "no". A member takes no Welcome to a room with a password before the host's Confirm. With a password it
takes no Welcome to a room without one either: otherwise a machine in the middle would only have to say that there is
none.

Key operations come in as functions, time and randomness as values.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lanchat import errors
from lanchat.protocol.binding import Binding
from lanchat.protocol.closings import farewell, refusal
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import (
    VERSION,
    Card,
    Closing,
    FromHost,
    FromMember,
    Hello,
    Notice,
    Ping,
    Pong,
    Present,
    Refused,
    Welcome,
)
from lanchat.protocol.password import Confirm, Share
from lanchat.protocol.text import safe_text
from lanchat.protocol.version import check_version, other_version

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes, bytes], bool]  # key, signature, text


class Exchange(Protocol):
    """One side of a password exchange, for one attempt."""

    share: bytes

    def finish(self, share: bytes) -> None:
        """Take the other side's share; raises ProtocolError if it is not valid."""

    def confirm_member(self) -> bytes: ...
    def confirm_host(self) -> bytes: ...


@dataclass(frozen=True)
class Newcomer:
    """A client that has proven its identity and waits to be admitted to the room."""

    key: bytes  # Ed25519 public key, raw
    nick: str
    after: int = -1
    standby: int = 0  # as in the Hello
    bot: bool = False  # the same
    papers: tuple[bytes, bytes] = (b"", b"")  # the delegation and the term record of the Hello


class HostGreeting:
    """The host's end, for one link. Owned by that link's reader thread.

    Args:
        card: the first line on this link; its nonce must be fresh.
        binding: 32 bytes that no other link has: SHA-256 of the host's certificate, or the binding of a sealed channel.
        host_key: the host's raw public key.
        attempt: for a room with a password: begins an exchange with the member of this key, or returns why there is
            none now. Called once, before anything about the password is computed: an attempt counts from its start.
        admits: for a guest of a room with a password: whether the ticket in a hello is good.
    """

    def __init__(
        self,
        card: Card,
        *,
        binding: bytes,
        host_key: bytes,
        verify: Verify,
        attempt: Callable[[bytes, bytes], Exchange | Refused] | None = None,
        admits: Callable[[Hello], bool] | None = None,
    ) -> None:
        self._card = card
        self._binding = binding
        self._admits = admits
        self._host_key = host_key
        self._verify = verify
        self._attempt = attempt
        self._newcomer: Newcomer | None = None
        self._exchange: Exchange | None = None

    @property
    def tried(self) -> bool:
        """Whether the member has given a password."""
        return self._exchange is not None

    def opening(self) -> Card:
        return self._card

    def receive(self, message: FromMember) -> tuple[Share | Confirm | Refused | None, Newcomer | None]:
        """Handle one message of the member.

        Returns:
            The answer, if there is one; and the newcomer, once the identity is proven.

        Raises:
            errors.ProtocolError: the message does not belong here.
        """
        match message:
            case Hello() if self._newcomer is None:
                return self._hello(message)
            case Confirm() if self._newcomer is not None and self._exchange is not None:
                if not hmac.compare_digest(message.mac, self._exchange.confirm_member()):
                    return Refused("password", "The password is wrong."), None
                return Confirm(self._exchange.confirm_host()), self._newcomer
            case _:
                raise errors.ProtocolError("This message does not belong in the handshake.")

    def _hello(self, hello: Hello) -> tuple[Share | Refused | None, Newcomer | None]:
        if hello.v != VERSION:
            return other_version(hello.v), None
        binding = Binding(
            VERSION,
            self._card.room,
            self._binding,
            self._card.nonce,
            hello.nonce,
            hello.key,
            self._host_key,
            hello.nick,
        )
        if not self._verify(hello.key, hello.proof, binding.text()):
            raise errors.ProtocolError("The proof of identity does not fit.")
        if self._admits is not None and not self._admits(hello):
            return Refused("ticket", "This guest link is no longer valid. Ask the host for a new one."), None
        papers = hello.delegation, hello.term
        self._newcomer = Newcomer(hello.key, hello.nick, hello.after, hello.standby, hello.bot, papers)
        if self._attempt is None:
            return None, self._newcomer
        if not hello.share:
            return Refused("password", "This room has a password."), None
        exchange = self._attempt(hello.key, self._binding)
        if isinstance(exchange, Refused):
            return exchange, None
        exchange.finish(hello.share)
        self._exchange = exchange
        return Share(exchange.share), None


class MemberGreeting:
    """The member's end, for one link.

    Args:
        standby: whether this computer may be named a standby, as in a hello.
        papers: the newest delegation that this member knows, and the record of the last host.
        bot: a program speaks on this link.
        exchange: begins a password exchange for a room, with the SHA-256 of the certificate that the host showed;
            None: we know no password.
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
        standby: int = 0,
        papers: tuple[bytes, bytes] = (b"", b""),
        bot: bool = False,
        exchange: Callable[[str, bytes], Exchange] | None = None,
    ) -> None:
        self._nick = nick
        self._key = key
        self._nonce = nonce
        self._sign = sign
        self._certificate = hashlib.sha256(certificate).digest()
        self._host_key = host_key
        self._after = after
        self._standby = standby
        self._papers, self._bot = papers, bot
        self._begin_exchange = exchange
        self._exchange: Exchange | None = None
        self._shared = False  # whether the host's share has come: before that there is no key to confirm
        self._confirmed = False
        self._welcome: Welcome | None = None
        self._present: list[Present] = []

    @property
    def result(self) -> tuple[Welcome, tuple[Present, ...]] | None:
        """The welcome and the people in the room, once all of that has come."""
        if self._welcome is None or len(self._present) < self._welcome.people:
            return None
        return self._welcome, tuple(self._present)

    def hello(self, card: Card, *, by_key: bool = False) -> Hello:
        """The answer to a host's card.

        Args:
            by_key: the other side is a standby of the room, which asks for our key and for no password.

        Raises:
            errors.Refused: the host speaks another version; or the room has a password and we know none, or we know
                one and it has none.
        """
        check_version(card)
        if card.password and not by_key:
            if self._begin_exchange is None:
                title = safe_text(card.title)
                raise errors.Refused(f'The room "{title}" has a password.', "Ask the host for it.", code="password")
            self._exchange = self._begin_exchange(card.room, self._certificate)
        elif self._begin_exchange is not None:
            raise errors.Refused(
                "This room has no password, but you came with one.",
                "If it is open to all, join without a password (unset LANCHAT_PASSWORD). If it should have one, ask "
                "the host: somebody may be impersonating it.",
                code="open",
            )
        binding = Binding(
            VERSION, card.room, self._certificate, card.nonce, self._nonce, self._key, self._host_key, self._nick
        )
        share = b"" if self._exchange is None else self._exchange.share
        proof = self._sign(binding.text())
        beginning = VERSION, self._nick, self._key, self._nonce, proof, self._after, share
        return Hello(*beginning, self._standby, *self._papers, bot=self._bot)

    def receive(self, message: FromHost) -> Confirm | Pong | None:
        """Handle one message of the host.

        Returns:
            The answer to send, if there is one.

        Raises:
            errors.Refused: the host said no, or does not know the password itself.
            errors.ConnectionLost: the room closes just now.
            errors.ProtocolError: the message does not belong here.
        """
        match message:
            case Refused():
                raise refusal(message)
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
            case Ping():
                return Pong()
            case Pong() | Notice():
                return None  # it has no place here, and does no harm
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
