"""Retention: how much of a log is stored, as a person writes it and as a value. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}  # seconds
_AGE = re.compile(r"([0-9]{1,9})([smhdw])")
_ENTRIES = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class Retention:
    """The most that a log may hold; None means no bound."""

    age: int | None = None  # ms
    entries: int | None = None

    def __str__(self) -> str:
        """As `parse_retention` reads it; "" for everything."""
        if self.entries is not None:
            return str(self.entries)
        if self.age is None:
            return ""
        seconds = self.age // 1000
        unit, size = max(((u, s) for u, s in _UNITS.items() if seconds % s == 0 and u != "w"), key=lambda pair: pair[1])
        return f"{seconds // size}{unit}"


EVERYTHING = Retention()


@dataclass(frozen=True)
class Amount:
    """A number of entries of a log, and the bytes in them."""

    entries: int = 0
    size: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.entries + other.entries, self.size + other.size)

    def part(self, factor: float) -> "Amount":
        return Amount(int(self.entries * factor), int(self.size * factor))

    def beyond(self, bound: "Amount") -> "Amount":
        """The part of this amount that exceeds a bound."""
        return Amount(max(0, self.entries - bound.entries), max(0, self.size - bound.size))


NOTHING = Amount()


def fair_share(sizes: Iterable[int], total: int) -> int:
    """The largest bound for each of these sizes with which their sum is no larger than the total.

    A size below the bound stays as it is, so that only the largest ones have to give.
    """
    left, rest = total, sorted(sizes)
    while rest and rest[0] <= left // len(rest):
        left -= rest.pop(0)
    return left // len(rest) if rest else total


def parse_retention(text: str) -> Retention:
    """Read a retention: `30d` keeps younger entries, `10000` the last 10,000 of them, "" everything.

    Raises:
        ValueError: it is none of these; the message is for a person.
    """
    text = text.strip().lower()
    if not text:
        return EVERYTHING
    if _ENTRIES.fullmatch(text) and int(text) > 0:
        return Retention(entries=int(text))
    try:
        return Retention(age=parse_age(text))
    except ValueError:
        raise ValueError(f'"{text}" is neither an age nor a number of entries. Write 30d, 12h or 10000.') from None


def parse_age(text: str) -> int:
    """Read an age such as `90s`, `30m`, `2h`, `30d` or `2w`. Returns ms.

    Raises:
        ValueError: it is none of these; the message is for a person.
    """
    match = _AGE.fullmatch(text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise ValueError(f'"{text}" is not an age. Write a number and one of s m h d w, as in 30m, 2h or 7d.')
    return int(match[1]) * _UNITS[match[2]] * 1000
