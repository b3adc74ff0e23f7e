"""Finds a room of ours that another computer hosts now, before our program opens it a second time."""

import logging
import threading
from pathlib import Path

from lanchat.api.moving import MovingRoom
from lanchat.api.search import LOOK, Search, Seen
from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.delegation import read_delegation
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place, read_places
from lanchat.protocol.timeline import MAX_TERM
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.room.succession import plausible_term
from lanchat.storage.delegations import read_appointed
from lanchat.storage.home import home_folder
from lanchat.storage.identity import load_identity
from lanchat.storage.rooms import HOSTED, hosted_path, rooms_called
from lanchat.threads import Closable, join_started, now_ms

_log = logging.getLogger(__name__)


def find_elsewhere(
    title: str,
    on: OwnAddresses,
    *,
    home: Path | None = None,
    look: float = LOOK,
) -> Seen:
    """Look whether somebody hosts the room of this title that was opened here last.

    Takes no time for a room that has named no standbys. Another computer with our key is found as well: a
    person who has copied the home to a new computer may still host the room at the old one.

    Args:
        home: by default that of this program.
        look: s, at most.
    """
    home = home or home_folder()
    known = rooms_called(home, title, HOSTED)
    folder = hosted_path(home, known[0].id) if known else None
    if folder is None:
        return Seen()
    identity = load_identity(home)
    try:
        appointed = read_appointed(folder)
        if not appointed.paper or not read_delegation(appointed.paper, identity.public).standbys:
            return Seen()
        places = read_places(appointed.places or "[]")
    except LanchatError:
        return Seen()  # the error comes again when the room is opened
    papers = Papers(known[0].id, identity.public, appointed.paper)
    ago = now_ms() - appointed.term_at
    most = plausible_term(appointed.term, ago) if appointed.term_at else MAX_TERM
    return Search(papers, identity.public, places, most).run(on, look)


def find_at_engine(title: str, *, home: Path | None = None, timing: Timing = DEFAULT_TIMING) -> Place | None:
    """Ask the engine of the room of this title that was opened here last which other computer hosts it there now.

    Discovery may not reach that computer: it is often in another subnet. Takes no time for a room that no other
    computer may host on an engine.

    Raises:
        LanchatError: the engine cannot be asked.
    """
    home = home or home_folder()
    known = rooms_called(home, title, HOSTED)
    folder = hosted_path(home, known[0].id) if known and known[0].engine else None
    if folder is None:
        return None
    paper = read_appointed(folder).paper
    named = read_delegation(paper, load_identity(home).public) if paper else None
    if named is None or named.until <= now_ms() or all(one.role != "h" for one in named.standbys):
        return None
    from lanchat.api.engine_rooms import connect  # these need redis-py
    from lanchat.server.engine.address import parse_engine
    from lanchat.server.engine.cohosts import HostsAtEngine

    try:
        address = parse_engine(known[0].engine)
    except ValueError as error:
        raise LanchatError(str(error)) from None
    with HostsAtEngine(connect(address, timing), known[0].id) as there:
        return next((one.place for one in there.present() if named.names_host(one.place.key)), None)


class Renewal(Closable):
    """A thread that keeps the list of standbys valid while the owner of a room is in it and another program hosts it.

    Args:
        every: s between two times; the first one is now.
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
