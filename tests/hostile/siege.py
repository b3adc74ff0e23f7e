"""A room under attack, and what must still be so after the attack."""

import gc
import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from lanchat.client.member import Member
from lanchat.errors import NotLanchat
from lanchat.protocol.timing import Timing
from lanchat.server.host import Host
from tests.support.people import Listener
from tests.support.waiting import wait_until

FEW = 10  # messages; at `message_rate=0.1` so many more than a burst take longer than any test
# Deadlines are looked at ten times as often, members reconnect at once, and a link has a thread only while it talks: a
# siege ends when no thread is left that was not there before.
HURRY = Timing(sweep=0.1, first_retry=0.02, park=0.2)
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
