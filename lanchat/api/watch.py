"""Notices a split-brain: two computers may host the same room after the network was cut for a while.

Of two hosts one yields, by the rules of room/succession.py. The watch only looks and decides; the host does the rest.
"""

import logging
import threading
import time

from lanchat.errors import ProtocolError
from lanchat.network.card import cards_at
from lanchat.network.uptime import uptime
from lanchat.protocol.timeline import term_of
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.room.succession import Claim, Follow, meet, seen
from lanchat.server.moving import Moving
from lanchat.threads import Closable, join_started

# A list ends by the owner's clock, which a host may not know: two hosts whose clocks differ have to meet all the same.
_ANY_TIME = 0  # ms since 1970
_LOOK = 1.0  # s between two looks at whether this machine has slept ...
_WAKING = 0.1  # s; ... and then between two looks at the places: its host may not know yet whose link has ended

_log = logging.getLogger(__name__)


class Watch(Closable):
    """A thread, from the start to `close`."""

    def __init__(self, host: Moving, timing: Timing) -> None:
        self._host, self._timing = host, timing
        self._tls = client_context()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._thread.start()

    def close(self) -> None:
        """May be called twice."""
        self._closing.set()
        join_started(self._thread)

    def _run(self) -> None:
        look_at, waking_until = time.monotonic() + self._timing.watch, 0.0
        while True:
            began, up_before = time.monotonic(), uptime()
            if self._closing.wait(_WAKING if began < waking_until else min(_LOOK, self._timing.watch)):
                return
            now = time.monotonic()
            slept = uptime() - up_before >= self._timing.host_silence
            if slept:  # others may host the room by now
                waking_until = now + self._timing.ask
            if now >= look_at or now < waking_until:
                look_at = now + self._timing.watch
                self.look()

    def look(self) -> None:
        """Look once, and let our host yield if another host has precedence."""
        places = self._host.unlinked
        if not places:
            return
        at = {index: place.endpoints for index, place in places.items()}
        others = []
        for index, (card, key) in cards_at(
            at, self._tls, self._timing.ask_long, enough=lambda found: self._closing.is_set()
        ).items():
            papers = self._host.papers
            peer = seen(places[index], card, key, papers, _ANY_TIME)
            if peer is None or peer.index == self._host.as_peer.index:
                continue
            others.append(peer)
            try:
                if papers.learn(card.delegation) is not papers:
                    self._host.learn(card.delegation)
            except ProtocolError as error:
                _log.warning("not learned: %s", error)
        named = self._host.papers.named
        step = meet(self._host.as_peer, others, named) if named is not None else None
        if isinstance(step, Follow):
            _log.info("another computer hosts the room, too: this one yields")
            self._host.yield_to(step.index)
        elif isinstance(step, Claim):
            self._host.rise_above(max(one.epoch for one in others if term_of(one.epoch) < term_of(step.epoch)))
