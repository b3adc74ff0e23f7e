"""Characters that are not seen, and the places where writing needs them all the same. Pure.

Unicode calls most of them Default_Ignorable_Code_Point. Anywhere else they make two texts look alike that are not, or
hide a text in another, so `safe_text()` shows them by name. The rules for joiners are those of RFC 5892 (A.1, A.2) and
UAX 31, but for what people type every day: a half-space behind any Arabic letter, and the joiner before a virama of
Bengali, Kannada and Sinhala.
"""

import unicodedata
from bisect import bisect_right

ZWNJ, ZWJ = "\u200c", "\u200d"  # the non-joiner, which Persian calls the half-space, and the joiner
ZWSP = "\u200b"  # a place where a line may break, in scripts that write no spaces
TEXT_STYLE, EMOJI_STYLE = "\ufe0e", "\ufe0f"  # variation selectors: draw what stands before as text, or as a picture
KEYCAP = "\u20e3"
BLACK_FLAG, END_OF_TAGS = "\U0001f3f4", "\U000e007f"
_KEYS = frozenset("0123456789#*")
# The flags that Unicode recommends for interchange, as tags behind a black flag: England, Scotland, Wales.
_TAGGED_FLAGS = tuple(
    "".join(chr(0xE0000 + ord(letter)) for letter in region) + END_OF_TAGS for region in ("gbeng", "gbsct", "gbwls")
)
_VIRAMA = 9  # the combining class of the signs that take a consonant's vowel away


class _Ranges:
    """A set of code points, written as ranges of hexadecimal numbers."""

    def __init__(self, text: str) -> None:
        pairs = [(part.split("-") * 2)[:2] for part in text.split()]
        self._bounds = [bound for first, last in pairs for bound in (int(first, 16), int(last, 16) + 1)]

    def __contains__(self, char: str) -> bool:
        return bisect_right(self._bounds, ord(char)) % 2 == 1


# Default_Ignorable_Code_Point, and what is as blank without being in it: the object replacement character, the full
# and half blanks of Egyptian and the filler of Khitan, the null notehead.
_INVISIBLE = _Ranges(
    "ad 34f 61c 115f-1160 17b4-17b5 180b-180f 200b-200f 202a-202e 2060-206f 3164 fe00-fe0f feff ffa0 fff0-fff8 fffc "
    "13441-13442 16fe4 1bca0-1bca3 1d159 1d173-1d17a e0000-e0fff"
)
# Extended_Pictographic; behind U+1F000 whole blocks, because a Python is older than the emoji that people send.
_PICTOGRAPHS = _Ranges(
    "a9 ae 203c 2049 2122 2139 2194-2199 21a9-21aa 231a-231b 2328 23cf 23e9-23f3 23f8-23fa 24c2 25aa-25ab 25b6 25c0 "
    "25fb-25fe 2600-2604 260e 2611 2614-2615 2618 261d 2620 2622-2623 2626 262a 262e-262f 2638-263a 2640 2642 "
    "2648-2653 265f-2660 2663 2665-2666 2668 267b 267e-267f 2692-2697 2699 269b-269c 26a0-26a1 26a7 26aa-26ab "
    "26b0-26b1 26bd-26be 26c4-26c5 26c8 26ce-26cf 26d1 26d3-26d4 26e9-26ea 26f0-26f5 26f7-26fa 26fd 2702 2705 "
    "2708-270d 270f 2712 2714 2716 271d 2721 2728 2733-2734 2744 2747 274c 274e 2753-2755 2757 2763-2764 2795-2797 "
    "27a1 27b0 27bf 2934-2935 2b05-2b07 2b1b-2b1c 2b50 2b55 3030 303d 3297 3299 1f000-1f1e5 1f200-1f3fa 1f400-1faff "
    "1fc00-1fffd"
)
_SKIN_TONES = _Ranges("1f3fb-1f3ff")
# Letters that join their neighbours: Arabic, Syriac, N'Ko, Mandaic, Mongolian, Phags-pa, Rohingya, Adlam.
_JOINING = _Ranges("620-77f 7c0-7ff 840-8ff 1820-18aa a840-a877 10d00-10d3f 1e900-1e95f")
_MONGOLIAN = _Ranges("1820-18aa")
_UNSPACED = _Ranges("e00-eff 1000-109f 1780-17ff")  # Thai, Lao, Burmese, Khmer
# Two planes are kept free for more of them.
_HAN = _Ranges("3400-4dbf 4e00-9fff f900-fa6d fa70-fad9 20000-2fffd 30000-3fffd")


