"""Events as single lines, for scripts and for `lanchat history`: as text, or as JSON. Pure."""

import json
from dataclasses import asdict

from lanchat.client.events import Private, PrivateMessage
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Said
from lanchat.protocol.text import safe_nick, safe_text


def event_json(event: Event | Private) -> str:
    """One event as a line of JSON, in pure ASCII: harmless on a terminal, whatever is in it."""
    if isinstance(event, Private):
        kind, optional = ("told" if isinstance(event, PrivateMessage) else "file_private"), ("problem", "reason")
        told = {name: value for name, value in asdict(event).items() if name not in optional or value}
        return json.dumps({"event": kind, **told})
    fields = {name: getattr(event, name) for name in event.__struct_fields__ if name != "key"}
    return json.dumps({"event": event.__struct_config__.tag, **fields})


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
