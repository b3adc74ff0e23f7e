"""Looks whether a room is hosted before our program opens it, and asks what its standbys know."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lanchat.api.targets import Target
from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.network.card import card_at
from lanchat.network.connect import STOP_WITHIN
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import TermRecord, read_term
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.timeline import MAX_TERM, term_of
from lanchat.protocol.tls import client_context
from lanchat.room.succession import Peer, seen
from lanchat.threads import now_ms

LOOK = 1.5  # s; a standby answers in milliseconds, and discovery in about one second


@dataclass(frozen=True)
class Elsewhere:
    """A room at the computer that hosts it.

    Args:
        host: the nick of the person at that computer.
        since: ms since 1970, by that computer's clock.
        on_engine: it hosts the room by an engine, so only one that has this engine can host it as well.
        own_key: it has our key: our person has the key on two computers, or runs two programs with it.
    """

    target: Target
    host: str
    since: int
    on_engine: bool = False
    own_key: bool = False


@dataclass(frozen=True)
class Seen:
    """What a search has found.

    Args:
        host: None: nobody hosts the room, as far as we can see.
        standbys: those that have answered, and that do not host it.
    """

    host: Elsewhere | None = None
    standbys: tuple[Peer, ...] = ()

    @property
    def is_hosted(self) -> bool:
        """Whether somebody hosts the room, perhaps at a computer that only others can reach."""
        return self.host is not None or any(one.state == "hears" for one in self.standbys)

    @property
    def next_term(self) -> int:
        """The least number of a term that begins now; 0: nobody has told one."""
        return max((term_of(one.epoch) + 1 for one in self.standbys if one.epoch), default=0)


class Search:
    """Asks the places that were known last, and discovery, at the same time.

    Args:
        papers: of the room.
        ours: our public key, raw. Another computer may have it as well.
        places: where the room may be.
        most: the last term that a standby may have begun by now; see `plausible_term`.
    """

    def __init__(self, papers: Papers, ours: bytes, places: Sequence[Place], most: int = MAX_TERM) -> None:
        self._papers, self._ours, self._places, self._most = papers, ours, places, most
        self._hosts: list[Elsewhere] = []
        self._standbys: dict[int, Peer] = {}
        self._lock = threading.Lock()  # guards both
        self._tls = client_context()

    def run(self, on: OwnAddresses, look: float) -> Seen:
        """Search for at most `look` s."""
        until = time.monotonic() + look
        threads = [
            threading.Thread(target=self._ask, args=(endpoint, look, place), name="ask")
            for place in self._places
            for endpoint in place.endpoints
        ]
        for thread in threads:
            thread.start()
        self._discover(on, until)
        for thread in threads:
            thread.join()
        return Seen(max(self._hosts, key=lambda found: found.since, default=None), tuple(self._standbys.values()))

    def _discover(self, on: OwnAddresses, until: float) -> None:
        from lanchat.discovery.finder import Finder

        asked: set[Endpoint] = set()  # each is asked once, although the list may change for other reasons
        with Finder(on, wanted=self._papers.room) as finder:
            listings = finder.listings()
            while not self._hosts and (left := until - time.monotonic()) > 0:
                for listing in listings:
                    endpoint = listing.endpoints[0]
                    if listing.room_id == self._papers.room and listing.state == "answering" and endpoint not in asked:
                        asked.add(endpoint)
                        self._ask(endpoint, left)
                listings = finder.wait_change(listings, min(left, STOP_WITHIN))

    def _ask(self, endpoint: Endpoint, limit: float, place: Place | None = None) -> None:
        card, key = card_at(endpoint, self._tls, limit) or (None, b"")
        if card is None or card.room != self._papers.room:
            return
        now = now_ms()
        if card.standby:
            peer = seen(place, card, key, self._papers, now) if place is not None else None
            if peer is not None and term_of(peer.epoch) > self._most:
                peer = replace(peer, epoch=0)  # the host hears of it later, and takes it off the list
            with self._lock:
                self._standbys |= {peer.index: peer} if peer is not None else {}
            return
        try:
            self._papers.accept(card, key, now)
            term = read_term(card.term) if card.term else None
        except LanchatError:
            return  # nobody has named it
        with self._lock:
            self._hosts.append(_elsewhere(endpoint, card, self._papers.owner, term, now, own_key=key == self._ours))


def _elsewhere(
    endpoint: Endpoint, card: Card, owner: bytes, term: TermRecord | None, now: int, *, own_key: bool
) -> Elsewhere:
    target = Target((endpoint,), card.room, fingerprint(owner), card.password, listed=True)
    if term is None:
        return Elsewhere(target, card.host, now, own_key=own_key)
    return Elsewhere(target, card.host, term.began, term.engine, own_key)
