"""The lines of `--json-in`: what a program tells a room, one JSON object a line. Pure."""

import msgspec

from lanchat.protocol.ids import clean_message_id
from lanchat.terminal.piped import Line, Overlong

MAX_JSON_LINE = 32 * 1024  # bytes of a line; the longest message fits, even with each of its bytes escaped (\u0041)
_VERBS = ("say", "me", "tell", "nick", "away", "leave")


class JsonCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line: exactly one of `say`, `me`, `tell`, `nick`, `away` and `leave` is set."""

    say: str | None = None
    me: str | None = None  # as /me
    tell: str | None = None  # as a private message ...
    to: str = ""  # ... to this nick or member id
    nick: str | None = None
    away: str | None = None  # "": back
    leave: bool | None = None
    id: str = ""  # of the message, which makes a retry safe


_DECODER = msgspec.json.Decoder(JsonCommand)


def parse_command(line: Line) -> JsonCommand:
    """Read a line of stdin.

    Raises:
        ValueError: it is no such line.
    """
    if isinstance(line, Overlong):
        raise ValueError(f"{line.size} bytes are too many for one line ({MAX_JSON_LINE} at most).")
    try:
        command = _DECODER.decode(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"This is no line of --json-in: {error}.") from None
    verbs = [verb for verb in _VERBS if getattr(command, verb) is not None]
    if len(verbs) != 1 or command.leave is False:
        raise ValueError("A line has exactly one of say, me, tell, nick, away, and leave (which is true).")
    if (command.tell is None) != (command.to == ""):
        raise ValueError('A private message has a text and a recipient: {"tell": TEXT, "to": NICK}.')
    if command.id and verbs[0] not in ("say", "me", "tell"):
        raise ValueError("Only a message has an id.")
    if command.id:
        clean_message_id(command.id)
    return command
