"""Rules for nicks: which ones are valid, which ones look alike, and which ones are suggested. Pure."""

import unicodedata
from collections.abc import Callable

from lanchat.protocol.confusables import skeleton, skeletons
from lanchat.protocol.invisible import is_invisible
from lanchat.protocol.text import MAX_MARKS, normalized, safe_text

MAX_NICK = 32  # characters
MAX_NICK_BYTES = 64  # of UTF-8; normalizing is quadratic in marks (python gh-149079), so it gets short texts only
MAX_SUGGESTIONS = 1000  # nicks that are tried before none is suggested; some 1 ms

_NICK_EXTRA = frozenset("_-.")


def clean_nick(text: str) -> str:
    """The nick in its canonical spelling (NFC, no space around).

    Raises:
        ValueError: it is not a valid nick; the text is for a person.
    """
    text = normalized(text, "A nick", MAX_NICK_BYTES)
    if not text:
        raise ValueError("A nick cannot be empty.")
    if len(text) > MAX_NICK:
        raise ValueError(f"A nick may have at most {MAX_NICK} characters.")
    for char in text:
        if not (_is_word(char) or char in _NICK_EXTRA):
            raise ValueError(f"A nick may hold letters, digits, _ - and . (no {_quoted(char)}).")
    if not any(_is_word(char) and unicodedata.category(char)[0] != "M" for char in text):
        raise ValueError("A nick needs a letter or a digit.")
    if safe_text(text) != text:
        raise ValueError(f"A letter of a nick may have at most {MAX_MARKS} marks.")
    return text


def safe_nick(text: str) -> str:
    """A nick, safe to show: what no nick can hold becomes a question mark, so that no nick looks like something else.

    Only a host that breaks the rules sends such a nick.
    """
    if text.isascii() and text.isalnum() and len(text) <= MAX_NICK:
        return text
    shown = safe_text("".join(char if _is_word(char) or char in _NICK_EXTRA else "?" for char in text[:MAX_NICK]))
    return (shown or "?") + ("..." if len(text) > MAX_NICK else "")


def nick_from(text: str) -> str:
    """The valid nick nearest to any text, such as a login name; "guest" if no character is left."""
    text = unicodedata.normalize("NFC", text[:MAX_NICK_BYTES]).strip()
    kept = "".join(c if _is_word(c) or c in _NICK_EXTRA else "_" if c.isspace() else "" for c in text)[:MAX_NICK]
    while len(kept.encode()) > MAX_NICK_BYTES:
        kept = kept[:-1]
    try:
        return clean_nick(kept)
    except ValueError:
        return "guest"


def same_nick(text: str) -> str:
    """The form in which nicks are compared: two nicks with the same one look alike (case, width, similar letters).

    Nicks with different ones may look alike all the same, if the case of a letter hides it (see `skeletons`).
    """
    return skeleton(text)


def free_nick(nick: str, is_taken: Callable[[str], bool]) -> str:
    """A nick near this one that is free; "": all of the nearest ones are taken.

    Args:
        is_taken: whether a nick with this skeleton is taken.
    """
    for number in range(2, 2 + MAX_SUGGESTIONS):
        proposal = with_tail(nick, str(number))
        if not any(map(is_taken, skeletons(proposal))):
            return proposal
    return ""


def with_tail(nick: str, tail: str) -> str:
    """The nick with something behind it, and shortened for that as far as needed.

    Args:
        tail: ASCII.
    """
    kept = nick[: MAX_NICK - len(tail)]
    while len(kept.encode()) + len(tail) > MAX_NICK_BYTES:
        kept = kept[:-1]
    return kept + tail


def _is_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN" and not is_invisible(char)


def _quoted(char: str) -> str:
    return "space" if char == " " else f'"{safe_text(char)}"'
