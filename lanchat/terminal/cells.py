"""Measures how wide text is on a screen, and cuts it to a width. Pure; only this module imports `wcwidth`."""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from lanchat.protocol.invisible import (
    EMOJI_STYLE,
    KEYCAP,
    TEXT_STYLE,
    ZWJ,
    is_invisible,
    is_pictograph,
    is_skin_tone,
    is_tag,
)

_FLAG_A, _FLAG_Z = "\U0001f1e6", "\U0001f1ff"  # two of them are a flag

Fragments = list[tuple[str, str]]  # pairs of style and text, as prompt_toolkit takes them


class Styled(NamedTuple):
    """A line for a person: how it looks, and how its first word looks if that is another way."""

    text: str
    style: str = ""
    first: str = ""


def cells(text: str) -> int:
    """The number of cells that a terminal needs for the text."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth, wcwidth  # not at the top, because its tables are large: most rows are ASCII

    whole = wcswidth(text)
    return whole if whole >= 0 else sum(max(wcwidth(char), 0) for char in text)


def apart(text: str) -> str:
    """The text with the parts of each emoji side by side, for what prompt_toolkit draws.

    It moves the cursor by the width of each character, but terminals draw an emoji of several characters in one cell,
    in two, or in as many as its parts take. The parts alone are as wide everywhere, and so nothing goes astray.
    """
    return text if text.isascii() else "".join(parts(text))


def parts(text: str) -> list[str]:
    """What stands for each character in `apart()`: it, an A to Z of a flag, or nothing."""
    return [_part(text, at) for at in range(len(text))]


def _part(text: str, at: int) -> str:
    char, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if char.isascii():
        return char
    if _FLAG_A <= char <= _FLAG_Z:
        return chr(ord("A") + ord(char) - ord(_FLAG_A))
    is_joined = char == ZWJ and (is_pictograph(after) or is_pictograph(before))
    is_tone = is_skin_tone(char) and is_pictograph(before)
    if is_joined or is_tone or char in (TEXT_STYLE, EMOJI_STYLE, KEYCAP) or is_tag(char):
        return ""
    return char


def cut(text: str, width: int) -> str:
    """The text, cut to this many cells; an ellipsis stands for what is left off."""
    if cells(text) <= width:
        return text
    if width < 1:
        return ""
    fits = bisect_right(range(1, len(text)), width - 1, key=lambda length: cells(text[:length]))  # one for the ellipsis
    return text[:fits].rstrip() + "…"


def fitted(text: str, width: int) -> str:
    """The text in exactly this many cells: cut, or filled up with spaces."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def most_cells(text: str) -> int:
    """The largest number of cells that any terminal needs for the text.

    Terminals disagree on emoji of several characters, on marks that stand beside their character, and on what is newer
    than they are. A row that must not be longer than the window has to be right for all of them.
    """
    return len(text) if text.isascii() else sum(map(_widths.__getitem__, text))


def widths(text: str) -> Iterable[int]:
    """The cells of each character, by the same count."""
    return map(_widths.__getitem__, text)


class _Widths(dict[str, int]):
    """The most cells that a character takes. It remembers those that it was asked about."""

    LIMIT = 20_000  # remembered; a text of all that exist must not fill the memory

    def __missing__(self, char: str) -> int:
        if is_pictograph(char):
            most = 2
        elif unicodedata.category(char) in ("Mn", "Me") and not is_invisible(char):
            most = 0
        else:  # also what has no width of its own, such as a joiner: some draw a box for it
            from wcwidth import wcwidth

            most = max(wcwidth(char), 1)
        if len(self) < self.LIMIT:
            self[char] = most
        return most


_widths = _Widths()
