"""Makes a host on an engine known to the other hosts of the room, and those to its members."""

import logging
import threading
import time
from collections.abc import Callable, Set

from lanchat.api.host_papers import HostSigner, check_papers
from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.delegation import RENEWAL, read_term
from lanchat.protocol.engine import Asking, Present
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.places import Place
from lanchat.protocol.text import safe_text
from lanchat.protocol.timing import Timing
from lanchat.server.beside import Beside, HostPapers
from lanchat.server.engine.cohosts import HostsAtEngine
from lanchat.threads import Closable

_log = logging.getLogger(__name__)


class SeenHosts:
    """Knows which hosts were at the engine, to tell our person of one that joins them. Owned by one thread.

    After the engine was away the hosts come back one after another, and none of them is a newcomer: nobody had gone.
    """

    def __init__(self) -> None:
        self._here: frozenset[bytes] = frozenset()  # keys
        self._missed: frozenset[bytes] = frozenset()  # of those who were there when the engine went, and are not back

    def lost(self) -> None:
        """The engine does not answer."""
        self._missed |= self._here

    def has_newcomer(self, here: Set[bytes]) -> bool:
        """Whether somebody among these hosts, which the engine tells now, joins those who are there already."""
        before, self._here = self._here | self._missed, frozenset(here)
        self._missed -= self._here
        return bool(before and self._here - before)


