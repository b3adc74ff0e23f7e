"""How wide text is on a screen, and what of it fits. Pure. The door of `wcwidth`, with `render.py`."""

from wcwidth import wcswidth, wcwidth

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
