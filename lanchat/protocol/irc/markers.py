"""MARKREAD: up to which time a client has read (IRCv3, read-marker). Pure."""

from lanchat.protocol.irc.encode import written
from lanchat.protocol.irc.history import moment_of
from lanchat.protocol.irc.line import made
from lanchat.protocol.irc.numerics import word

_BEGIN = "timestamp="


def marker(server: str, target: str, at: int | None) -> bytes:
    """The line that says up to when this target was read; None: nobody knows."""
    return made(server, "MARKREAD", word(target), "*" if at is None else f"{_BEGIN}{written(at)}")


def marked(text: str) -> int | None:
    """The time that a client names, in ms since 1970; None: the text is no time."""
    return moment_of(text.removeprefix(_BEGIN)) if text.startswith(_BEGIN) else None
