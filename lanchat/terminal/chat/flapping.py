"""Finds out who comes and goes again and again, such as a script that says one line a minute. Pure."""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto

from lanchat.protocol.messages import Joined, Left

WITHIN = 10 * 60_000  # ms; who is quiet for as long is no longer flapping
SHOWN = 4  # comings and goings within that time: two visits are told in full
MOST = 1000  # people who are remembered
ALWAYS_SHOWN = ("kicked", "banned")  # codes of Left: somebody did that


class Shown(Enum):
    """What becomes of the line about a coming or going."""

    YES = auto()
    LAST = auto()  # and the person is told that the next ones are hidden
    NO = auto()


@dataclass
class _Visits:
    number: int = 0
    last_at: int = 0  # ms since 1970


class Flapping:
    """Follows who comes and goes. Owned by the thread that paints."""

    def __init__(self) -> None:
        self._visits: OrderedDict[tuple[str, str], _Visits] = OrderedDict()  # the latest at the end

    def follow(self, event: Joined | Left) -> Shown:
        """Whether this coming or going is to be shown."""
        who = event.by, event.nick
        visits = self._visits.setdefault(who, _Visits())
        self._visits.move_to_end(who)
        if len(self._visits) > MOST:
            self._visits.popitem(last=False)
        if abs(event.at - visits.last_at) > WITHIN:  # a clock may also have been set back
            visits.number = 0
        visits.number += 1
        visits.last_at = event.at
        if isinstance(event, Left) and event.code in ALWAYS_SHOWN:
            return Shown.YES
        return Shown.YES if visits.number < SHOWN else Shown.LAST if visits.number == SHOWN else Shown.NO
