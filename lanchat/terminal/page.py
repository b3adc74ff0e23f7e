"""Fits a page of `lanchat help` into the window, since a terminal breaks long lines in the middle of words. Pure."""

import re
from collections.abc import Iterator

from lanchat.terminal.wrap import hang

_ITEM = re.compile(r"[*-] |\d+\. ")
_ITEM_INDENT, _ROW_INDENT = 2, 4  # cells before the further rows of an item of a list, and of a row of a table


def fitted(page: str, columns: int) -> str:
    """The page with its paragraphs, items and rows of tables broken between words. Examples stay as they are.

    Args:
        columns: cells of a row; 0 where there is no terminal, so that nothing is changed.
    """
    if not columns or all(len(line) < columns for line in page.splitlines()):
        return page
    return "\n".join(_rows(page, columns - 1))


def _rows(page: str, width: int) -> Iterator[str]:
    paragraph: list[str] = []
    in_code = False
    for line in [*page.splitlines(), ""]:  # an empty one ends the last paragraph, and the last line
        fence = line.startswith("```")
        alone = in_code or fence or not line or line.startswith(("#", "|", "    "))
        if paragraph and (alone or _ITEM.match(line)):
            yield hang(" ".join(paragraph), width, _ITEM_INDENT if _ITEM.match(paragraph[0]) else 0, 0)
            paragraph.clear()
        if not alone:
            paragraph.append(line.strip())
        elif line.startswith("| "):
            yield line if len(line) <= width else hang(line.removesuffix(" |"), width, _ROW_INDENT, 0)
        else:
            yield line
        in_code = in_code is not fence
