"""Recognises nicks that look alike (Unicode TR 39). Pure; the only module that imports `confusable_homoglyphs`.

The skeleton of a nick is the nick without the differences that the eye does not see: case, width, composition, and the
choice between look-alike letters. It is compared, never shown.
"""

import unicodedata
from functools import lru_cache

_TWINS = str.maketrans({"0": "o", "1": "l", "i": "l"})  # and "rn" is "m", below: as TR 39 has them


def skeleton(text: str) -> str:
    """The skeleton of a nick. Two nicks with the same skeleton cannot be distinguished at a glance."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = "".join(map(_prototype, unicodedata.normalize("NFD", text)))
    return text.casefold().translate(_TWINS).replace("m", "rn")


@lru_cache(4096)
def _prototype(char: str) -> str:
    """The letter that stands for all that look like this one."""
    from confusable_homoglyphs.confusables import confusables_data  # takes 70 ms, so only such letters load it

    alike = confusables_data.get(char)
    if char.isascii() or not alike or len(alike) > 1:  # several letters look like this one: it is their prototype
        return char
    other = str(alike[0]["c"]).strip("\u200e")
    return min(char, other) if len(confusables_data.get(other, ())) == 1 else other
