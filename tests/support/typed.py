"""The typed line of a chat on a screen."""

import re

from tests.support.ptyscreen import PtyScreen


def line_of(screen: PtyScreen) -> str:
    """What stands in the typed line now, joined from its rows."""
    rows = screen.lines
    first = max((y for y, row in enumerate(rows) if row.startswith(">")), default=len(rows))
    bar = next((y for y in range(first, len(rows)) if "connected" in rows[y]), len(rows))
    return "".join(row[2:] for row in rows[first:bar])


def squeezed(text: str) -> str:
    """Without what pyte writes for the second cell of a wide character, and without spaces lost at a row's end."""
    return re.sub(r"\s", "", text)


def has_line(screen: PtyScreen, text: str) -> bool:
    """Whether this stands in the typed line, and the bar below it: a drawing may arrive in two pieces."""
    lines = [y for y, row in enumerate(screen.lines) if row.startswith(">")]
    has_bar = any("connected" in row for row in screen.lines[lines[-1] :]) if lines else False
    return len(lines) == 1 and has_bar and squeezed(line_of(screen)) == squeezed(text)
