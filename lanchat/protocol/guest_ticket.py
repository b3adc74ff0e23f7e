"""The ticket of a guest link: 16 random bytes that open a room with a password to a browser, for some hours. Pure.

The ticket stands in the fragment of the link, which a browser never sends. The page proves that it has it, and binds
the proof to its link and to its key, so that a proof is of no use anywhere else.
"""

import base64
import binascii
import hmac

from lanchat.protocol.binding import join_fields

TICKET_SIZE = 16  # bytes; nobody guesses 128 bits
_PURPOSE = b"lanchat guest ticket"


def ticket_proof(ticket: bytes, binding: bytes, key: bytes) -> bytes:
    """What a page sends in its hello, 32 bytes.

    Args:
        binding: of the sealed channel.
        key: the page's Ed25519 key, raw.
    """
    return hmac.digest(ticket, join_fields(_PURPOSE, binding, key), "sha256")


def fits(ticket: bytes, proof: bytes, binding: bytes, key: bytes) -> bool:
    """Whether this proof was made with this ticket, for this link and key."""
    return hmac.compare_digest(proof, ticket_proof(ticket, binding, key))


def ticket_text(ticket: bytes) -> str:
    """The ticket as it stands in a link: base64url without padding."""
    return base64.urlsafe_b64encode(ticket).rstrip(b"=").decode()


def ticket_from(text: str) -> bytes:
    """The opposite of `ticket_text`.

    Raises:
        ValueError: this is no ticket.
    """
    try:
        ticket = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("This is no guest link.") from None
    if len(ticket) != TICKET_SIZE or ticket_text(ticket) != text:
        raise ValueError("This is no guest link.")
    return ticket
