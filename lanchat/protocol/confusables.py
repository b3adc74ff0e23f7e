"""Nicks that look the same are the same. The door of `confusable_homoglyphs` (Unicode TR 39, confusables).

A skeleton is what is left of a nick when case, width, composition and the choice between look-alike
letters are taken away. It is compared, never shown.
"""

import unicodedata
from functools import lru_cache

_TWINS = str.maketrans({"0": "o", "1": "l", "i": "l"})  # and "rn" is "m", below: as TR 39 has them


def skeleton(text: str) -> str:
    """Two nicks with the same skeleton cannot be told apart at a glance."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = "".join(map(_prototype, unicodedata.normalize("NFD", text)))
    return text.casefold().translate(_TWINS).replace("m", "rn")


@lru_cache(4096)
def _prototype(char: str) -> str:
    """The letter that stands for all that look like this one."""
    from confusable_homoglyphs.confusables import confusables_data  # 70 ms: only who meets such a letter pays

    alike = confusables_data.get(char)
    if char.isascii() or not alike or len(alike) > 1:  # many look like it: it is the prototype itself
        return char
    other = str(alike[0]["c"]).strip("\u200e")
    return min(char, other) if len(confusables_data.get(other, ())) == 1 else other
