"""The lines of `--json-in`: what a program tells a room, one JSON object a line. Pure."""

import msgspec

from lanchat.protocol.ids import clean_message_id
from lanchat.terminal.piped import Line, Overlong

MAX_JSON_LINE = 32 * 1024  # bytes of a line; the longest message fits, even with each of its bytes escaped (\u0041)
_BRIEF = 40  # characters of a wrong value in a sentence
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
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError(_why_not(line)) from None
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


def _why_not(line: str) -> str:
    """What is wrong with a line, by the name of its field. The decoder would speak of types."""
    try:
        given = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        return f"This line is not JSON: {error}."
    if not isinstance(given, dict):
        return 'A line is one JSON object, such as {"say": "hello"}.'
    for name, value in given.items():
        if name not in JsonCommand.__struct_fields__:
            return f'There is no field "{name}". The fields are {", ".join(JsonCommand.__struct_fields__)}.'
        if name != "leave" and not isinstance(value, str):
            return f'The field "{name}" must be a text in quotes, and here it is {_shown(value)}.'
    return f'The field "leave" must be true, and here it is {_shown(given.get("leave"))}.'


def _shown(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}…"
