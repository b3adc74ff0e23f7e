"""Rules for text: valid titles and messages (nicks: nicks.py), and a safe way to show text from the network. Pure.

`safe_text()` is called wherever text reaches a screen, a log line or a terminal title. It drops nothing silently,
except marks that are piled up on one letter and what no terminal draws: a character that cannot be shown is replaced by
its name.
"""

import shlex
import unicodedata
from collections.abc import Sequence

from lanchat.protocol.invisible import is_han, is_invisible, is_pictograph, without_invisible, written

MAX_TEXT = 4096  # bytes of UTF-8 in one message; a pasted page fits
MAX_TITLE = 60  # characters; fits a line of 80 columns beside the other columns of a listing
MAX_TITLE_BYTES = 180  # of UTF-8; one TXT pair of DNS-SD holds 255
MAX_LINES = 100  # of one message; a longer paste is a file
_SHORT = MAX_TEXT // 6  # characters of ASCII that fit into a message however JSON escapes them
_BRIEF = 120  # characters of an error in a sentence
MAX_LISTED = 50  # names in one sentence; twenty lines of a terminal
MAX_MARKS = 4  # above and below a letter, and as many beside it; no script in use needs more, and a pile covers lines

_WIDE_SPACE = "\u3000"
_BYTES = range(0xDC80, 0xDD00)  # what stands for a byte of 128 to 255 in a path or variable that is no UTF-8
_BLANK_BRAILLE = "\u2800"  # pictures of dots are full of it
_PLAIN, _MARK, _SPACING_MARK, _INVISIBLE, _OTHER = "plain", "mark", "spacing mark", "invisible", "other"


class TooLong(ValueError):
    """A text does not fit into one message."""


class _Kinds(dict[str, str]):
    """The kind of each character. It remembers those that it was asked about; most texts hold few different ones."""

    LIMIT = 20_000  # remembered; a text of all that exist must not fill the memory

    def __missing__(self, char: str) -> str:
        kind = _kind(char)
        if len(self) < self.LIMIT:
            self[char] = kind
        return kind


_kinds = _Kinds()


def in_brief(error: BaseException) -> str:
    """The error in a few words for a sentence. It may quote a stranger, and it reaches logs and everybody's screens."""
    return safe_text(str(error))[:_BRIEF].rstrip(".")


def safe_text(text: str, *, lines: bool = False) -> str:
    """The text with every character made visible that could control a terminal or hide something.

    Control, format, private, unassigned and surrogate code points and all others that are invisible become `\\x1b` or
    `<U+202E>`, and unusual spaces a space. A byte of a path that is no Unicode (PEP 383) becomes `\\xff`. Joiners and
    variation selectors stay where writing needs them, by the rules of `invisible.py`. With `lines`, line ends stay too.
    """
    if text.isascii() and text.isprintable():
        return text
    if lines and "\n" in text:
        return "\n".join(map(safe_text, text.split("\n")))
    kinds = {char: _kinds[char] for char in set(text)}
    there = set(kinds.values())
    if there == {_PLAIN}:
        return text
    if _MARK in there or _SPACING_MARK in there:
        text = _without_piles(text, kinds)
    if _INVISIBLE in there or _OTHER in there:
        text = _with_names(text, kinds)
    return text


def clean_title(text: str) -> str:
    """The title of a room in its canonical spelling.

    Raises:
        ValueError: it is not a valid title; the text is for a person.
    """
    text = normalized(text, "A title", MAX_TITLE_BYTES)
    if len(text) > MAX_TITLE:
        raise ValueError(f"A title may have at most {MAX_TITLE} characters; this one has {len(text)}.")
    if safe_text(text) != text:
        raise ValueError("A title must be one line of visible characters.")
    if not any(_kinds[char] == _PLAIN and not char.isspace() for char in text):
        raise ValueError("A title cannot be empty.")
    return text


def same_title(text: str) -> str:
    """Two titles with the same value here are the same title to people: invisible characters make no difference."""
    return unicodedata.normalize("NFC", without_invisible(text[: 2 * MAX_TITLE_BYTES]))


def clean_text(text: str) -> str:
    """The text of a message, with its line ends as `\\n`. Encoded, the message fits into MAX_LINE.

    Raises:
        ValueError: the text is empty, too long, or not valid Unicode.
    """
    if len(text) > MAX_TEXT:
        raise TooLong(f"A message may have at most {MAX_TEXT} bytes.")
    line = text.isascii() and "\n" not in text and "\r" not in text
    if line and (len(text) <= _SHORT or text.isprintable()) and text.strip():
        return text  # most messages; the way below costs a microsecond for each 15 characters
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    try:
        size = len(text.encode()) + 5 * sum(char < " " and char not in "\n\t" for char in text)  # JSON: six bytes each
    except UnicodeEncodeError:
        raise ValueError("A message must be valid Unicode.") from None
    if not text.strip():
        raise ValueError("A message cannot be empty.")
    if size > MAX_TEXT:
        counted = "" if size == len(text.encode()) else "; a control character counts as 6"
        raise TooLong(f"{size} bytes are too many for one message ({MAX_TEXT} at most{counted}).")
    if (lines := text.count("\n") + 1) > MAX_LINES:
        raise TooLong(f"{lines} lines are too many for one message ({MAX_LINES} at most).")
    return text


