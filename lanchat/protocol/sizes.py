"""Sizes of files, as people read and write them. Pure."""

import re

_UNITS = ("bytes", "KB", "MB", "GB", "TB")  # of 1,024, as most file managers count
_SIZE = re.compile(r"([0-9]{1,9})(?:\.([0-9]))?\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)


def size_text(size: int) -> str:
    """The size in at most three digits: `980 bytes`, `2.1 MB`, `310 MB`."""
    number, unit = float(size), 0
    while number >= 999.5 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    digits = f"{number:.1f}".removesuffix(".0") if 0 < number < 9.95 and unit else f"{number:.0f}"
    return f"{digits} {'byte' if digits == '1' and not unit else _UNITS[unit]}"


def parse_size(text: str) -> int:
    """Read a size such as `500M`, `10G` or `1.5 GB`. Returns bytes.

    Raises:
        ValueError: the text is no size; the message is for a person.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a size. Write 500M, 2G, or 0.')
    whole, tenths, unit = match.groups()
    factor: int = 1024 ** " kmgt".index(unit.lower() or " ")
    return int(whole) * factor + int(tenths or 0) * factor // 10
