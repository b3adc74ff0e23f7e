"""How wide text is on a screen, and what of it fits. Pure. The door of `wcwidth`."""

from wcwidth import wcswidth, wcwidth, wrap

_NARROWEST = 10  # cells; where there are fewer, no break is a good one

Fragments = list[tuple[str, str]]  # style and text, as prompt_toolkit takes them


def cells(text: str) -> int:
    """How wide a terminal prints it."""
    return len(text) if text.isascii() else max(wcswidth(text), 0)


def drawn_cells(text: str) -> int:
    """How wide prompt_toolkit takes it to be: each character alone; it clips and moves the cursor by that."""
    return len(text) if text.isascii() else sum(max(wcwidth(char), 0) for char in text)


def cut(text: str, width: int) -> str:
    """As much of the text as fits into so many cells where it is drawn; an ellipsis where something is left off."""
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


def rows(text: str, width: int) -> list[str]:
    """The text broken at blanks into rows of at most so many cells.

    A line with a word that fits into no row, an invite say, stays as it is: people copy it, and what the terminal
    breaks it mends on the clipboard.

    Args:
        width: 0: as it is.
    """
    lines = text.split("\n")
    if width < _NARROWEST:
        return lines
    return [row for line in lines for row in _rows_of(line, width)]


def _rows_of(line: str, width: int) -> list[str]:
    if not line or any(cells(word) > width for word in line.split(" ")):
        return [line]
    return wrap(line, width, break_on_hyphens=False)
