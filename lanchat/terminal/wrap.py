"""Breaks long lines into rows, so that nothing of them stands at the left edge of the window but their beginning. Pure.

A terminal breaks a long line itself, and what comes then stands at the left edge, where times, nicks and `--` stand:
with the right number of characters before it, a message could go on as a line of somebody else. So everything that
others wrote is broken here, between words where that is possible, and goes on under an indent.

A link that is too long for a row is the exception: it stays whole, so that it can be clicked and copied, and the
terminal breaks it. It has no spaces, nothing follows it in its last row, and text with anything like a time or a
`--` in it does not count as a link, so its rest does not look like a line of ours either.
"""

import re
from bisect import bisect_right
from itertools import accumulate
from unicodedata import category, east_asian_width

from lanchat.protocol.invisible import ZWJ, is_invisible
from lanchat.terminal.cells import widths

NARROWEST = 8  # cells; nobody can read in a narrower window, so there the terminal may break lines as it likes

_BLANKS = " \u3000"
_BLANK = re.compile(f"[{_BLANKS}]")
_LINK = re.compile(r"'?(?:https?|lanchat)://[!-~]+")
_LIKE_OURS = re.compile(r"\d\d:\d\d(?!\d)|(?<!xn)--")  # `xn--` begins the name of a host that is not ASCII
_SKIN_TONES = frozenset("🏻🏼🏽🏾🏿")
_FLAG_HALVES = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
_LOOK_BACK = 16  # halves of flags; nobody writes more flags side by side
_JOIN_COMMAND = re.compile(r" *lanchat join '?lanchat://[!-~]+")  # people copy it whole, too


def hang(text: str, columns: int, indent: int, start: int | None = None) -> str:
    """The text, broken into rows; each but the first stands under the indent.

    Args:
        text: safe for a terminal; its own line ends stay.
        columns: cells of a row; 0 where there is no terminal, so that only further lines are indented.
        indent: cells before each row but the first.
        start: cells that are taken in the first row already; None for as many as the indent.
    """
    start = indent if start is None else start
    if columns < NARROWEST:
        return text.replace("\n", "\n" + " " * indent)
    indent = min(indent, columns // 2)
    width, first = columns - indent, columns - start
    if "\n" not in text:
        found = _rows_of_words(text, width, first) or rows(text, width, max(first, 0))
        return ("\n" + " " * indent).join(found)
    found = []
    for line in text.split("\n"):
        found += _rows_of_words(line, width, first) or rows(line, width, max(first, 0))
        first = width
    return ("\n" + " " * indent).join(found)


def rows(line: str, width: int, first: int | None = None) -> list[str]:
    """One line, broken into rows of at most this many cells; spaces at a break are left out.

    Args:
        width: at least 2, for a wide character.
        first: cells of the first row, if it has fewer.
    """
    if "://" in line and _JOIN_COMMAND.fullmatch(line):
        return [line]
    # The cells before each character; None for ASCII, where that is its index.
    before = None if line.isascii() else list(accumulate(widths(line), initial=0))
    room, end = width if first is None else first, len(line.rstrip(_BLANKS))
    found: list[str] = []
    at = over = 0  # where the row begins, and the end of the word there, once that was asked for
    while True:
        fits = at + room if before is None else bisect_right(before, before[at] + room) - 1
        if fits >= end:
            found.append(line[at:end])
            return found
        cut = _between_words(line, at, fits, wide=before is not None)
        if cut is None:
            begins = at >= over
            over = _end_of_word(line, at) if begins else over
            if line[at] in _BLANKS:  # the line is indented, and its first word is too long for what is left
                cut = at
            elif begins and is_link(line[at:over]):
                cut = over
            elif room < width and (over if before is None else before[over]) <= width:
                cut = at  # only the first row is too short for the word
            else:
                cut = max(_between_characters(line, at, fits), at if room < width else at + 1)
        found.append(line[at:cut].rstrip(_BLANKS))
        at, room = cut, width
        while at < end and line[at] in _BLANKS:
            at += 1
        if at >= end:
            return found


def _rows_of_words(line: str, width: int, first: int) -> list[str] | None:
    """As `rows`, in a third of the time, for what most lines are: plain words, each with one space before it.

    Returns:
        None: the line is of another kind.
    """
    if not line.isascii() or "  " in line or "://" in line or first <= 0 or line != line.strip():
        return None
    found: list[str] = []
    at, room, end = 0, first, len(line)
    while end - at > room:
        cut = line.rfind(" ", at, at + room + 1)
        if cut <= at:
            return None
        found.append(line[at:cut])
        at, room = cut + 1, width
    found.append(line[at:])
    return found


def is_link(word: str) -> bool:
    """Whether this may be left to the terminal, wherever that breaks it."""
    return "://" in word and _LINK.fullmatch(word) is not None and _LIKE_OURS.search(word) is None


def _between_words(line: str, at: int, fits: int, *, wide: bool) -> int | None:
    """Where to break the row that begins at one place and may go as far as another; None: only within a word.

    Args:
        wide: there may be wide characters, which are words of their own.
    """
    if not wide:
        cut = line.rfind(" ", at, fits + 1)
        return cut if cut > at and not line[at:cut].isspace() else None
    for cut in range(fits, at, -1):
        if line[cut] in _BLANKS:
            return cut if line[at:cut].strip(_BLANKS) else None
        if east_asian_width(line[cut]) in "WF" or east_asian_width(line[cut - 1]) in "WF":
            if not _continues(line, cut):
                return cut
    return None


def _between_characters(line: str, at: int, fits: int) -> int:
    """Where a word is cut that does not fit: not before a mark, nor within a picture of several characters."""
    return next((cut for cut in range(fits, at, -1) if not _continues(line, cut)), fits)


def _continues(line: str, at: int) -> bool:
    """Whether what stands here belongs to the character before it."""
    char = line[at]
    if char.isascii():
        return False
    if category(char)[0] == "M" or is_invisible(char) or char in _SKIN_TONES or line[at - 1] == ZWJ:
        return True
    flags = 0
    while flags < _LOOK_BACK and flags < at and char in _FLAG_HALVES and line[at - flags - 1] in _FLAG_HALVES:
        flags += 1
    return flags % 2 == 1  # a flag is a pair


def _end_of_word(line: str, at: int) -> int:
    found = _BLANK.search(line, at)
    return found.start() if found else len(line)
