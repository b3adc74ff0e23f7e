"""Cuts what a terminal sends into text, keys and pastes. Pure.

A key is one control character or one whole escape sequence. What is neither text nor a whole key vanishes: answers of
the terminal that come late, sequences that break off, bytes that are no UTF-8. No state lasts: silence ends each of
them, and Ctrl-C ends it at once.
"""

import re
from typing import NamedTuple

CTRL_C = "\x03"
ESC = "\x1b"
FOCUS_IN, FOCUS_OUT = "\x1b[I", "\x1b[O"
PASTE_BEGIN, PASTE_END = "\x1b[200~", "\x1b[201~"
MAX_PASTE = 1024 * 1024  # characters; of a longer paste the rest is dropped
MAX_SEQUENCE = 4096  # characters; an answer of a terminal is shorter
RAW_LINES = 3  # lines without a pause that make a paste; a program that types ends a line or two at once
RAW_PAUSE = 0.01  # s; even a serial line of 9600 baud brings a character each millisecond, and no fingers do
RAW_END = 0.2  # s without a read; the next Return is that of a person

_INNER = rf"[^\x00-\x1f\x7f]{{0,{MAX_SEQUENCE}}}"
# CSI (with the keys of the Linux console and old mouse reports), SS3, OSC, DCS, APC. The strings only as answers begin:
# anything else is a character that was pressed with Alt.
_WHOLE = re.compile(
    r"\x1b(?:\[\[[A-Z]|\[M.{3}|\[[0-?]{0,64}[ -/]{0,8}[@-~]|O[0-9;]{0,8}[A-Za-z]"
    rf"|\][0-9]{_INNER}(?:\x07|\x1b\\)|[P_][0-9>!|+$G]{_INNER}\x1b\\)",
    re.DOTALL,
)
_UNFINISHED = re.compile(
    r"\x1b(?:\[\[|\[M.{0,2}|\[[0-?]{0,64}[ -/]{0,8}|O[0-9;]{0,8}"
    rf"|\](?:[0-9]{_INNER}\x1b?)?|[P_](?:[0-9>!|+$G]{_INNER}\x1b?)?)?\Z",
    re.DOTALL,
)
_BROKEN = re.compile(rf"\x1b(?:\[[0-?]{{0,64}}[ -/]{{0,8}}|O[0-9;]{{1,8}}|\][0-9]{_INNER}|[P_][0-9>!|+$G]{_INNER})")
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_KEYS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]+")
_LINE = re.compile(r"[^\x00-\x1f\x7f][\r\n]")  # the end of a line with text


class Text(NamedTuple):
    text: str


class Key(NamedTuple):
    """A control character or an escape sequence. A character that was pressed with Alt stands behind an ESC."""

    code: str


class Paste(NamedTuple):
    """Text with its line ends as `\\n`."""

    text: str


Piece = Text | Key | Paste


