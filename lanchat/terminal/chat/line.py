"""A line of the screen as it was said, before it is broken into rows for a window of some width. Pure."""

from collections import deque
from typing import NamedTuple

from lanchat.terminal.cells import Fragments, most_cells
from lanchat.terminal.wrap import NARROWEST, hang

KEPT_LINES = 500  # to paint them again; more than a window holds
SYSTEM = "class:system"
SYSTEM_INDENT = 3  # cells of `-- ` before a line that nobody said
_LEAST = 4  # cells for the text beside what stands before it; with fewer it begins in a row of its own


class Line(NamedTuple):
    """A line that can be broken again when the window has become narrower.

    Args:
        head: what stands before the text, in styles of its own: time and nick; it ends with the nick.
        style: of the mark and the text.
        mark: stands between them: ` `, `-- `.
        text: safe for a terminal; may have several lines.
        indent: cells before each row but the first.
        start: cells of head and mark.
    """

    head: Fragments
    style: str
    mark: str
    text: str
    indent: int
    start: int

    def fragments(self, columns: int) -> Fragments:
        """The rows of the line, each with its end.

        Args:
            columns: cells of a row; 0 to break nothing.
        """
        head, style, mark, text, indent, start = self
        if start + len(text) > columns or not text.isascii() or "\n" in text:  # else it is one row: most lines are
            if start + _LEAST > columns >= NARROWEST and head:
                return self._with_long_head(columns)
            text = hang(text, columns, indent, start)
        return [*head, (style, f"{mark}{text}\n")]

    def _with_long_head(self, columns: int) -> Fragments:
        """As `fragments`, for a nick that leaves no room for the text. It is broken, not cut: two may begin alike."""
        *before, (style, nick) = self.head
        taken = self.start - len(self.mark) - most_cells(nick)
        shown = hang("\n" + self.text, columns, self.indent)
        return [*before, (style, hang(nick, columns, self.indent, taken)), (self.style, f"{shown}\n")]


class LastLines:
    """The last lines that were painted, to paint them again. Owned by the thread that paints."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=KEPT_LINES)

    def add(self, line: Line) -> None:
        self._lines.append(line)

    def clear(self) -> None:
        self._lines.clear()

    def again(self, columns: int, before: int, rows: int) -> Fragments:
        """The last lines, for rows of `columns` cells.

        Args:
            before: cells of a row when they were painted; as many lines as filled a window of `rows` rows then.
        """
        last: list[Line] = []
        for line in reversed(self._lines):
            last.append(line)
            rows -= sum(text.count("\n") for _, text in line.fragments(before))
            if rows < 0:
                break
        return [fragment for line in reversed(last) for fragment in line.fragments(columns)]


def verbatim(fragments: Fragments) -> Line:
    """Lines that are not broken, such as a QR code; with their last end, which is the line's."""
    *before, (style, text) = fragments
    return Line(before, style, "", text.removesuffix("\n"), 0, 0)


def system_line(text: str, style: str = SYSTEM) -> Line:
    """A line that nobody said.

    Args:
        text: safe for a terminal.
    """
    return Line([], style, "-- ", text, SYSTEM_INDENT, SYSTEM_INDENT)
