"""Events as single lines, for scripts and for `lanchat history`: as text, or as JSON. Pure."""

import json

from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Record, Said, Told
from lanchat.protocol.text import safe_nick, safe_text


def event_json(event: Record) -> str:
    """One event as a line of JSON, in pure ASCII: harmless on a terminal, whatever is in it."""
    kind = type(event).__name__.lower()
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return json.dumps({"event": kind, **fields})


def message_line(said: Said) -> str:
    text = _one_line(said.text)
    nick = ("" if is_verified(said.by) else "~") + safe_nick(said.nick)
    return f"* {nick} {text}" if said.action else f"{nick}: {text}"


def private_line(told: Told) -> str:
    """A private message to us. No nick contains a bracket, so no public message can look like this."""
    return f"[{safe_nick(told.nick)} -> you] {_one_line(told.text)}"


def _one_line(text: str) -> str:
    return safe_text(text, lines=True).replace("\n", "\\n")
