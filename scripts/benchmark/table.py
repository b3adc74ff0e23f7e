"""Formats figures as text: aligned columns, and numbers that are easy to read."""

from collections.abc import Sequence


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> str:
    """The first column is text, the others are figures."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = [title]
    for row in [columns, *rows]:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        lines.append("  " + "  ".join(cells).rstrip())
    if note and any("!" in cell for row in rows for cell in row):
        lines.append(f"  {note}")
    return "\n".join(lines) + "\n"


def many(value: float) -> str:
    """A rate: 1234567 is `1.23 M`."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def times(value: float | None) -> str:
    """A ratio."""
    return "-" if value is None else f"{value:.2f}x" if value < 10 else f"{value:.0f}x"


def ms(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def share(value: float) -> str:
    return f"{value * 100:.0f}%"


def warn(text: str, really: bool) -> str:
    """Add the mark that the note below the table explains, where it applies."""
    return text + ("!" if really else " ")
