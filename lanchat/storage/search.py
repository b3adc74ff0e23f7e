"""Splits a search into words for the full-text index and parts to find in the texts themselves. Pure.

Words, parts and texts are folded in the same way, and so is what the index holds (see protocol/folding.py). The index
knows only words of letters and digits, so no search can contain an operator. Everything else in a search ("c++",
":-)"), and scripts that put no spaces between words, is looked for in the texts as it stands.
"""

import re
from dataclasses import dataclass

from lanchat.protocol.folding import fold, is_spaced

_WORD = re.compile(r"[^\W_]+")  # letters and digits, as the index splits a text


@dataclass(frozen=True)
class Search:
    """A search, folded. A text matches if it has all of these words and parts."""

    words: tuple[str, ...]  # a word of the text begins with it
    parts: tuple[str, ...]  # each is somewhere in the text

    def __bool__(self) -> bool:
        return bool(self.words or self.parts)

    def matches(self, text: str) -> bool:
        folded = fold(text)
        if not all(part in folded for part in self.parts):
            return False
        if not self.words:
            return True
        begins = _WORD.findall(folded)
        return all(any(begin.startswith(word) for begin in begins) for word in self.words)


def parse_search(text: str) -> Search:
    """Split what a person typed. Never fails; blanks alone match every text."""
    found: list[str] = []
    parts: list[str] = []
    for part in fold(text).replace("\0", " ").split():
        words = [word for word in _WORD.findall(part) if all(map(is_spaced, word))]
        found += words
        if words != [part]:
            parts.append(part)
    return Search(tuple(found), tuple(parts))
