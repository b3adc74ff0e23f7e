"""Finds a room of ours that a standby hosts now, before our program opens it a second time."""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lanchat.api.moving import MovingRoom
from lanchat.api.targets import Target
from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.network.card import card_at
from lanchat.network.connect import STOP_WITHIN
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import OWNER_INDEX, read_delegation, read_term
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import read_places
from lanchat.protocol.tls import client_context
from lanchat.storage.delegations import read_appointed
from lanchat.storage.home import home_folder
from lanchat.storage.identity import Identity, load_identity
from lanchat.storage.rooms import HOSTED, hosted_path, rooms_called
from lanchat.threads import Closable, join_started

LOOK = 1.5  # s; a standby answers in milliseconds, and discovery in about one second

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Elsewhere:
    """A room of ours at a standby.

    Args:
        host: the nick of who hosts it.
        since: ms since 1970, by that computer's clock.
    """

    target: Target
    host: str
    since: int


def find_elsewhere(
    title: str,
    on: OwnAddresses,
    *,
    home: Path | None = None,
    look: float = LOOK,
) -> Elsewhere | None:
    """Look whether somebody hosts the room of this title that was opened here last.

    Takes no time for a room that has named no standbys.

    Args:
        home: by default that of this program.
        look: s, at most.
    """
    home = home or home_folder()
    known = rooms_called(home, title, HOSTED)
    folder = hosted_path(home, known[0].id) if known else None
    if folder is None:
        return None
    identity = load_identity(home)
    try:
        appointed = read_appointed(folder)
        if not appointed.paper or not read_delegation(appointed.paper, identity.public).standbys:
            return None
        places = read_places(appointed.places or "[]")
    except LanchatError:
        return None  # opening the room says why
    search = _Search(Papers(known[0].id, identity.public, appointed.paper), identity)
    endpoints = (endpoint for place in places if place.index != OWNER_INDEX for endpoint in place.endpoints)
    return search.run(endpoints, on, look)


class Renewal(Closable):
    """A thread that keeps the list of standbys valid while the owner of a room is in it and another program hosts it.

    Args:
        every: s; the first time is now.
    """

    def __init__(self, room: MovingRoom, every: float) -> None:
        self._room, self._every = room, every
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewal")
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        join_started(self._thread)

    def _run(self) -> None:
        while True:
            try:
                self._room.renew()
            except LanchatError as error:
                _log.warning("the list of standbys is not renewed: %s", error)
            if self._closing.wait(self._every):
                return


class _Search:
    """Asks the places that were known last, and discovery, at the same time."""

    def __init__(self, papers: Papers, identity: Identity) -> None:
        self._papers, self._identity = papers, identity
        self._found: list[Elsewhere] = []
        self._lock = threading.Lock()  # guards `_found`
        self._tls = client_context()

    def run(self, endpoints: Iterable[Endpoint], on: OwnAddresses, look: float) -> Elsewhere | None:
        until = time.monotonic() + look
        threads = [threading.Thread(target=self._ask, args=(endpoint, look), name="ask") for endpoint in endpoints]
        for thread in threads:
            thread.start()
        self._discover(on, until)
        for thread in threads:
            thread.join()
        return max(self._found, key=lambda found: found.since, default=None)

    def _discover(self, on: OwnAddresses, until: float) -> None:
        from lanchat.discovery.finder import Finder

        asked: set[Endpoint] = set()  # each answers once: the list changes for other reasons, too
        with Finder(on, wanted=self._papers.room) as finder:
            listings = finder.listings()
            while not self._found and (left := until - time.monotonic()) > 0:
                for listing in listings:
                    endpoint = listing.endpoints[0]
                    if listing.room_id == self._papers.room and listing.state == "answering" and endpoint not in asked:
                        asked.add(endpoint)
                        self._ask(endpoint, left)
                listings = finder.wait_change(listings, min(left, STOP_WITHIN))

    def _ask(self, endpoint: Endpoint, limit: float) -> None:
        card, key = card_at(endpoint, self._tls, limit) or (None, b"")
        if card is None or card.room != self._papers.room or key == self._identity.public:
            return
        try:
            self._papers.accept(card, key, time.time_ns() // 1_000_000)
            since = read_term(card.term).began
        except LanchatError:
            return  # it keeps a copy, or nobody has named it
        with self._lock:
            self._found.append(_elsewhere(endpoint, card, self._identity, since))


def _elsewhere(endpoint: Endpoint, card: Card, identity: Identity, since: int) -> Elsewhere:
    target = Target((endpoint,), card.room, fingerprint(identity.public), card.password, listed=True)
    return Elsewhere(target, card.host, since)
