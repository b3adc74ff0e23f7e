"""Bold, faint and coloured text for the commands that print something: only where a person looks, never in a pipe."""

import os
import re
from collections.abc import Iterable
from typing import IO

from lanchat.protocol.text import safe_text
from lanchat.terminal.cells import Fragments, Styled
from lanchat.terminal.stdio import INDENT, columns_of, in_rows, is_dumb

BOLD = "class:heading"

# What the styles of the chat and of the list are on a terminal without prompt_toolkit (ECMA-48, SGR).
_CODES = {
    "class:heading": "1",
    "class:mine": "1",
    "class:mention": "1",
    "class:new": "1",
    "class:command": "1",
    "class:time": "2",
    "class:system": "2",
    "class:dim": "2",
    "class:room.note": "2",
    "class:room.title": "1",
    "class:room.warning": "1",
    "class:room.alarm": "1;31",
    "class:mark": "7",
    "class:error": "31",
    "class:private": "35",
    "class:good": "32",
    "class:bad": "31",
}
_HEX = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})")
_LEVELS = (0x00, 0x5F, 0x87, 0xAF, 0xD7, 0xFF)  # of red, green and blue in the 216 colours from 16 on


def has_colour(out: IO[str]) -> bool:
    """Whether a person looks at this stream and wants colour (https://no-color.org)."""
    return columns_of(out) > 0 and not os.environ.get("NO_COLOR") and not is_dumb()


def coloured(fragments: Fragments, *, colour: bool) -> str:
    """The text of the fragments, which is safe already, with their styles as escape sequences."""
    if not colour:
        return "".join(text for _, text in fragments)
    return "".join(f"\x1b[{codes}m{text}\x1b[0m" if (codes := _codes(style)) else text for style, text in fragments)


def put_rows(out: IO[str], rows: Iterable[Fragments]) -> None:
    """Write rows whose text is safe already, in colour where that is wanted."""
    colour = has_colour(out)
    for row in rows:
        out.write(coloured(row, colour=colour) + "\n")
    out.flush()


def put_styled(out: IO[str], lines: Iterable[Styled]) -> None:
    """Write lines as `put` does, in colour where that is wanted."""
    colour = has_colour(out)
    for text, style, first in lines:
        text = safe_text(text)
        begin = len(text.split(" ", 1)[0]) if first else 0
        rows = in_rows(out, text, len(text) - len(text.lstrip(" ")) + INDENT)
        out.write(coloured([(first, rows[:begin]), (style, rows[begin:])], colour=colour) + "\n")
    out.flush()


def _codes(style: str) -> str:
    return ";".join(filter(None, map(_code, style.split())))


def _code(part: str) -> str:
    if found := _HEX.fullmatch(part):
        red, green, blue = (_nearest(int(level, 16)) for level in found.groups())
        return f"38;5;{16 + 36 * red + 6 * green + blue}"
    return _CODES.get(part, "")


def _nearest(level: int) -> int:
    return min(range(6), key=lambda number: abs(_LEVELS[number] - level))
