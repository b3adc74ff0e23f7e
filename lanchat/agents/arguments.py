"""The arguments of one call of a tool."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

LARGEST = 10**9  # of a number; `float` refuses one of hundreds of digits


class BadArguments(Exception):
    """A call has arguments that the tool does not take."""


@dataclass
class Call:
    """One call of a tool.

    Args:
        progress: called with the seconds that have passed and those in all; None: the client does not want to know.
    """

    arguments: Mapping[str, Any]
    progress: Callable[[float, float], None] | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def text(self, name: str, default: str = "") -> str:
        value = self.arguments.get(name)
        if value is not None and not isinstance(value, str):
            raise BadArguments(f"{name} has to be a text.")
        return value or default

    def flag(self, name: str) -> bool:
        value = self.arguments.get(name)
        if value is not None and not isinstance(value, bool):
            raise BadArguments(f"{name} has to be true or false.")
        return bool(value)

    def number(self, name: str, default: float | None = None) -> float | None:
        value = self.arguments.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST:
            raise BadArguments(f"{name} has to be a number from 0 to {LARGEST:,}.")
        return float(value)
