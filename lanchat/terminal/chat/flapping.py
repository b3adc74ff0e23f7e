"""Decides which comings and goings are shown: not those of a script that says one line a minute, for example. Pure."""

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
    bot: bool = False
    last_at: int = 0  # ms since 1970


class Flapping:
    """Follows who comes and goes. Owned by the thread that paints.

    Args:
        joins: whose comings and goings are shown at all: "all", "people" (no programs) or "none".
    """

    def __init__(self, joins: str = "all") -> None:
        self._joins = joins
        self._visits: OrderedDict[tuple[str, str], _Visits] = OrderedDict()  # the latest at the end

    def follow(self, event: Joined | Left, *, bot: bool = False, host: bool = False) -> Shown:
        """Whether this coming or going is to be shown.

        Args:
            bot: this is a program, as far as the roster knows.
            host: it hosts the room, so it comes and goes with the room.
        """
        who = event.by, event.nick
        visits = self._visits.setdefault(who, _Visits())
        self._visits.move_to_end(who)
        if len(self._visits) > MOST:
            self._visits.popitem(last=False)
        if abs(event.at - visits.last_at) > WITHIN:  # a clock may also have been set back
            visits.number = 0
        visits.number += 1
        visits.last_at = event.at
        visits.bot = event.bot if isinstance(event, Joined) else visits.bot or bot
        if isinstance(event, Left) and event.code in ALWAYS_SHOWN:
            return Shown.YES
        if self._joins == "none" or (self._joins == "people" and visits.bot):
            return Shown.NO
        return Shown.YES if host or visits.number < SHOWN else Shown.LAST if visits.number == SHOWN else Shown.NO
