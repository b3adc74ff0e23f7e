"""Splits a search into words for the full-text index and parts to find in the texts themselves. Pure.

The index knows only words of letters and digits, so no search can contain an operator. Everything else in a search
("c++", ":-)"), and scripts that put no spaces between words, is looked for in the texts as it stands.
"""

import re
import unicodedata
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+")  # letters and digits, as the index splits a text
_SPACED = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "GEORGIAN", "HANGUL", "MODIFIER", "COMBINING"}


@dataclass(frozen=True)
class Search:
    """A search. A text matches if it has all of these words and parts."""

    words: tuple[str, ...]  # a word of the text begins with it, in any case and with any accents
    parts: tuple[str, ...]  # each is somewhere in the text; case does not count for ASCII letters

    def fits(self, text: str) -> bool:
        """Whether this text, which no index knows, matches."""
        lower = text.lower()
        return has_words(text, " ".join(self.words)) and all(part.lower() in lower for part in self.parts)


def parse_search(text: str) -> Search:
    """Split what a person typed. Never fails; blanks alone match every text."""
    found: list[str] = []
    parts: list[str] = []
    for part in text.replace("\0", " ").split():
        words = [word for word in _WORD.findall(part) if all(map(_is_spaced, word))]
        found += words
        if words != [part]:
            parts.append(part)
    return Search(tuple(found), tuple(parts))


def has_words(text: str, words: str) -> bool:
    """Whether a text that is not indexed yet has all of these words, by the rules of the index.

    Args:
        words: the words of a Search, separated by spaces.
    """
    begins = [_plain(word) for word in _WORD.findall(text)]
    return all(any(begin.startswith(_plain(word)) for begin in begins) for word in words.split())


def _is_spaced(char: str) -> bool:
    """Whether the script of this character separates words by spaces, so that the index knows its words."""
    return char.isascii() or unicodedata.name(char, "").split(" ")[0] in _SPACED


def _plain(word: str) -> str:
    """A word without case and accents, as the index stores it."""
    return "".join(char for char in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(char))
