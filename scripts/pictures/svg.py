"""Draws the screen of a terminal as an SVG picture. Pure."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from tests.support.ptyscreen import Cell

WIDTH, HEIGHT = 8.4, 19  # of a cell, at a font size of 14
MARGIN = 16
BAR = 28  # height of the window's own bar
GROUND, TEXT, FRAME = "#1a1b26", "#c0caf5", "#2a2c3d"
FAINT = 0.6  # opacity; terminals show faint text about so
NAMED = {"red": "#f7768e", "magenta": "#bb9af7", "cyan": "#7dcfff", "brown": "#e0af68", "green": "#9ece6a"}
NO_BREAK = "\u00a0"  # a space that no viewer takes away at the beginning of a text
FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"


def picture(rows: Sequence[Sequence[Cell]], title: str) -> str:
    """The screen in a window with this title, without its empty rows at the end."""
    while rows and not _text(rows[-1]).strip():
        rows = rows[:-1]
    columns = max(map(len, rows), default=0)
    width, height = columns * WIDTH + 2 * MARGIN, BAR + len(rows) * HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>text{{font-family:{FONT};font-size:14px;fill:{TEXT}}}</style>",
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{GROUND}"/>',
        f'<path d="M0 {BAR}V8a8 8 0 0 1 8-8h{width - 16:g}a8 8 0 0 1 8 8v{BAR - 8}z" fill="{FRAME}"/>',
        f'<text x="{width / 2:g}" y="19" text-anchor="middle" opacity="{FAINT}">{escape(title)}</text>',
    ]
    for number, row in enumerate(rows):
        parts += _row(row, BAR + MARGIN + number * HEIGHT)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _row(row: Sequence[Cell], top: float) -> list[str]:
    parts, column = [], 0
    for _, group in groupby(row, key=_looks):
        cells = [*group]
        left, width = MARGIN + column * WIDTH, len(cells) * WIDTH
        column += len(cells)
        looks = cells[0]
        colour = _colour(looks.colour)
        if looks.reverse:
            parts.append(f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{HEIGHT}" fill="{colour}"/>')
            colour = GROUND
        while cells and cells[-1].text == " ":
            cells.pop()
        if cells:
            bold = ' font-weight="bold"' if looks.bold else ""
            faint = f' opacity="{FAINT}"' if looks.faint else ""
            text = _text(cells).replace(" ", NO_BREAK)
            place = f'x="{left:g}" y="{top + 14:g}" textLength="{len(cells) * WIDTH:g}" lengthAdjust="spacingAndGlyphs"'
            parts.append(f'<text {place} style="fill:{colour}"{bold}{faint}>{escape(text)}</text>')
    return parts


def _looks(cell: Cell) -> tuple[object, ...]:
    return cell.colour, cell.bold, cell.faint, cell.reverse


def _text(cells: Sequence[Cell]) -> str:
    return "".join(cell.text for cell in cells)


def _colour(name: str) -> str:
    if name == "default":
        return TEXT
    return NAMED.get(name, f"#{name}" if len(name) == 6 else TEXT)
