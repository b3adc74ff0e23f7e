"""Failover at a standby whose link to the host has ended: it finds out who hosts the room now, or hosts it itself.

The rules are in room/succession.py. This module does what they say: it dials, asks and waits, in the member's reader
thread. The standby that is to host has lost the host as well, judges by the same cards and begins by itself, so nobody
has to ask it. The others wait until it hosts, and pass it over if it does not.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from lanchat.client.reconnect import SameRoom
from lanchat.errors import ProtocolError
from lanchat.network.card import Shown, cards_at, refuses
from lanchat.protocol.address import Endpoint
from lanchat.protocol.places import Place
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.room.succession import Ask, Claim, DialHost, Fetch, Follow, Loss, Peer, Promote, Wait, next_step, seen
from lanchat.threads import now_ms

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lost:
    """How the link to the host has ended.

    Args:
        since: s of the monotonic clock, when the last sign of life came.
        silent: the host has said nothing for so long that it counts as lost.
        rough: the network is so bad that the host may be there all the same.
        took: s until the card of the host came, which says how slow the network is.
    """

    since: float
    silent: bool = False
    rough: bool = False
    took: float = 0.0


class Takeover:
    """One loss of the host, until somebody hosts the room again. For the reader thread.

    Args:
        me: what this computer shows as a standby.
        places: where the owner and the standbys are, this computer among them.
        host: the index of the host that is lost, and its addresses.
        fetch: adds to our copy what it lacks and the computer at this place has; see `fetch_tail`.
    """

    def __init__(
        self,
        me: Peer,
        room: SameRoom,
        places: tuple[Place, ...],
        host: tuple[int, tuple[Endpoint, ...]],
        timing: Timing,
        lost: Lost,
        fetch: Callable[[Place], int | None] = lambda place: None,
    ) -> None:
        self._me, self._room, self._timing, self._fetch = me, room, timing, fetch
        self._places = {place.index: place for place in places if place.index != me.index}
        self._host, self._host_at = host
        self._loss = Loss(lost.since, certain=lost.silent)
        once_more = lost.silent and lost.rough
        self._passed_over = {self._host} if lost.silent and not once_more else set()  # not asked the first time
        # A standby without the time to answer would count as absent, and two would host the room.
        self._limit = timing.ask_long if lost.rough else min(timing.ask_long, max(timing.ask, 2 * lost.took))
        self._tls = client_context()

    def seek(self, stopped: Callable[[], bool]) -> Follow | Claim | Wait:
        """Find out the next step. Waits a second or two at most."""
        loss = self._loss
        while not stopped():
            now = time.monotonic()
            if loss.promoted is not None and now - loss.promoted[1] >= self._timing.promotion:
                loss.failed.add(loss.promoted[0])
                loss.promoted = None
            delegation = self._room.papers.named
            if delegation is None:
                return Wait("Nobody may take over any more.")
            match step := next_step(self._me, loss, delegation, now, self._timing):
                case DialHost():
                    if not self._is_gone(stopped):
                        return Wait("The host may still be there.")
                    loss.certain = True
                case Ask():
                    self._ask(stopped)
                case Promote(index):
                    loss.promoted = index, now
                case Fetch(index):
                    self._take_tail(index)
                case Follow():
                    loss.asked_at, loss.peers = None, ()  # where it does not answer, everybody is asked again
                    return step
                case Claim():
                    return step
                case Wait(reason):
                    _log.info("without a host: %s", reason)
                    return step
        return Wait("We leave.")

    def _take_tail(self, index: int) -> None:
        """Fetch what another standby has and we lack. If that fails, authors resend their own messages later."""
        if (seq := self._fetch(self._places[index])) is not None:
            self._me = replace(self._me, seq=seq)
        self._loss.peers = [
            replace(peer, seq=-1, complete=False) if peer.index == index else peer for peer in self._loss.peers
        ]

    def _is_gone(self, stopped: Callable[[], bool]) -> bool:
        """Whether the host has ended, or was silent for too long, or another computer says that it hosts the room."""
        timing = self._timing
        if refuses(self._host_at, timing.ask):
            time.sleep(timing.refused_again)  # it may be starting again
            if refuses(self._host_at, timing.ask):
                return True
        self._ask(stopped)
        hosts = any(peer.state == "hosts" for peer in self._loss.peers)
        return hosts or time.monotonic() - self._loss.since >= timing.host_silence

    def _ask(self, stopped: Callable[[], bool]) -> None:
        """Read the cards of the other computers."""

        def enough(found: Mapping[int, Shown]) -> bool:
            """Whether to wait for no more answers: one of them hosts the room, or we leave."""
            return stopped() or any(not card.standby for card, _ in found.values())

        at = {index: place.endpoints for index, place in self._places.items() if index not in self._passed_over}
        if self._host not in self._passed_over:
            at[self._host] = (*self._host_at, *at.get(self._host, ()))
        self._passed_over = set()
        found = []
        for index, (card, key) in cards_at(at, self._tls, self._limit, enough=enough).items():
            known = self._places.get(index)
            if known is None:
                continue
            peer = seen(known, card, key, self._room.papers, now_ms())
            if peer is not None and peer.index != self._me.index:
                try:
                    self._room.learn(card)
                except ProtocolError:
                    continue
                found.append(peer)
        self._loss.peers, self._loss.asked_at = found, time.monotonic()
