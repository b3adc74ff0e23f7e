"""Messages as single lines, for scripts, and times as the clock shows them. Pure."""

from datetime import date, datetime, tzinfo

from lanchat.client.events import PrivateMessage
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Said
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.text import safe_text
from lanchat.terminal.phrases import moment_text


def message_line(said: Said) -> str:
    text = _one_line(said.text)
    nick = ("" if is_verified(said.by) else "~") + safe_nick(said.nick)
    return f"* {nick} {text}" if said.action else f"{nick}: {text}"


def private_line(message: PrivateMessage) -> str:
    """A private message to us. No nick contains a bracket, so no public message can look like this."""
    tilde = "" if is_verified(message.by) else "~"
    return f"[{tilde}{safe_nick(message.nick)} -> you] {_one_line(message.text)}"


def moment_of(at: int, zone: tzinfo | None = None) -> datetime | None:
    """This time in ms since 1970; None: there is no such time. A host may send any number."""
    try:
        return datetime.fromtimestamp(at / 1000, zone)
    except (ValueError, OverflowError, OSError):
        return None


def clock_text(at: int, today: date, zone: tzinfo | None = None) -> str:
    """The time, in ms since 1970, and the day if it is another one than today."""
    moment = moment_of(at, zone)
    return "--:--" if moment is None else moment_text(moment, today)


def _one_line(text: str) -> str:
    return safe_text(text, lines=True).replace("\n", "\\n")
