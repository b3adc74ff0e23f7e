"""What an agent may do: who may wake it, how often it speaks, and when programs only answer each other. Pure."""

from collections import deque
from dataclasses import dataclass, field

EACH_HOUR = 30  # messages of the agent; more is a loop, or nobody reads it
SAME_WITHIN = 60.0  # s in which the same text is not said again: an agent that hears nothing repeats itself
ALONE = 6  # messages between programs without a person; two that thank each other stop there
PAUSE = 600.0  # s after which programs may speak again without a person
_HOUR = 3600.0


@dataclass(frozen=True)
class Allowed:
    """Who may wake the agent: keys, since anybody can take a nick that is free.

    Args:
        ids: member ids, which are the first half of a fingerprint.
        everybody: also guests.
    """

    ids: frozenset[str] = frozenset()
    everybody: bool = False

    def includes(self, id: str) -> bool:
        return self.everybody or id in self.ids


@dataclass
class Speaking:
    """Counts what the agent says in one room, or in all. The caller holds a lock."""

    _times: deque[float] = field(default_factory=deque)
    _last: dict[str, float] = field(default_factory=dict)  # when a text was said, by what it is and to whom

    def refusal(self, text: str, now: float, *, again: bool) -> str:
        """Why this may not be said now; "": it may. Times are those of a clock that never goes back.

        Args:
            again: the same text may be said twice.
        """
        while self._times and self._times[0] < now - _HOUR:
            self._times.popleft()
        self._last = {said: at for said, at in self._last.items() if at > now - SAME_WITHIN}
        if text in self._last and not again:
            return "You said exactly this less than a minute ago. It has arrived. Set `again` to say it once more."
        if len(self._times) >= EACH_HOUR:
            return f"You have said {EACH_HOUR} messages within an hour, which is the limit. Go on without the room."
        return ""

    def said(self, text: str, now: float) -> None:
        self._times.append(now)
        self._last[text] = now


@dataclass
class LoopGuard:
    """Stops programs that only answer each other: counts their messages since a person spoke in the room.

    The caller holds a lock.
    """

    _alone: int = 0
    _last: float = 0.0

    def heard(self, now: float, *, program: bool) -> None:
        self._alone = self._alone + 1 if program else 0
        self._last = now

    def refusal(self, now: float) -> str:
        """Why a program may not speak now; "": it may."""
        if self._alone < ALONE or now - self._last > PAUSE:
            return ""
        return f"Paused: {ALONE} messages between programs. A person has to speak, or 10 minutes pass."
