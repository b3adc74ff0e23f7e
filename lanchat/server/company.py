"""Whether a host has company: members besides its own person. In a split-brain the host with company stays.

A machine that was frozen or asleep has to find out first which members have gone to another host meanwhile. Until then
it gives out no numbers: its own person would read lines in an order that the room never had.
"""

import math
from collections.abc import Callable, Sequence
from itertools import compress
from typing import TypeGuard

from lanchat.protocol.timing import Timing
from lanchat.server.items import Asked, CloseRoom, Item, JoinRequest, LinkEnded, Received, Stop
from lanchat.server.session import Session


class Company:
    """True if anybody but the host's own person is in the room. Owned by the hub thread; `__bool__` is for any thread.

    If the machine has slept for so long that others count it as lost, only members whose links are still alive count as
    company: the others are at another host by now, and must not be called back.

    Args:
        timing: `company` is for how long somebody counts after they were heard last.
        clock: s, as that of the links.
        uptime: s by a clock that goes on while the machine sleeps. None: `clock` does.
    """

    def __init__(self, timing: Timing, clock: Callable[[], float], uptime: Callable[[], float] | None = None) -> None:
        self._timing, self._clock, self._uptime = timing, clock, uptime or clock
        self._others: set[Session] = set()
        self._heard_at = -math.inf  # when the last member who has gone was heard last
        self._looked_at, self._awake_at = self._uptime(), -math.inf
        self._waiting: list[Item] = []  # until it is seen who has gone

    @property
    def pause(self) -> float | None:
        """Seconds after which `look` has to be called; None: it need not be."""
        if self._waiting:
            return self._timing.follow_sweep
        return self._timing.host_silence / 3 if self._others else None

    def look(self, now: float) -> None:
        """Notice whether this machine has slept: then this call comes much later than after `pause`."""
        if self._others and self._sleeps:
            self._awake_at, self._heard_at = now, -math.inf
        self._looked_at = self._uptime()

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
        if now - self._awake_at >= self._timing.host_silence:  # otherwise what is read now was sent before the sleep
            self._heard_at = max(self._heard_at, min(now, session.link.keepalive.heard_at))

    @property
    def is_waking(self) -> bool:
        """Whether this machine has just slept, so that it is not clear yet who hosts the room."""
        return self._is_waking(self._clock())

    def admit(self, items: Sequence[Item], gone: Callable[[Session], None], *, others_host: bool) -> Sequence[Item]:
        """The items of these that are handled now, at the beginning of a batch. The others wait.

        Nobody is let in just after this machine has slept. A newcomer of that moment may have dialled the address that
        the host had before, and would count as company, so that this host would call everybody back. And where another
        computer may host the room by now, what is read from a client was sent before that.

        Args:
            gone: called with each session that has ended and is let go only later.
            others_host: whether another computer may host the room.
        """
        now = self._clock()
        self.look(now)
        if not self._is_waking(now) or any(isinstance(item, CloseRoom | Stop) for item in items):
            waiting, self._waiting = self._waiting, []
            return [*waiting, *items] if waiting else items
        held = [_is_of_newcomer(item) or (others_host and _is_of_client(item)) for item in items]
        for item in items:
            if others_host and isinstance(item, LinkEnded):
                gone(item.session)
        self._waiting += compress(items, held)
        return [item for item, waits in zip(items, held, strict=True) if not waits]

    def __bool__(self) -> bool:
        """For any thread. Just after this machine has slept nobody counts until it is clear which members have gone."""
        now = self._clock()
        if self._others:
            return not self._sleeps and not self._is_waking(now)
        return now - self._heard_at < self._timing.company

    def _is_waking(self, now: float) -> bool:
        return now - self._awake_at < self._timing.ask

    @property
    def _sleeps(self) -> bool:
        return self._uptime() - self._looked_at >= self._timing.host_silence


def _is_of_client(item: Item) -> TypeGuard[JoinRequest | Received | Asked | LinkEnded]:
    return isinstance(item, JoinRequest | Received | Asked | LinkEnded)


def _is_of_newcomer(item: Item) -> bool:
    """Whether this item comes from a client that is not in the room yet."""
    return _is_of_client(item) and item.session.member is None
