"""Who beside the host's own person is in its room. Of two hosts of one room the one with company stays.

A machine that was frozen, or has slept, has to find out first who has gone to another host meanwhile.
"""

import math
from collections.abc import Callable, Sequence
from itertools import compress

from lanchat.protocol.timing import Timing
from lanchat.server.session import Asked, CloseRoom, Item, JoinRequest, LinkEnded, Received, Session, Stop


class Company:
    """Whether anybody but the host's own person is in the room. Owned by the hub, but for `__bool__`.

    A machine that has slept for so long that others count it as lost has only the company whose links are still there:
    who was there before has gone to another host by now, and must not be drawn back.

    Args:
        timing: `company` is for how long somebody counts after they were heard last.
        clock: s, as that of the links.
    """

    def __init__(self, timing: Timing, clock: Callable[[], float]) -> None:
        self._timing, self._clock = timing, clock
        self._others: set[Session] = set()
        self._heard_at = -math.inf  # when somebody who has gone since was heard last
        self._looked_at, self._awake_at = clock(), -math.inf
        self._waiting: list[Item] = []  # of newcomers, until it is seen who has gone

    @property
    def pause(self) -> float | None:
        """After how many s to look again; None: it makes no difference."""
        if self._waiting:
            return self._timing.follow_sweep
        return self._timing.host_silence / 3 if self._others else None

    def look(self, now: float) -> None:
        """To be called after each `pause`, which makes it seen that this machine has slept."""
        if self._others and self._sleeps(now):
            self._awake_at, self._heard_at = now, -math.inf
        self._looked_at = now

    def came(self, session: Session) -> None:
        """A session has asked to enter, and may have been refused."""
        if session.member is not None and not session.member.host:
            self.look(self._clock())
            self._others.add(session)

    def gone(self, session: Session) -> None:
        """A session has ended."""
        if session not in self._others:
            return
        now = self._clock()
        self.look(now)
        self._others.discard(session)
        if now - self._awake_at >= self._timing.host_silence:  # else what is read now was sent before they went
            self._heard_at = max(self._heard_at, min(now, session.link.keepalive.heard_at))

    def admit(self, items: Sequence[Item]) -> Sequence[Item]:
        """Which of these items of the inbox are handled now, at the beginning of a batch.

        Just after this machine has slept nobody is let in. Who comes in that moment may have dialled an address that
        was the host's before, and would be company by which a host draws everybody back.
        """
        now = self._clock()
        self.look(now)
        if not self._is_waking(now) or any(isinstance(item, CloseRoom | Stop) for item in items):
            waiting, self._waiting = self._waiting, []
            return [*waiting, *items] if waiting else items
        held = [_is_of_newcomer(item) for item in items]
        self._waiting += compress(items, held)
        return [item for item, waits in zip(items, held, strict=True) if not waits]

    def __bool__(self) -> bool:
        """Any thread. For a moment after this machine has slept there is none, until it is seen who has gone."""
        now = self._clock()
        if self._others:
            return not self._sleeps(now) and not self._is_waking(now)
        return now - self._heard_at < self._timing.company

    def _is_waking(self, now: float) -> bool:
        return now - self._awake_at < self._timing.ask

    def _sleeps(self, now: float) -> bool:
        return now - self._looked_at >= self._timing.host_silence


def _is_of_newcomer(item: Item) -> bool:
    """Whether this comes from somebody who is not in the room yet."""
    return isinstance(item, JoinRequest | Received | Asked | LinkEnded) and item.session.member is None
