"""A room under attack with ann in it, and what must still be so after the attack.

Every test here ends with the same look: an honest newcomer is in and heard, memory grew by less than 64 MiB, threads
and descriptors are back, and no log line holds anything that could act on a terminal.
"""

import gc
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from lanchat.client.member import Member
from lanchat.errors import NotLanchat
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.timing import Timing
from lanchat.server import links
from lanchat.server.admission import source_of
from lanchat.server.doors import native
from lanchat.server.host import Host
from tests.hostile.attackers import Caller, EvilHost, RecordingProxy
from tests.support.people import Listener
from tests.support.strangers import Stranger
from tests.support.waiting import wait_until

MEMORY_LIMIT = 64 * 1024 * 1024  # bytes
_STATM = Path("/proc/self/statm")  # Linux; elsewhere memory is not looked at
_FILES = Path("/proc/self/fd")


def rss() -> int:
    """Bytes of this process in memory."""
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if _STATM.exists() else 0


class Siege:
    """A host with the default limits, and ann in its room."""

    def __init__(self, room: Host, join: Callable[..., Member], **options: Any) -> None:
        self.room = room
        self._join = join
        self._options = options
        self.ann = Listener(join(room, "ann", **options))
        self.ann.round_trip("before")
        self._rounds = 0
        self._guests: list[Member] = []
        self.serves()  # whatever is loaded late is loaded now; and bob has been here, whatever comes
        gc.collect()
        self._rss, self._threads, self._files = rss(), self._running_threads(), self._open_files()

    def guest(self, nick: str, *, owner: str = "", **options: Any) -> Listener:
        """Somebody else in the room, until it is looked at."""
        member = self._join(self.room, nick, owner=owner, **self._options, **options)
        self._guests.append(member)
        return Listener(member)

    def serves(self) -> None:
        """An honest member comes, is heard and hears."""
        self._rounds += 1
        inside = self.room.people
        member = wait_until(self._comes, what="bob to be let in")
        assert member is not None
        with closing(member):
            bob = Listener(member)
            bob.round_trip(f"round {self._rounds}")
        self.ann.hear_text(f"round {self._rounds}")
        self.ann.hear(lambda: self.room.people <= inside, "bob to be gone")

    def _comes(self) -> Member | None:
        """Somebody who asks to come in; None: a busy machine takes too long, and they have to ask again."""
        try:
            return self._join(self.room, "bob", **self._options)
        except NotLanchat:
            return None

    def check(self) -> None:
        for member in self._guests:
            member.close()
        self.serves()
        gc.collect()
        before, names = self._threads, [thread.name for thread in threading.enumerate()]
        wait_until(lambda: self._running_threads() <= before, what=f"all but {before} of these threads to end: {names}")
        wait_until(lambda: self._open_files() <= self._files, what="descriptors to be given back")
        assert rss() - self._rss < MEMORY_LIMIT, "memory grew"

    def _running_threads(self) -> int:
        """The number of threads. One or two wait for parked links: how many depends on how busy the machine was."""
        waiting = sum(thread.name == "reader-of-parked" for thread in threading.enumerate())
        return threading.active_count() - waiting + max(waiting, 2)

    def _open_files(self) -> int:
        return len(os.listdir(_FILES)) if _FILES.exists() else 0


@pytest.fixture(autouse=True)
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG, "lanchat"):
        yield
    for when in ("setup", "call"):
        for record in caplog.get_records(when):
            assert record.getMessage().isprintable(), f"a log line of two: {record.getMessage()!r}"


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 counts as this machine, 127.0.0.2 and all others as other machines."""

    def other_machines(address: str) -> str:
        return "" if address == "127.0.0.1" else address if address.startswith("127.") else source_of(address)

    monkeypatch.setattr(links, "source_of", other_machines)
    monkeypatch.setattr(native, "source_of", other_machines)


FEW = 10  # messages; at `message_rate=0.1` so many more than a burst take longer than any test
# Deadlines are looked at ten times as often, members reconnect at once, and a link has a thread only while it talks: a
# siege ends when no thread is left that was not there before.
HURRY = Timing(sweep=0.1, first_retry=0.02, park=0.2)


@pytest.fixture
def siege(sources: None, host: Callable[..., Host], join: Callable[..., Member]) -> Iterator[Callable[..., Siege]]:
    """`siege(...)`: a room under attack, which is checked after the test, when the attackers have gone."""
    sieges: list[Siege] = []

    def begin(*, password: str | None = None, **options: Any) -> Siege:
        room = host(**{"limits": DEFAULT_LIMITS, "timing": HURRY, "password": password, **options})
        sieges.append(siege := Siege(room, join, **({} if password is None else {"password": password})))
        return siege

    yield begin
    for siege in sieges:
        siege.check()


@pytest.fixture
def attackers() -> Iterator[ExitStack]:
    """Strangers, which are closed before the siege is checked: ask for this fixture after `siege`."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def stranger(attackers: ExitStack) -> Callable[..., Stranger]:
    def come(room: Host, source: str = "127.0.0.66", *, port: int | None = None) -> Stranger:
        return attackers.enter_context(closing(Stranger(port or room.port, source)))

    return come


@pytest.fixture
def evil_host(attackers: ExitStack, identity: Callable[..., Any]) -> Callable[..., EvilHost]:
    """`evil_host(treat)`: mallory's host, which serves each caller with this function."""

    def open_room(treat: Callable[[Caller], object], *, owner: str = "mallory", port: int = 0) -> EvilHost:
        return attackers.enter_context(closing(EvilHost(identity(owner), treat, port)))

    return open_room


@pytest.fixture
def proxy(attackers: ExitStack) -> Callable[..., RecordingProxy]:
    return lambda port: attackers.enter_context(closing(RecordingProxy(port)))


@pytest.fixture
def victim(attackers: ExitStack, identity: Callable[..., Any]) -> Callable[..., Member]:
    """`victim(port)`: vera, who has not joined yet; she leaves after the test. A function may say which port it is."""
    from lanchat.network.connect import dial
    from lanchat.protocol.address import Endpoint

    def make(port: int | Callable[[], int], **options: Any) -> Member:
        def reach() -> socket.socket:
            return dial((Endpoint("127.0.0.1", port if isinstance(port, int) else port()),))

        member = Member(reach, identity("vera"), "vera", **{"timing": HURRY, **options})
        return attackers.enter_context(closing(member))

    return make
