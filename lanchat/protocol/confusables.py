"""Recognises nicks that look alike (Unicode TR 39). Pure; the only module that imports `confusable_homoglyphs`.

The skeleton of a nick is the nick without the differences that the eye does not see: case, width, composition, and the
choice between look-alike letters. It is compared, never shown. A nick has two, because case and shape do not agree: a
capital nu looks like N and a small nu like v, so a single skeleton would make n and v the same letter.
"""

import unicodedata
from functools import lru_cache

_TWINS = str.maketrans({"0": "o", "1": "l", "i": "l"})  # and "rn" is "m", below: as TR 39 has them
_UNLISTED = {"\U0001030f": "o"}  # Old Italic O is a circle, and TR 39 does not list it


def skeleton(text: str) -> str:
    """The skeleton of a nick in small letters. Two nicks with the same one differ in nothing but case to the eye."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = _prototypes(unicodedata.normalize("NFD", text))
    return _without_case(text)


def skeletons(text: str) -> frozenset[str]:
    """The skeletons of a nick: of its small letters, and of its letters as they are written.

    Two nicks with a skeleton in common cannot be distinguished at a glance.
    """
    if text.isascii():
        return frozenset((skeleton(text),))  # both are the same
    # In this order, because NFKC changes the shape of a lunate sigma.
    written = unicodedata.normalize("NFKC", _prototypes(text))
    written = _prototypes(unicodedata.normalize("NFD", written))
    return frozenset((skeleton(text), _without_case(written)))


def _prototypes(text: str) -> str:
    return "".join(map(_prototype, text))


def _without_case(text: str) -> str:
    return text.casefold().translate(_TWINS).replace("m", "rn")


@lru_cache(4096)
def _prototype(char: str) -> str:
    """The letter that stands for all that look like this one."""
    from confusable_homoglyphs.confusables import confusables_data  # takes 70 ms, so only such letters load it

    alike = confusables_data.get(char)
    if char.isascii() or not alike or len(alike) > 1:  # several letters look like this one: it is their prototype
        return _UNLISTED.get(char, char)
    other = str(alike[0]["c"]).strip("\u200e")
    return min(char, other) if len(confusables_data.get(other, ())) == 1 else other
