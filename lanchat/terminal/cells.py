"""How wide text is on a screen, and what of it fits. Pure; only this module imports `wcwidth`."""

from wcwidth import wcswidth, wcwidth, wrap

_NARROWEST = 10  # cells; in a narrower window no place for a line break is a good one

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


def rows(text: str, width: int) -> list[str]:
    """The text, broken between words into rows of at most this many cells.

    A line with a word that is too long for a row, such as an invite, stays as it is: people copy it, and the terminal,
    which breaks it, joins it again in the clipboard.

    Args:
        width: 0 to break nothing.
    """
    lines = text.split("\n")
    if width < _NARROWEST:
        return lines
    return [row for line in lines for row in _rows_of(line, width)]


def _rows_of(line: str, width: int) -> list[str]:
    if not line or any(cells(word) > width for word in line.split(" ")):
        return [line]
    return wrap(line, width, break_on_hyphens=False)
