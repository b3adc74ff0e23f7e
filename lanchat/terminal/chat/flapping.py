"""Decides which comings and goings are shown: not those of a script that says one line a minute, for example. Pure."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from lanchat.protocol.messages import Joined, Left

WITHIN = 10 * 60_000  # ms; who is quiet for as long is no longer flapping
VISITS = 3  # of one person within that time are shown, and that a fourth begins; leaves are counted
MOST = 1000  # people who are remembered
ALWAYS_SHOWN = ("kicked", "banned")  # codes of Left: somebody did that


class Shown(Enum):
    """What becomes of the line about a coming or going."""

    YES = auto()
    LAST = auto()  # and the person is told that the next ones are hidden
    NO = auto()


@dataclass
class _Visits:
    leaves: int = 0
    bot: bool = False
    last_at: int = 0  # ms since 1970, by the host's clock
    settles_at: float | None = None  # s, monotonic: what was hidden is over then; None: nothing is hidden


class Flapping:
    """Follows who comes and goes. Owned by the thread that paints.

    Args:
        joins: whose comings and goings are shown at all: "all", "people" (no programs) or "none".
    """

    def __init__(self, joins: str = "all") -> None:
        self._joins = joins
        self._visits: OrderedDict[tuple[str, str], _Visits] = OrderedDict()  # the latest at the end

    def follow(self, event: Joined | Left, *, bot: bool = False, host: bool = False, now: float = 0.0) -> Shown:
        """Whether this coming or going is to be shown.

        Args:
            bot: this is a program, as far as the roster knows.
            host: it hosts the room, so it comes and goes with the room.
            now: s, monotonic.
        """
        who = event.by, event.nick
        visits = self._visits.setdefault(who, _Visits())
        self._visits.move_to_end(who)
        if len(self._visits) > MOST:
            self._visits.popitem(last=False)
        if abs(event.at - visits.last_at) > WITHIN:  # a clock may also have been set back
            visits.leaves, visits.settles_at = 0, None
        visits.leaves += isinstance(event, Left)
        visits.last_at = event.at
        visits.bot = event.bot if isinstance(event, Joined) else visits.bot or bot
        if isinstance(event, Left) and event.code in ALWAYS_SHOWN:
            visits.settles_at = None  # it says how that has ended
            return Shown.YES
        if self._joins == "none" or (self._joins == "people" and visits.bot):
            return Shown.NO
        first = visits.settles_at is None
        if host or visits.leaves < VISITS or (first and isinstance(event, Left)):  # that may have been the last visit
            return Shown.YES
        visits.settles_at = now + WITHIN / 1000
        return Shown.LAST if first else Shown.NO

    @property
    def settles_at(self) -> float | None:
        """When `settled` has something to tell, in s, monotonic, unless somebody comes or goes until then."""
        return next(self._hidden(), (None, ("", "")))[0]

    def settled(self, now: float) -> list[tuple[str, str]]:
        """The ids and nicks of those who have been quiet for so long that the person is told whether they are here."""
        settled = [who for at, who in self._hidden() if at <= now]
        for who in settled:
            del self._visits[who]
        return settled

    def _hidden(self) -> Iterator[tuple[float, tuple[str, str]]]:
        return ((one.settles_at, who) for who, one in self._visits.items() if one.settles_at is not None)
