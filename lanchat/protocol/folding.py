"""Folds text for searching: what a person types finds what was written, however either of them is spelled. Pure.

Every search uses this one folding: for titles in all commands, in the list of rooms, and for words in a history. The
result is compared, never shown. Nicks are compared more strictly: see confusables.py.
"""

import unicodedata

_ALIKE = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼ′‹›", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "ı": "i",  # Turkish; the capital I is its capital as well
    }
)
_ENCLOSING = ("Me", "Cf")  # marks around a character, joiners and direction marks: nobody types them into a search
_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))  # how the character before looks
_SPACED = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "GEORGIAN", "HANGUL", "MODIFIER", "COMBINING"}
_CACHED = 20_000  # characters; more than any language has in use, and no stranger's text fills the memory


def fold(text: str) -> str:
    """The text without the differences that do not count in a search.

    These are case, accents, the way a character is composed (é and Korean syllables have two spellings),
    width, ligatures, and typographic quotes and dashes. Folding takes time linear in the text, whatever it holds.
    """
    return text.lower() if text.isascii() else text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """The folded form of each character by its code point. Two threads may note the same one, which does no harm."""

    def __missing__(self, code: int) -> str:
        folded = _fold_one(chr(code))
        if len(self) < _CACHED:
            self[code] = folded
        return folded


_FOLDED = _Folded()


def _fold_one(char: str) -> str:
    if "\ud800" <= char <= "\udfff":  # a byte that is not text; read as one, it would have become this
        return "\N{REPLACEMENT CHARACTER}"
    for _ in range(2):  # a compatibility form may stand for a capital
        char = unicodedata.normalize("NFKD", char.casefold())
    return "".join(each for each in char if not _is_ignored(each)).translate(_ALIKE)


def _is_ignored(char: str) -> bool:
    """Whether a search ignores this: an accent, or what only tells how other characters look.

    Marks that make another word stay: those of Japanese and Indic scripts, of Thai and Lao.
    """
    kind = unicodedata.combining(char)
    return (
        kind == 1 or 10 <= kind <= 36 or kind >= 200 or unicodedata.category(char) in _ENCLOSING or char in _SELECTORS
    )


def is_spaced(char: str) -> bool:
    """Whether the script of this character separates words by spaces."""
    return char.isascii() or unicodedata.name(char, "").split(" ")[0] in _SPACED
