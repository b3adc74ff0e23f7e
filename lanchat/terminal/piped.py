"""Splits what comes through a pipe into lines to say, in bounded memory. Pure."""

from dataclasses import dataclass

from lanchat.protocol.text import MAX_TEXT


@dataclass(frozen=True)
class Overlong:
    """A line that is too long for a message; its text is forgotten."""

    size: int  # bytes

    def __str__(self) -> str:
        return f"{self.size} bytes are too many for one message ({MAX_TEXT} at most)."


Line = str | Overlong


class LineSplitter:
    """Takes bytes as they come and gives the lines that they complete.

    A line is what a terminal would still show of it: the text behind its last carriage return. Programs redraw their
    progress bars with these, and all but the last state is outdated. A carriage return before the line feed belongs to
    the end of the line (Windows).

    Args:
        limit: bytes of a line; one that has more is forgotten.
    """

    def __init__(self, limit: int = MAX_TEXT) -> None:
        self._limit = limit
        self._kept = bytearray()  # the beginning of the current line, within the limit
        self._size = 0  # bytes of the current line
        self._returned = False  # the last byte was a carriage return, and what follows decides what it means

    def feed(self, data: bytes) -> list[Line]:
        """The lines that these bytes complete."""
        *ends, rest = data.split(b"\n")
        lines = []
        for part in ends:
            self._add(part)
            lines.append(self._take())
        self._add(rest)
        return lines

    def end(self) -> list[Line]:
        """The last line, if it has no end."""
        return [self._take()] if self._size else []

    def _add(self, part: bytes) -> None:
        text = part.rstrip(b"\r")
        if text:
            _, redrawn, shown = text.rpartition(b"\r")
            if redrawn or self._returned:
                self._kept.clear()
                self._size = 0
            self._kept += shown[: self._limit - len(self._kept)]
            self._size += len(shown)
            self._returned = False
        self._returned = self._returned or len(text) < len(part)

    def _take(self) -> Line:
        line = self._kept.decode(errors="replace") if self._size <= self._limit else Overlong(self._size)
        self._kept.clear()
        self._size = 0
        self._returned = False
        return line
