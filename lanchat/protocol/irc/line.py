"""The lines of IRC: parsing them, making them, and what their text may hold. Pure.

A line has at most 512 bytes with its end, and up to 4,096 bytes of tags before it (IRCv3, message tags).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_LINE = 512  # bytes with CR LF (RFC 2812, section 2.3)
MAX_TAGS = 4096  # bytes of tags that a client sends, with "@" and the space (IRCv3, message tags)
MAX_PARTIAL = 2 * MAX_TAGS + MAX_LINE  # bytes of a line; a longer one, finished or not, ends the link
MAX_LINES = 100  # of one message (ergo's number)
MAX_PARAMETERS = 15  # RFC 2812, section 2.3; what follows is a part of the last

_ESCAPES = {";": r"\:", " ": r"\s", "\\": r"\\", "\r": r"\r", "\n": r"\n"}
_UNESCAPES = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
_FORMATTING = re.compile(
    "\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
_ENDS = str.maketrans({"\r": " ", "\n": " ", "\0": " "})


class TooLong(ValueError):
    """The line, or its tags, has more bytes than a line of IRC."""


@dataclass(frozen=True)
class Line:
    """One line of a client.

    Args:
        command: in capitals.
        source: what stands before the command; a server passes over it.
    """

    command: str
    parameters: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    def parameter(self, index: int) -> str:
        """This parameter; "" if the line has fewer."""
        return self.parameters[index] if index < len(self.parameters) else ""


def parse(raw: bytes, *, replacing: bool = False) -> Line | None:
    """The line in these bytes, which have no line end; None: it is blank.

    Args:
        replacing: whether bytes that are not UTF-8 are replaced; else the line is refused.

    Raises:
        TooLong: it has too many bytes.
        UnicodeDecodeError: it is not UTF-8.
    """
    raw = raw.rstrip(b"\r").replace(b"\0", b"").replace(b"\r", b" ").lstrip(b" ")
    tags = b""
    if raw.startswith(b"@"):
        tags, _, raw = raw.partition(b" ")
    if len(tags) + 1 > MAX_TAGS or len(raw) > MAX_LINE - 2:
        raise TooLong
    errors = "replace" if replacing else "strict"
    text = raw.decode(errors=errors).lstrip(" ")
    source = ""
    if text.startswith(":"):
        source, _, text = text[1:].partition(" ")
    before, colon, last = f" {text}".partition(" :")
    words = before.split()
    if not words:
        return None
    command, *parameters = words
    if len(parameters) > MAX_PARAMETERS:
        parameters[MAX_PARAMETERS - 1 :] = [" ".join(parameters[MAX_PARAMETERS - 1 :])]
    if colon:
        parameters.append(last)
    found = _parsed_tags(tags[1:].decode(errors=errors)) if tags else {}
    return Line(command.upper(), tuple(parameters), found, source)


def made(source: str, *words: str, last: str | None = None, tags: Mapping[str, str] | None = None) -> bytes:
    """A line with its end, cut where it is too long.

    Args:
        words: the command and its parameters, each without spaces.
        last: the last parameter, which always gets its colon, because some clients expect it.
    """
    text = f":{source} {' '.join(words)}" if source else " ".join(words)
    if last is not None:
        text += f" :{last}"
    return written_tags(tags or {}) + cut(text.translate(_ENDS), MAX_LINE - 2) + b"\r\n"


def written_tags(tags: Mapping[str, str]) -> bytes:
    """These tags as they begin a line; b"": there are none."""
    return b"@%s " % tags_of(tags) if tags else b""


def tags_of(tags: Mapping[str, str]) -> bytes:
    """These tags, without what stands around them."""
    return ";".join(f"{name}={_escaped(value)}" if value else name for name, value in tags.items()).encode()


def cut(text: str, size: int) -> bytes:
    """The text as UTF-8, cut to at most `size` bytes; no character is cut."""
    data = text.encode(errors="replace")
    return data if len(data) <= size else data[:size].decode(errors="ignore").encode()


def pieces(text: str, size: int) -> list[str]:
    """The text in pieces of at most `size` bytes: broken at line ends, then between words, never in a character.

    Blank lines are left out, because IRC has no empty message. There are few more pieces than MAX_LINES.
    """
    if len(text) <= size and text.isascii() and "\n" not in text:
        return [text]
    found: list[str] = []
    for line in _lines(text):
        *broken, last = _broken(line, size)
        found += [piece.removesuffix(" ") for piece in broken]
        if last.strip():
            found.append(last)
    return found


def parts(text: str, size: int) -> list[tuple[str, bool]]:
    """The text in pieces as by `pieces`, from which it can be put together again: nothing is left out.

    Returns:
        Each piece, with whether it goes on with the line before.
    """
    return [(piece, at > 0) for line in _lines(text) for at, piece in enumerate(_broken(line, size))]


def _lines(text: str) -> list[str]:
    """The lines of a text. Of very many, the last ones become one: each costs what stands before it as well."""
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        lines[MAX_LINES - 1 :] = [" / ".join(lines[MAX_LINES - 1 :])]
    return lines


def _broken(line: str, size: int) -> list[str]:
    """A line in pieces of at most `size` bytes. A space at which it is broken ends the piece before it."""
    found: list[str] = []
    while len(line.encode(errors="replace")) > size:
        head = cut(line, size).decode()
        space = head.rfind(" ", len(head) // 2)
        if space > 0:
            head = head[: space + 1]
        found.append(head)
        line = line[len(head) :]
    return [*found, line]


def without_formatting(text: str) -> str:
    """The text without IRC's codes for bold, colours and the like."""
    return text if text.isprintable() else _FORMATTING.sub("", text)


def lowered(text: str) -> str:
    """The form in which names of channels are compared (CASEMAPPING=ascii)."""
    return text.lower() if text.isascii() else "".join(char.lower() if char.isascii() else char for char in text)


def _parsed_tags(text: str) -> dict[str, str]:
    pairs = (tag.partition("=") for tag in text.split(";") if tag)
    return {name: _unescaped(value) for name, _, value in pairs}


def _escaped(value: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in value)


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.?)", lambda match: _UNESCAPES.get(match[1], match[1]), value, flags=re.DOTALL)
