"""SASL PLAIN (RFC 4616), as IRC clients send it: in base64, in pieces of 400 bytes (IRCv3, sasl). Pure."""

import binascii
from dataclasses import dataclass

PIECE = 400  # bytes; a shorter piece, or "+", ends the message
MAX_MESSAGE = 1200  # bytes of base64


@dataclass(frozen=True)
class Login:
    """What a client has sent: a user name and a password."""

    user: str
    password: str


class PlainLogin:
    """Collects one message. `begun` once the client has named the mechanism."""

    def __init__(self) -> None:
        self.begun = False
        self._parts = ""

    def begin(self) -> None:
        self.begun, self._parts = True, ""

    def take(self, piece: str) -> Login | None:
        """Take a piece of the message.

        Returns:
            The message, if this was the last piece; None: there is more to come.

        Raises:
            OverflowError: it is too long.
            ValueError: it is no message of PLAIN.
        """
        if len(piece) > PIECE or len(self._parts) + len(piece) > MAX_MESSAGE:
            self.begun = False
            raise OverflowError
        self._parts += "" if piece == "+" else piece
        if len(piece) == PIECE:
            return None
        self.begun = False
        try:
            _, user, password = binascii.a2b_base64(self._parts.encode(), strict_mode=True).decode().split("\0")
        except (binascii.Error, UnicodeError) as error:
            raise ValueError("no message of PLAIN") from error
        return Login(user, password)
