"""Whether a text names somebody, also in scripts that put no spaces between words. Pure."""

import re
from functools import lru_cache

from lanchat.protocol.folding import is_spaced

SHORTEST = 2  # characters of a nick that is looked for inside other characters; a single one is a part of many words

_IN_A_WORD = re.compile(r"[\w-]")


def mentions(text: str, *names: str) -> bool:
    """Whether the text has one of these nicks or words as a word of its own. Upper and lower case do not count."""
    for name in names:
        # Most texts have none, and `search` is the quickest way to tell.
        if name and (pattern := _pattern(name)).search(text):
            if any(_is_word(text, match.start(), match.end()) for match in pattern.finditer(text)):
                return True
    return False


def last_word(text: str) -> list[str]:
    """Pieces at the end of this text that may be the beginning of a nick, the longest first."""
    word = text.split(" ")[-1].split("\n")[-1]
    return [word[at:] for at in range(len(word)) if at == 0 or _parts(word[at - 1], word[at], len(word) - at)]


@lru_cache(maxsize=64)
def _pattern(nick: str) -> re.Pattern[str]:
    return re.compile(re.escape(nick), re.IGNORECASE)


def _is_word(text: str, start: int, end: int) -> bool:
    size = end - start
    before = start == 0 or _parts(text[start - 1], text[start], size)
    return before and (end == len(text) or _parts(text[end], text[end - 1], size))


def _parts(outside: str, edge: str, size: int) -> bool:
    """Whether a nick can end between these two characters, the second of which is its own.

    Args:
        size: characters of the nick.
    """
    if not _IN_A_WORD.match(outside):
        return True
    return size >= SHORTEST and not (is_spaced(outside) and is_spaced(edge))
