"""Names standbys for a room of ours, while our program hosts it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from lanchat.api.standby_places import StandbyPlaces
from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.network.card import cards_at
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import Standby
from lanchat.protocol.ids import member_id
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.text import conjunction, safe_text
from lanchat.protocol.timeline import term_of
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.room.naming import CONNECTED, Candidate, appoint, choose, whom_to_ask, why_not
from lanchat.server.followers import Volunteer
from lanchat.server.host import Host
from lanchat.server.moving import Moving
from lanchat.server.session import Session
from lanchat.storage.delegations import Signing
from lanchat.storage.identity import Identity
from lanchat.threads import Closable, join_started

_ANSWER = 15.0  # s for a computer that was asked to get ready, before another one is asked as well

_log = logging.getLogger(__name__)


class Hosted(Protocol):
    """A room that this program hosts."""

    @property
    def host(self) -> Host: ...
    @property
    def on(self) -> OwnAddresses: ...
    @property
    def endpoints(self) -> Sequence[Endpoint]: ...
    @property
    def pages(self) -> tuple[str, ...]: ...


class Naming(Closable):
    """Looks, in a thread of its own, who could take the room over, asks these computers, and names them.

    Args:
        port: on which we host.
        say: called from that thread with a sentence for the person.
    """

    def __init__(
        self,
        moving: Moving,
        signing: Signing,
        nick: str,
        endpoints: Callable[[], Sequence[Endpoint]],
        pages: Callable[[], tuple[str, ...]],
        own: OwnAddresses,
        say: Callable[[str], None],
        timing: Timing,
    ) -> None:
        self._moving, self._signing = moving, signing
        self._say, self._timing = say, timing
        self._tls = client_context()
        self._lock = threading.Lock()  # guards `_signing` and `_wanted`; held for a write to the disk at most
        self._wanted: tuple[bytes, ...] | None = None  # the keys that the owner asked for; None: automatic
        self._asked: dict[Session, float] = {}  # s, when a computer was asked to get ready
        self._reached: dict[Session, int] = {}  # the port at which it has answered
        self._answered: set[bytes] = set()  # keys that the owner asked for, and has been told what came of it
        self._blocked: dict[bytes, float] = {}  # by key: s, when its port may be tried again
        self._away: dict[int, float] = {}  # by index: s, since when a standby is gone
        self._places = StandbyPlaces(moving, signing, self._lock, nick, endpoints, pages, own)
        self._wasteful: frozenset[int] = frozenset()  # indexes that were taken off the list in this run
        self._renew_at = 0.0  # s; 0: at the first look
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="naming")
        self._started = False

    def start(self) -> None:
        """Look once a second from now on."""
        self._started = True
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._started:
            join_started(self._thread)

    def order(self, argument: str) -> str:
        """Do what the owner says about standbys: "auto", "off", or the nicks of the wanted ones. Any thread.

        Returns:
            What follows, as a sentence.
        """
        words = argument.split()
        if words in (["auto"], ["off"]):
            automatic = words == ["auto"]
            with self._lock:
                self._wanted = None if automatic else ()
                self._sign(self._signing.standbys if automatic else (), automatic=automatic)
            return "Standbys are named automatically." if automatic else "Nobody can take over this room any more."
        there = {same_nick(one.nick): one for one in self._moving.volunteers}
        if unable := [word for word in words if same_nick(word) not in there]:
            return f"{safe_text(unable[0])} is not here, or cannot be a standby."
        if declined := [word for word in words if there[same_nick(word)].declined]:
            return why_not(declined[0], declined=True)
        with self._lock:
            self._answered = set()
            self._wanted = tuple(there[same_nick(word)].key for word in words)
            self._signing.trust(self._wanted)
            kept = tuple(one for one in self._signing.standbys if one.key in self._wanted)
            self._sign(kept, automatic=False)
        asked = conjunction([safe_text(there[same_nick(word)].nick) for word in words])
        return f"{asked} {'has' if len(words) == 1 else 'have'} been asked. /standbys shows who can take over."

    def end(self) -> None:
        """Sign a list without standbys, so that nobody opens the room again."""
        with self._lock:
            self._wanted = ()
            self._sign(())

    def _run(self) -> None:
        while not self._closing.wait(self._timing.naming):
            try:
                self.look(time.monotonic())
            except LanchatError as error:  # the disk
                _log.warning("no standby is named: %s", error)

    def look(self, now: float) -> None:
        """Ask computers and name standbys, as far as needed now. `now` is in s, by the clock of the host."""
        volunteers = [one for one in self._moving.volunteers if one.key != self._moving.standing.owner]
        self._probe(volunteers, now)
        able = [one for one in volunteers if one.port and self._reached.get(one.session) == one.port]
        with self._lock:
            self._signing.meet([one.key for one in volunteers])
            self._distrust()
            named = self._signing.standbys
            self._note_away(named, able, now)
            chosen = self._choose(able, now)
            if banned := self._moving.banned:  # banned people must not host the room the next morning
                chosen = tuple(one for one in chosen if member_id(one.key) not in banned)
            if chosen != named or now >= self._renew_at:
                self._sign(chosen)
                self._renew_at = now + self._timing.renewal
            self._recruit(volunteers, sum(standby.index not in self._away for standby in chosen), now)
        self._places.announce(able, chosen)
        before = {one.index for one in named}
        self._report_outcome(volunteers, able, [one for one in chosen if one.index not in before], now)

    def _note_away(self, named: Sequence[Standby], able: Sequence[Volunteer], now: float) -> None:
        """Note since when each standby is away."""
        here = {(one.key, one.instance) for one in able}
        for standby in named:
            if (standby.key, standby.instance) in here:
                self._away.pop(standby.index, None)
            else:
                self._away.setdefault(standby.index, now)

    def _report_outcome(
        self, volunteers: Sequence[Volunteer], able: Sequence[Volunteer], new: Sequence[Standby], now: float
    ) -> None:
        """Tell our person which computers have become standbys, and why one that they asked for has not."""
        computers = {(standby.key, standby.instance) for standby in new}
        for one in able:
            if (one.key, one.instance) in computers:
                self._answered.add(one.key)
                words = "can take over when you leave or lose the connection. /standbys shows who can."
                self._say(f"{safe_text(one.nick)} {words}")
        for one in [one for one in volunteers if one.key in (self._wanted or ()) and one.key not in self._answered]:
            silent = not one.instance and now - self._asked.get(one.session, now) > _ANSWER
            blocked = one.port if one.key in self._blocked else 0
            if why := why_not(one.nick, declined=one.declined, blocked=blocked, silent=silent):
                self._answered.add(one.key)
                self._say(why)

    def _distrust(self) -> None:
        """Take off the list, until its owner wants it otherwise, who seems to use up the terms of the room."""
        found = self._moving.wasteful - self._wasteful
        if not found:
            return
        self._wasteful |= found
        self._signing.distrust(found)
        for index in sorted(found):
            nick = safe_text(self._moving.standing.nick(index)) or "A standby"
            self._say(
                f"{nick} has begun to host the room more often than any room needs, and is no standby any more. "
                "/standbys NICK names it again."
            )

    def _choose(self, able: Sequence[Volunteer], now: float) -> tuple[Standby, ...]:
        signing = self._signing
        distrusted = signing.known.distrusted
        named = tuple(one for one in signing.standbys if one.index not in distrusted)
        if self._wanted is not None:
            kept = [(one.key, one.instance) for one in named if one.key in self._wanted]
            new = [(one.key, one.instance) for one in able if one.key in self._wanted]
            try:
                return appoint(list(dict.fromkeys([*kept, *new])), signing.known.indexes)
            except ValueError as error:
                _log.warning("not named: %s", error)
                return named
        if not signing.known.automatic:
            return named
        candidates = [
            Candidate((one.key, one.instance), signing.known_since(one.key), now - one.since)
            for one in able
            if not one.asked and signing.known.indexes.get((one.key, one.instance)) not in distrusted
        ]
        away = {index: now - since for index, since in self._away.items()}
        return choose(named, signing.known.indexes, away, candidates, self._timing.newcomer)

    def _recruit(self, volunteers: Sequence[Volunteer], connected: int, now: float) -> None:
        """Ask as many computers to get ready as are needed."""
        fresh = {
            one.key: one
            for one in volunteers
            if not (one.instance or one.declined or one.session in self._asked or one.key in self._blocked)
        }
        if self._wanted is not None:
            keys = [key for key in self._wanted if key in fresh]
        elif self._signing.known.automatic:
            waiting = sum(
                one.session in self._asked and now - self._asked[one.session] < _ANSWER and not one.instance
                for one in volunteers
            )
            known = {
                key: (self._signing.known_since(key), now - one.since) for key, one in fresh.items() if not one.asked
            }
            needed = CONNECTED - connected - waiting
            keys = whom_to_ask(needed, known, self._signing.known.indexes, self._timing.newcomer)
        else:
            keys = []
        for key in keys:
            self._asked[fresh[key].session] = now
            self._moving.recruit(fresh[key])
        there = {one.session for one in volunteers}
        self._asked = {session: at for session, at in self._asked.items() if session in there}
        self._reached = {session: port for session, port in self._reached.items() if session in there}

    def _probe(self, volunteers: Sequence[Volunteer], now: float) -> None:
        """See which computers that are ready can be reached."""
        self._blocked = {key: until for key, until in self._blocked.items() if now < until}
        fresh = [
            one
            for one in volunteers
            if one.port and self._reached.get(one.session) != one.port and one.key not in self._blocked
        ]
        at, unable = {one.session: (Endpoint(one.peer, one.port),) for one in fresh}, threading.Event()
        shown = cards_at(
            at, self._tls, self._timing.ask_long, enough=lambda found: self._closing.is_set(), unable=unable.set
        )
        if self._closing.is_set():
            return
        for one in fresh:
            card, key = shown.get(one.session, (None, b""))
            if card is not None and card.room == self._moving.standing.room and card.standby and key == one.key:
                self._reached[one.session] = one.port
            elif not unable.is_set():  # otherwise this machine reaches nobody: try again
                _log.info("the port %d of a candidate cannot be reached", one.port)
                self._blocked[one.key] = now + self._timing.blocked
        blocked = [one for one in volunteers if one.port and one.key in self._blocked]
        self._moving.note_blocked({one.nick: one.port for one in blocked})

    def _sign(self, standbys: tuple[Standby, ...], *, automatic: bool | None = None) -> None:
        paper = self._signing.sign(standbys, term_of(self._moving.standing.epoch), automatic=automatic)
        self._moving.name(paper)


def begin_naming(
    hosting: Hosted, identity: Identity, folder: Path, say: Callable[[str], None], timing: Timing
) -> Naming:
    """Name standbys for a room that its owner's program hosts from now on.

    Args:
        folder: of the room.

    Raises:
        LanchatError: what the folder says about earlier lists cannot be read.
    """
    host = hosting.host
    assert host.moving is not None
    signing = Signing(folder, host.room_id, identity, password=host.has_password)
    signing.hand("")
    naming = Naming(
        host.moving, signing, host.nick, lambda: hosting.endpoints, lambda: hosting.pages, hosting.on, say, timing
    )
    naming.start()
    return naming
