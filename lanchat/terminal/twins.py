"""Whether a room with the title that a person opens is open here already: they may have meant to join it."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Listing, shown_title
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.folding import fold
from lanchat.protocol.ids import fingerprint
from lanchat.storage.home import home_folder
from lanchat.storage.identity import load_identity
from lanchat.storage.rooms import HOSTED, rooms_called
from lanchat.terminal.phrases import people_text
from lanchat.threads import Closable

LOOK_FOR = 1.0  # s; most rooms answer within a few hundred ms, and a person waits for this
WATCH_FOR = 3.0  # s; nobody waits


@dataclass(frozen=True)
class Twin:
    """A room with the title that somebody opens, which is open already.

    Args:
        ours: it is that very room, which another program has open, perhaps at another computer with our key.
    """

    listing: Listing
    ours: bool


def find_twin(title: str, on: OwnAddresses) -> Twin | None:
    """The room with this title that is open already, if one answers within `LOOK_FOR`.

    Args:
        on: our own addresses on the networks to look on.
    """
    known = rooms_called(home_folder(needed=False), title, HOSTED)
    with _Look(title, on, known[0].id if known else "") as look:
        return look.run(LOOK_FOR)


def twin_among(rooms: Sequence[Listing], title: str, mine: str, opens: str = "") -> Twin | None:
    """The first room with this title that answers; our own one before those of others.

    Args:
        mine: the fingerprint of our own key. A room that answers with it is no twin, but the one that is open here.
        opens: the id of our own room that is not open here yet; so if it answers, it is open elsewhere.
    """
    wanted = fold(shown_title(title))
    answering = [room for room in rooms if room.state == "answering"]
    ours = [room for room in answering if room.fingerprint == mine and opens and room.room_id == opens]
    if ours:
        return Twin(ours[0], ours=True)
    found = [room for room in answering if room.fingerprint != mine and fold(room.title) == wanted]
    return Twin(found[0], ours=False) if found else None


def twin_text(twin: Listing) -> str:
    """How it reads that this room is open, without a full stop."""
    people = "" if twin.people is None else f" ({people_text(twin.people)})"
    return f"{twin.host or 'Somebody'} hosts {twin.title} here already{people}"


class TwinWatch(Closable):
    """Looks for a twin while the room is open already, for a script, which cannot be asked and should not wait.

    Args:
        warn: called with the sentence, from a thread of its own, if there is a twin.
    """

    def __init__(self, title: str, on: OwnAddresses, warn: Callable[[str], None]) -> None:
        self._look = _Look(title, on)
        self._thread = threading.Thread(target=self._run, args=(warn,), name="twins", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking. May be called twice."""
        self._look.close()
        self._thread.join()

    def _run(self, warn: Callable[[str], None]) -> None:
        twin = self._look.run(WATCH_FOR)
        self._look.close()
        if twin is not None:
            warn(f"{twin_text(twin.listing)}. This is another room with the same title.")


class _Look(Closable):
    """One search for a twin. Any thread may close it.

    Args:
        opens: as for `twin_among`.
    """

    def __init__(self, title: str, on: OwnAddresses, opens: str = "") -> None:
        self._title, self._opens = title, opens
        self._mine = _our_fingerprint()
        self._finder = Finder(on)
        self._closed = False

    def run(self, seconds: float) -> Twin | None:
        """The twin, as soon as one answers; None: within this time none has, or the search was closed."""
        deadline = time.monotonic() + seconds
        rooms = self._finder.listings()
        while True:
            twin = twin_among(rooms, self._title, self._mine, self._opens)
            left = deadline - time.monotonic()
            if twin is not None or left <= 0 or self._closed:
                return twin
            rooms = self._finder.wait_change(rooms, left)

    def close(self) -> None:
        """May be called twice."""
        self._closed = True
        self._finder.close()


def _our_fingerprint() -> str:
    return fingerprint(load_identity(home_folder(needed=False)).public)
