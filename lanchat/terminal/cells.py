"""How wide text is on a screen, and what of it fits. Pure; only this module imports `wcwidth`."""

import unicodedata
from collections.abc import Iterable

from wcwidth import wcswidth, wcwidth

from lanchat.protocol.invisible import is_invisible, is_pictograph

Fragments = list[tuple[str, str]]  # pairs of style and text, as prompt_toolkit takes them


def cells(text: str) -> int:
    """How wide a terminal shows the text."""
    return len(text) if text.isascii() else max(wcswidth(text), 0)


def drawn_cells(text: str) -> int:
    """How wide prompt_toolkit believes the text to be: it clips and moves the cursor by the width of each character."""
    return len(text) if text.isascii() else sum(max(wcwidth(char), 0) for char in text)


def cut(text: str, width: int) -> str:
    """The text, cut to this many cells where prompt_toolkit draws it; an ellipsis stands for what is left off."""
    if drawn_cells(text) <= width:
        return text
    if width < 1:
        return ""
    kept, room = "", width - 1  # for the ellipsis
    for char in text:
        room -= drawn_cells(char)
        if room < 0:
            break
        kept += char
    return kept.rstrip() + "…"


def fitted(text: str, width: int) -> str:
    """The text in exactly this many cells: cut, or filled up with spaces."""
    text = cut(text, width)
    return text + " " * (width - drawn_cells(text))


def most_cells(text: str) -> int:
    """How wide the text is where a terminal takes the most cells for it.

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
            most = max(wcwidth(char), 1)
        if len(self) < self.LIMIT:
            self[char] = most
        return most


_widths = _Widths()