class Cohosting(Closable):
    """A thread of a host, until `close`. Public methods are for any thread.

    Args:
        here: returns what this host tells about itself; the index in it is ignored.
        owner: None: the room is somebody else's.
        say: called with a sentence for our person; never waits.
        removed: called once, when the owner names this computer no more.
    """

    def __init__(
        self,
        there: HostsAtEngine,
        beside: Beside,
        here: Callable[[], Present],
        title: str,
        owner: HostSigner | None,
        say: Callable[[str], None],
        removed: Callable[[], None],
        timing: Timing,
    ) -> None:
        self._there, self._beside, self._here, self._title = there, beside, here, safe_text(title)
        self._owner, self._say, self._removed, self._timing = owner, say, removed, timing
        self._asking: tuple[Asking, ...] = ()
        self._told: set[bytes] = set()  # keys of computers that have asked, and of which our person was told
        self._living: tuple[Present, ...] = ()
        self._seen_hosts = SeenHosts()  # of the thread that looks
        self._nicks: dict[bytes, str] = {}  # of hosts and of those who asked
        self._renewed_at = time.monotonic()
        self._left = False  # whether the owner has removed this computer
        self._closing = self._ending = False
        self._changed = threading.Condition()  # guards all of these
        self._thread = threading.Thread(target=self._run, name="cohosting")
        self._thread.start()

    def admit(self, code: str) -> str:
        """Let the computer with this code host the room.

        Returns:
            What follows, as a sentence.

        Raises:
            ValueError: it cannot, and why.
            LanchatError: the disk refuses.
        """
        with self._changed:
            if self._owner is None:
                raise ValueError("Only the owner of the room names its hosts.")
            found = [one for one in self._asking if _digits(one.code) == _digits(code)]
            if not found:
                raise ValueError(f"No computer with the code {code} waits to host the room.")
            if len(found) > 1:
                raise ValueError("Several computers show this code: somebody may be impersonating one of them.")
            self._owner.name(found[0])
            self._changed.notify_all()
        nick = safe_text(found[0].nick)
        return f"{nick}'s computer may host the room from now on. /uncohost {nick} takes it back."

    def remove(self, nick: str) -> str:
        """Let this person's computer host the room no more. Returns and raises as `admit`."""
        with self._changed:
            if self._owner is None:
                raise ValueError("Only the owner of the room names its hosts.")
            keys = [key for key in self._owner.keys if same_nick(self._nicks.get(key, "")) == same_nick(nick)]
            if not keys:
                raise ValueError(f"{nick} does not host the room. /standbys lists who does.")
            for key in keys:
                self._owner.dismiss(key)
            self._changed.notify_all()
        return f"{safe_text(nick)}'s computer does not host the room any more; its people go on at another one."

    def listing(self) -> str:
        """The text of `/standbys`: which computers host the room."""
        with self._changed:
            living = {one.place.key: one for one in self._living}
            away = [key for key in (self._owner.keys if self._owner is not None else ()) if key not in living]
            lines = [f"{safe_text(one.place.nick)}: hosts, {_people(one.people)} there" for one in self._living]
            lines += [f"{safe_text(self._nicks.get(key, 'somebody'))}: away" for key in away]
            lines += [f"{safe_text(one.nick)}: waits for /cohost {one.code}" for one in self._asking]
        return "\n".join(lines) or "Nobody hosts the room at the engine now."

    def end(self) -> None:
        """Have the owner's host close the room at all hosts when it closes."""
        with self._changed:
            if self._owner is not None:
                self._beside.ending = self._owner.ending(self._here().place.nick)

    def close(self, *, end: bool = False) -> None:
        """May be called twice.

        Args:
            end: nobody hosts the room any more until its owner lets them again.
        """
        with self._changed:
            self._closing, self._ending = True, end or self._ending
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self._look()
            except LanchatError as error:
                _log.info("the engine does not tell of other hosts: %s", error)
                self._seen_hosts.lost()
            with self._changed:
                if not self._closing:
                    self._changed.wait(self._timing.beat)
                if self._closing:
                    break
        try:
            if self._ending and self._owner is not None:
                self._owner.dismiss_all()  # they hear of it when the room opens again; now it only closes
                self._there.forget_room()
            self._there.vanish(self._here().place.key)
        except LanchatError:
            pass  # it is forgotten soon
        self._there.close()

    def _look(self) -> None:
        """Show ourselves to the other hosts, and tell our members of those."""
        here = self._here()
        self._there.appear(here)
        kept = self._there.papers()
        with self._changed:
            papers = self._papers(kept)
        if self._owner is not None:
            if kept != papers:
                self._there.publish(papers)
            self._hear(self._there.asking())
        elif papers.index_of(here.place.key) is None:
            if not self._left:  # members end a link to a host that the newest papers do not name, so keep the old ones
                self._left = True
                self._removed()
            return
        self._beside.learn(papers, self._placed(papers))

    def _papers(self, kept: HostPapers | None) -> HostPapers:
        """The newest papers of the owner, with their signatures checked."""
        if self._owner is not None:
            if time.monotonic() - self._renewed_at > RENEWAL / 1000:
                self._renewed_at = time.monotonic()
                self._owner.renew()
            return self._owner.papers
        known = self._beside.papers
        if kept is None or kept.owner != known.owner:
            return known
        try:
            check_papers(kept, read_term(known.record).room)
            newer = kept.number > known.number
        except ProtocolError as error:
            _log.warning("the engine shows false papers: %s", error)
            return known
        return kept if newer else known

    def _placed(self, papers: HostPapers) -> list[Place]:
        """The places of the hosts that the owner has named, the one with the fewest people first."""
        living = sorted(self._there.present(), key=lambda one: one.people)
        indexes = [(one, papers.index_of(one.place.key)) for one in living]
        named = [(one, index) for one, index in indexes if index is not None]
        joined = self._seen_hosts.has_newcomer({one.place.key for one, _ in named})
        with self._changed:
            self._living = tuple(one for one, _ in named)
            self._nicks |= {one.place.key: one.place.nick for one, _ in named}
        if joined and self._owner is not None:
            names = ", ".join(safe_text(one.place.nick) for one, _ in named)
            self._say(f'"{self._title}" is open on {len(named)} hosts: {names}.')
        return [one.place.with_index(index) for one, index in named]

    def _hear(self, asking: list[Asking]) -> None:
        """Tell our person which computers ask to be hosts."""
        assert self._owner is not None
        with self._changed:
            for one in [one for one in asking if self._owner.expects(one.key)]:
                self._accept(self._owner, one)
            self._asking = tuple(one for one in asking if one.key not in self._owner.keys)
            new = [one for one in self._asking if one.key not in self._told]
            self._told = {one.key for one in self._asking}
            self._nicks |= {one.key: one.nick for one in self._asking}
        for one in new:
            wants = f'{safe_text(one.nick)} wants to host "{self._title}" as well.'
            self._say(f"{wants} {self._owner.how_to_accept(one)}")

    def _accept(self, owner: HostSigner, asking: Asking) -> None:
        """Let a computer host that our person has named beforehand."""
        try:
            owner.name(asking)
        except ValueError as error:
            owner.dismiss(asking.key)
            return self._say(str(error))
        self._say(f"{safe_text(asking.nick)}'s computer may host the room from now on, as --cohost says.")


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _digits(code: str) -> str:
    return code.strip().lower().replace("-", "")
