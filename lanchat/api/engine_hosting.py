"""Hosting a room together with other computers, on one engine: as its owner, or beside the owner."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lanchat.api.cohosting import Cohosting
from lanchat.api.engine_rooms import RoomAtEngine, connect, others, twin_text
from lanchat.api.host_papers import HostSigner, check_papers
from lanchat.api.hosting import Hosting
from lanchat.api.password_check import PasswordCheck
from lanchat.errors import LanchatError, ProtocolError, Refused, TimedOut
from lanchat.protocol.delegation import Delegation, read_delegation
from lanchat.protocol.engine import Asking, EngineRoom, Present
from lanchat.protocol.places import MAX_ADDRESSES, Place
from lanchat.protocol.text import safe_text
from lanchat.protocol.timeline import Timeline
from lanchat.protocol.timing import Timing
from lanchat.server.beside import Beside, HostPapers
from lanchat.server.engine.address import EngineAddress, EngineChoice
from lanchat.server.engine.cohosts import HostsAtEngine, announce
from lanchat.storage.delegations import Signing
from lanchat.storage.files import file_errors, lock_file, make_folder, write_file
from lanchat.storage.identity import Identity
from lanchat.storage.rooms import BESIDE, LOCK, LOG, RoomFolder, joined_folder
from lanchat.threads import Closable, now_ms

_INSTANCE = "instance"
_INSTANCE_SIZE = 8  # bytes
_GIVE_IT = "Give it with --password; its owner knows it."
_REMOVED = "The owner of the room has removed this computer from its hosts. You and its people go on at another one."


class BesideFolder(Closable):
    """The folder of a room that this computer hosts beside its owner. Raises LanchatError if it cannot be used.

    What our person has of the room is where it is for any other room of somebody else.
    """

    def __init__(self, home: Path, room: RoomAtEngine) -> None:
        joined_folder(home, room.id, room.about.title, now_ms())
        self.path = home / BESIDE / room.id
        with file_errors(self.path):
            make_folder(self.path)
            lock = lock_file(self.path / LOCK)
            if lock is None:
                raise LanchatError("Another lanchat of this computer hosts this room already.")
            self._lock = lock
            try:
                self.instance = _instance(self.path / _INSTANCE)
            except BaseException:
                lock.close()
                raise

    @property
    def log(self) -> Path:
        return self.path / LOG

    def close(self) -> None:
        self._lock.close()


def _instance(path: Path) -> bytes:
    """The random bytes that tell this computer from another one with the same key.

    If a power cut has left no whole ones, there are new ones, and the owner is asked once more. Raises OSError.
    """
    with suppress(FileNotFoundError):
        if len(known := path.read_bytes()) == _INSTANCE_SIZE:
            return known
    made = os.urandom(_INSTANCE_SIZE)
    write_file(path, made, durable=True)
    return made


def wait_for_owner(
    room: RoomAtEngine,
    address: EngineAddress,
    asking: Asking,
    say: Callable[[str], None],
    deadline: float | None,
    timing: Timing,
) -> HostPapers:
    """Ask the owner to accept this computer as a host, and wait until that has happened.

    Args:
        say: called once with a sentence that says what to wait for, unless the owner has accepted before.
        deadline: by `time.monotonic()`; None: there is none.

    Raises:
        TimedOut: it did not happen in time.
        LanchatError: the engine cannot be used.
    """
    told = False
    with HostsAtEngine(connect(address, timing), room.id) as there:
        try:
            while True:
                papers = there.papers()
                if papers is not None and _accepts(papers, room, asking.key):
                    return papers
                there.ask(asking)
                if not told:
                    told = True
                    owner = safe_text(room.about.nick)
                    say(f"Waiting for {owner} to accept this computer as a host: /cohost {asking.code}")
                if deadline is not None and time.monotonic() >= deadline:
                    raise TimedOut("The owner of the room has not accepted this computer as a host in time.")
                time.sleep(timing.beat)
        finally:
            there.withdraw(asking.key)


def _accepts(papers: HostPapers, room: RoomAtEngine, key: bytes) -> bool:
    if papers.owner != room.about.owner:
        return False
    try:
        check_papers(papers, room.id)
        return papers.index_of(key) is not None
    except ProtocolError:
        return False


class EngineHosting:
    """Prepares a host on an engine for the other hosts of the room, before and after it has started.

    Args:
        nick: of our person, when the room was opened.
        signing: of the owner; None: the room is somebody else's, and these are the papers.
        choice: of the owner.
    """

    def __init__(
        self,
        address: EngineAddress,
        room: RoomAtEngine,
        identity: Identity,
        say: Callable[[str], None],
        timing: Timing,
        *,
        signing: Signing | None = None,
        papers: HostPapers | None = None,
        choice: EngineChoice | None = None,
    ) -> None:
        self._choice = choice or EngineChoice(address)
        self._address, self._room, self._identity = address, room, identity
        self._say, self._timing, self._signing, self._papers = say, timing, signing, papers
        self._owner: HostSigner | None = None
        self._yielded: Callable[[], None] | None = None  # see `begin`
        self._is_over = False
        self._ending = threading.Lock()  # guards both

    def over(self) -> None:
        """This computer hosts the room no more: end that, as soon as it has begun. Any thread; never waits."""
        with self._ending:
            self._is_over = True
            if self._yielded is not None:
                threading.Thread(target=self._yielded, name="yielded").start()

    def check_password(self, nick: str, password: str | None) -> PasswordCheck | None:
        """Compare the password with that of the other hosts, before this one starts.

        Returns:
            Our session at one of them, until our own host has let us in; None: there is nothing to compare.

        Raises:
            Refused: the room has another password, or none, or needs one; code "password".
        """
        if self._papers is not None:
            signed = self._papers.delegation
        else:
            assert self._signing is not None
            signed = self._signing.known.paper
        if not signed:
            return None  # the owner has named no other host yet
        named = read_delegation(signed, self._room.about.owner)
        places = self._others(named)
        if self._signing is not None and not places:
            return None  # it is for the owner to choose the password
        title = safe_text(self._room.about.title)
        if named.password and password is None:
            raise Refused(f'The room "{title}" has a password.', _GIVE_IT, code="password")
        if not named.password and password is not None:
            raise Refused(f'The room "{title}" has no password.', "Leave out --password.", code="password")
        if password is None:
            return None
        check = PasswordCheck(self._room.id, title, places, self._identity, nick, password, self._timing)
        if not check.is_right:
            self._say("No other host answers now, so nobody can tell whether the password is right.")
        return check

    def _others(self, named: Delegation) -> list[Place]:
        """Where the other hosts are now, of those whom the owner has named."""
        own, owner = self._identity.public, self._room.about.owner
        with HostsAtEngine(connect(self._address, self._timing), self._room.id) as there:
            places = [present.place for present in there.present()]
        return [one for one in places if one.key != own and (one.key == owner or named.names_host(one.key))]

    def beside(self, timeline: Timeline) -> Beside:
        """What the members of the host are told of the others, once its log is open."""
        if self._signing is not None:
            self._owner = HostSigner(self._signing, self._room.id, self._identity, timeline, self._choice)
            self._papers = self._owner.papers
        assert self._papers is not None
        return Beside(self._papers, self._identity.public, self._timing.heartbeat)

    def begin(self, hosting: Hosting, nick: Callable[[], str], yielded: Callable[[], None]) -> None:
        """Show this host to the other hosts from now on.

        Args:
            yielded: called from a thread of its own when this computer is no host any more; ends its hosting.
        """
        host, beside = hosting.host, hosting.host.beside
        assert beside is not None
        if self._owner is not None:
            commands = connect(self._address, self._timing)
            try:
                announce(commands, self._room.id, self._room.about)
                for twin in others(commands, self._room.about.title, self._identity):
                    self._say(twin_text(twin, self._address.without_password))
            finally:
                commands.close()

        def here() -> Present:
            at = tuple(str(endpoint) for endpoint in hosting.endpoints[:MAX_ADDRESSES])
            return Present(Place(0, self._identity.public, nick(), at, hosting.pages[:MAX_ADDRESSES]), host.served)

        def removed() -> None:
            self._say(_REMOVED)
            self.over()

        there = HostsAtEngine(connect(self._address, self._timing), self._room.id)
        title = self._room.about.title
        hosting.engine = self._address.without_password
        try:
            hosting.cohosting = Cohosting(there, beside, here, title, self._owner, self._say, removed, self._timing)
        except BaseException:
            there.close()
            raise
        with self._ending:
            self._yielded, is_over = yielded, self._is_over
        if is_over:
            self.over()


def owners_hosting(
    engine: EngineChoice,
    folder: RoomFolder,
    nick: str,
    identity: Identity,
    say: Callable[[str], None],
    timing: Timing,
    *,
    password: bool,
) -> EngineHosting:
    """The `EngineHosting` of a room's owner. Raises LanchatError if what was signed before cannot be read."""
    about = folder.about
    signing = Signing(folder.path, about.id, identity, password=password)
    room = RoomAtEngine(about.id, EngineRoom(about.title, nick, identity.public))
    return EngineHosting(engine.address, room, identity, say, timing, signing=signing, choice=engine)
