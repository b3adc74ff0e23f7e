"""The topic of a room, which its host sets: the event and its rules. Pure."""

import unicodedata

from lanchat.protocol.fields import Entry, Name
from lanchat.protocol.text import safe_text

MAX_TOPIC = 240  # bytes of UTF-8; an IRC client gets it in one line


class Topic(Entry, frozen=True):
    """The host has said what the room is about."""

    topic: Name = ""  # "": nothing any more


def kept_topic(value: object) -> str:
    """The topic in a log, which may be damaged; empty if the value is no topic."""
    try:
        return clean_topic(value) if isinstance(value, str) else ""
    except ValueError:
        return ""


def clean_topic(text: str) -> str:
    """The topic in its canonical spelling; empty for none.

    Raises:
        ValueError: it is not a valid topic; the text is for a person.
    """
    try:
        text = unicodedata.normalize("NFC", text.strip())
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("A topic must be valid Unicode.") from None
    if size > MAX_TOPIC:
        raise ValueError(f"A topic may have at most {MAX_TOPIC} bytes; this one has {size}.")
    if safe_text(text) != text:
        raise ValueError("A topic must be one line of visible characters.")
    return text