def all_clean(texts: Sequence[str]) -> bool:
    """Whether `clean_text` would leave all these texts as they are. Looks at all of them at once, and so may say no
    where one of them is long or not ASCII."""
    together = "".join(texts)
    one_line = together.isascii() and "\n" not in together and "\r" not in together
    return one_line and max(map(len, texts), default=0) <= _SHORT and all(map(str.strip, texts))


def normalized(text: str, what: str, max_bytes: int) -> str:
    """The text in normal form C, without spaces around it.

    Args:
        what: the subject of a sentence about a text that is too long.

    Raises:
        ValueError: it has more bytes of UTF-8 than that, or is not valid Unicode.
    """
    _check_size(text, what, max_bytes)
    text = unicodedata.normalize("NFC", text).strip(" ")
    _check_size(text, what, max_bytes)  # NFC can be three times as long
    return text


def listed(names: Sequence[str]) -> str:
    """The names behind a colon: `ann, bob`. Of many, only the first are named."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more


def conjunction(names: Sequence[str]) -> str:
    """The names within a sentence: `ann`, `ann and bob`, `ann, bob and cat`. Of many, only the first are named."""
    left = len(names) - MAX_LISTED
    parts = [*names[:MAX_LISTED], *([f"{left} more"] if left > 0 else [])]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def quoted(word: str) -> str:
    """The word as one types it in a shell: in double quotes if these are enough, since every system knows them."""
    return f'"{word}"' if not set(word) & set('"\\$`!%') else shlex.quote(word)


def argument(word: str) -> str:
    """An address or a path as one types it in a shell: quoted only if a shell would take it for something else."""
    return word if shlex.quote(word) == word else quoted(word)


def last_argument(word: str) -> str:
    """The word as one types it at the end of a command: quoted, and never taken for an option."""
    return f"{'-- ' if word.startswith('-') else ''}{quoted(word)}"


def grouped(fingerprint: str) -> str:
    """A fingerprint for reading aloud: in groups of four digits."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def _check_size(text: str, what: str, max_bytes: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what} must be valid Unicode.") from None
    if size > max_bytes:
        raise ValueError(f"{what} may have at most {max_bytes} bytes; this one has {size}.")


def _kind(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Cs", "Co"):
        return _OTHER
    if category == "Cn":  # only this Python does not know it
        return _PLAIN if is_pictograph(char) or is_han(char) else _OTHER
    if is_invisible(char):
        return _INVISIBLE
    if category in ("Mn", "Me"):
        return _MARK
    if category == "Mc" or "\u1160" <= char <= "\u11ff":  # the latter: vowels and finals of Korean, one by one
        return _SPACING_MARK
    if char == _BLANK_BRAILLE:
        return _OTHER
    return _PLAIN if char.isprintable() or char == _WIDE_SPACE else _OTHER


def _without_piles(text: str, kinds: dict[str, str]) -> str:
    """The text with at most so many marks on each letter as anybody writes."""
    kept: list[str] = []
    marks = spacing = 0
    for char in text:
        kind = kinds[char]
        if kind == _MARK:
            marks += 1
            if marks > MAX_MARKS:
                continue
        elif kind == _SPACING_MARK:
            spacing += 1
            if spacing > MAX_MARKS:
                continue
        elif kind != _INVISIBLE:
            marks = spacing = 0
        kept.append(char)
    return "".join(kept)


def _with_names(text: str, kinds: dict[str, str]) -> str:
    """The text with a name for each character that is not seen and not written either."""
    odd = {char for char, kind in kinds.items() if kind in (_INVISIBLE, _OTHER)}
    shown: list[str] = []
    done = 0
    for at, char in enumerate(text):
        if char in odd and at >= done:
            length, name = (kinds[char] == _INVISIBLE and written(text, at)) or (1, _named(char))
            shown += text[done:at], name
            done = at + length
    return "".join(shown) + text[done:]


def _named(char: str) -> str:
    if char == "\t":
        return "    "
    if char == _BLANK_BRAILLE or unicodedata.category(char) == "Zs":
        return " "
    code = ord(char)
    if code in _BYTES:
        code -= _BYTES.start - 0x80
    return f"\\x{code:02x}" if code < 0x100 else f"<U+{code:04X}>"
