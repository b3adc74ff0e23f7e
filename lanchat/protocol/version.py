"""The sentences for a host and a member of different versions. Pure."""

from lanchat import errors
from lanchat.protocol.messages import VERSION, Card, Refused


def check_version(card: Card) -> None:
    """Refuse a host of another version.

    Raises:
        errors.Refused: it speaks another version.
    """
    if card.v != VERSION:
        raise errors.Refused(
            f"The host speaks version {card.v} of lanchat's protocol, this program version {VERSION}.",
            "Use the same release of lanchat on both sides.",
            code="version",
        )


def other_version(theirs: int) -> Refused:
    """The answer to a member of this version."""
    return Refused("version", f"This room speaks version {VERSION} of lanchat's protocol, you speak {theirs}.")
