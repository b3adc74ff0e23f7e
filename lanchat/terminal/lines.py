"""Messages as single lines, for scripts. Pure."""

from lanchat.client.events import PrivateMessage
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Said
from lanchat.protocol.text import safe_nick, safe_text


def message_line(said: Said) -> str:
    text = _one_line(said.text)
    nick = ("" if is_verified(said.by) else "~") + safe_nick(said.nick)
    return f"* {nick} {text}" if said.action else f"{nick}: {text}"


def private_line(message: PrivateMessage) -> str:
    """A private message to us. No nick contains a bracket, so no public message can look like this."""
    tilde = "" if is_verified(message.by) else "~"
    return f"[{tilde}{safe_nick(message.nick)} -> you] {_one_line(message.text)}"


def _one_line(text: str) -> str:
    return safe_text(text, lines=True).replace("\n", "\\n")