class KeyStream:
    """The state between two reads of one terminal."""

    def __init__(self) -> None:
        self._rest = ""  # the beginning of a key, whose end has not come yet
        self._paste: list[str] | None = None  # inside the marks of a paste: what has come of it
        self._pasted = 0  # characters in it
        self._stalled = False  # the paste has been silent: a single key ends it
        self._raw = False  # inside a paste without marks
        self._lines = 0  # that have come without a pause
        self._begun = False  # the last read ended within a line
        self._last = 0.0  # s, when the last read came

    def feed(self, data: str, now: float) -> list[Piece]:
        """Take the bytes of one read.

        Args:
            now: seconds, by any clock.
        """
        if self._paste is not None:
            return self._continue_paste(data)
        if PASTE_BEGIN not in self._rest + data and self._is_raw_paste(data, now):
            return self._raw_paste(data)
        rest, self._rest = self._rest, ""
        if rest == ESC and data[:1].isprintable() and data[:1] not in "[O]P_":  # else it is a slow link
            return [Key(ESC), *self._cut(data)]
        return self._cut(rest + data)

    def flush(self) -> list[Piece]:
        """Nothing has come for a while, so whatever has begun is over."""
        self._raw = False
        self._lines = 0
        rest, self._rest = self._rest, ""
        if self._paste is not None:
            pasted, self._stalled = self._take_paste(), True
            return pasted
        return [Key(rest)] if len(rest) in (1, 2) else []  # ESC, or a character with Alt

    def _cut(self, data: str) -> list[Piece]:
        pieces: list[Piece] = []
        at = 0
        while at < len(data):
            if found := _TEXT.match(data, at):
                pieces.append(Text(found.group()))
                at = found.end()
            elif data[at] != ESC:
                if data[at] < "\x80":
                    pieces.append(Key(data[at]))
                at += 1
            elif data.startswith(PASTE_BEGIN, at):
                self._paste, self._pasted, self._stalled = [], 0, False
                return pieces + self._continue_paste(data[at + len(PASTE_BEGIN) :])
            elif _UNFINISHED.match(data, at):
                self._rest = data[at:]
                return pieces
            elif found := _WHOLE.match(data, at) or _BROKEN.match(data, at):
                if _WHOLE.fullmatch(found.group()):
                    pieces.append(Key(found.group()))
                at = found.end()
            elif data[at + 1] < " " or data[at + 1] == "\x7f":
                pieces.append(Key(ESC))
                at += 1
            else:
                pieces.append(Key(data[at : at + 2]))
                at += 2
        return pieces

    def _continue_paste(self, data: str) -> list[Piece]:
        """More of a paste between its marks, or a key after it has broken off."""
        data, self._rest = self._rest + data, ""
        before, end, after = data.partition(PASTE_END)
        if end:
            self._add(before)
            pasted, self._paste = self._take_paste(), None
            return pasted + self._cut(after)
        if data.endswith(CTRL_C):
            self._add(data)
            pasted, self._paste = self._take_paste(), None
            return [*pasted, Key(CTRL_C)]
        if self._stalled and (len(data) == 1 or _WHOLE.fullmatch(data)):
            self._paste = None
            return self._cut(data)
        mark = next((n for n in range(len(PASTE_END) - 1, 0, -1) if data.endswith(PASTE_END[:n])), 0)
        data, self._rest = data[: len(data) - mark], data[len(data) - mark :]
        self._add(data)
        return self._take_paste() if self._stalled else []

    def _add(self, data: str) -> None:
        assert self._paste is not None
        if self._pasted < MAX_PASTE:
            self._paste.append(data[: MAX_PASTE - self._pasted])
            self._pasted += len(data)

    def _take_paste(self) -> list[Piece]:
        text = only_text("".join(self._paste or ()))
        self._paste = []
        return [Paste(text)] if text else []

    def _is_raw_paste(self, data: str, now: float) -> bool:
        """Whether so many lines have come at once that a terminal without marks pastes them."""
        pause, self._last = now - self._last, now
        if self._raw and pause <= RAW_END and not (_KEYS.fullmatch(data) or _WHOLE.fullmatch(data)):
            return True
        lines, begun = len(_LINE.findall("x" + data if self._begun else data)), self._begun
        self._begun = not data.endswith(("\r", "\n"))
        if lines == 1 and not begun and not self._begun:
            self._lines = 0  # a whole line at once: a program types
        else:
            self._lines = lines if pause > RAW_PAUSE or _NO_TEXT.search(data.replace("\r", "")) else self._lines + lines
        self._raw = self._lines >= RAW_LINES
        return self._raw

    def _raw_paste(self, data: str) -> list[Piece]:
        data, self._rest = self._rest + data, ""
        text = only_text(data)
        pieces: list[Piece] = [Paste(text)] if text else []
        if data.endswith(CTRL_C):
            self._raw = False
            pieces.append(Key(CTRL_C))
        return pieces


def only_text(pasted: str) -> str:
    """A pasted text without escape sequences and control characters, and with its line ends as `\\n`."""
    if ESC in pasted:
        pasted = _BROKEN.sub("", _WHOLE.sub("", pasted))
    return _NO_TEXT.sub("", pasted.replace("\r\n", "\n").replace("\r", "\n"))
