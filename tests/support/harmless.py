"""What must never reach a screen, said apart from the code that keeps it away."""

import unicodedata

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # what a terminal acts on, or an eye does not see
JOINERS = "\u200c\u200d"
SELECTORS = "\ufe0e\ufe0f"
TAGS = "".join(map(chr, range(0xE0020, 0xE0080)))
WRITING = frozenset(JOINERS + SELECTORS + TAGS)  # invisible, and written at some places; tests of its own say which
# Seen by nobody, though their category says nothing of it: Default_Ignorable_Code_Point, blanks and fillers.
BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc"
    "\U00013441\U00013442\U00016fe4\U0001d159"
) | {chr(code) for code in [*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0100, 0xE01F0)]}


def harmful(text: str, *, but: str = "") -> set[str]:
    """The characters of this text that act on a terminal, or hide. Those that writing needs do not count.

    Args:
        but: characters that do not count either, such as a line end.
    """
    return {char for char in set(text) - set(but) - WRITING if char in BLANK or _is_hidden(char)}


def _is_hidden(char: str) -> bool:
    code = ord(char)
    if 0x1F000 <= code < 0x1FB00 or 0x1FC00 <= code < 0x1FFFE:  # emoji, also those that this Python does not know
        return False
    if 0x20000 <= code < 0x40000 and code & 0xFFFE != 0xFFFE:  # Chinese characters, likewise
        return False
    return unicodedata.category(char) in HIDDEN