def is_invisible(char: str) -> bool:
    """Whether nothing is seen where this character stands, but for a space."""
    return not char.isascii() and char in _INVISIBLE


def is_pictograph(char: str) -> bool:
    """Whether this is an emoji, or a code point where one may be by now."""
    return not char.isascii() and char in _PICTOGRAPHS  # nor is it the end of the text, which is ASCII


def is_skin_tone(char: str) -> bool:
    return char in _SKIN_TONES


def is_tag(char: str) -> bool:
    """Whether this is a part of the name of a flag, which stands behind a black flag."""
    return "\U000e0020" <= char <= END_OF_TAGS


def is_han(char: str) -> bool:
    """Whether this is a Chinese character, or a code point where one may be by now."""
    return not char.isascii() and char in _HAN


def written(text: str, at: int) -> tuple[int, str] | None:
    """Whether the invisible character at this place belongs to what is written.

    Returns:
        How many characters belong together from here on, and how they are shown; None: they have no business here.
        Nothing is shown of the selector of a Chinese or Mongolian letter's form and of a place to break a line: no
        terminal draws the one, and lines are broken elsewhere.
    """
    char, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if not before:
        return None
    if char in (ZWJ, ZWNJ):
        return (1, char) if _is_joiner(text, at, char, before, after) else None
    if char in (TEXT_STYLE, EMOJI_STYLE):
        belongs = is_pictograph(before) or (before in _KEYS and after == KEYCAP)
        return (1, char) if belongs else None
    if char == ZWSP:
        return (1, "") if after and before in _UNSPACED and after in _UNSPACED else None
    if before == BLACK_FLAG:
        tags = next((tags for tags in _TAGGED_FLAGS if text.startswith(tags, at)), "")
        return (len(tags), tags) if tags else None
    is_form = (before in _HAN and _selects_form(char)) or (before in _MONGOLIAN and "\u180b" <= char <= "\u180f")
    return (1, "") if is_form else None


def without_invisible(text: str) -> str:
    """The text as it looks: to compare texts, not to show them."""
    if text.isascii():
        return text
    return "".join(char for char in text if char not in _INVISIBLE)


def _is_joiner(text: str, at: int, char: str, before: str, after: str) -> bool:
    if char == ZWJ and is_pictograph(after):
        return is_pictograph(before) or before in _SKIN_TONES or _ends_picture(text, at)
    base = _base(text, at)
    if base in _JOINING and unicodedata.category(base)[0] == "L":
        return True
    if is_invisible(before):
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    # The joiner before a virama, as Bengali, Kannada and Sinhala have it.
    is_before_virama = char == ZWJ and after and unicodedata.combining(after) == _VIRAMA
    return bool(is_before_virama) and unicodedata.category(before)[0] in "LM"


def _ends_picture(text: str, at: int) -> bool:
    """Whether a picture ends right before this place, with a selector or with tags."""
    if text[at - 1] == EMOJI_STYLE:
        return is_pictograph(text[max(at - 2, 0)])
    return any(text.endswith(BLACK_FLAG + tags, 0, at) for tags in _TAGGED_FLAGS)


def _base(text: str, at: int) -> str:
    """The letter before this place, without its marks."""
    while at > 1 and unicodedata.category(text[at - 1])[0] == "M" and text[at - 1] not in _INVISIBLE:
        at -= 1
    return text[at - 1]


def _selects_form(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe02" or "\U000e0100" <= char <= "\U000e01ef"
