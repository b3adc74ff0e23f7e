"""The status of a member, which is no event: whether they are away, and whether they are a program.

A status is no event: it has no seq, and no log keeps it.
"""

from typing import Annotated

from msgspec import Meta

from lanchat.protocol.fields import Message, Name, Short, Typed

MAX_AWAY = 300  # bytes of UTF-8; IRC's AWAYLEN is about that

AwayText = Annotated[str, Meta(max_length=MAX_AWAY)]  # as the host has cleaned it


class Away(Message, frozen=True):
    """From a member: it is away, and why; "": it is back."""

    text: Typed = ""


class Status(Message, frozen=True):
    """From the host: this is now so of a member."""

    by: Short  # member id
    nick: Name
    away: AwayText = ""  # "": they are not
    bot: bool = False  # all their sessions are those of programs


def clean_away(text: str) -> str:
    """The text of an `Away`, on one line.

    Raises:
        ValueError: it is too long, or not valid Unicode.
    """
    text = " ".join(text.split())
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("The text must be valid Unicode.") from None
    if size > MAX_AWAY:
        raise ValueError(f"{size} bytes are too many for why you are away ({MAX_AWAY} at most).")
    return text
