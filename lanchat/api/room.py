"""A room we are in, as an object."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lanchat.client.events import Closed, Connected, weight
from lanchat.client.member import Member
from lanchat.client.queue import QUEUE_LIMIT
from lanchat.client.receiving import WINDOW
from lanchat.errors import Refused, TimedOut
from lanchat.protocol.invite import Invite
from lanchat.protocol.messages import Event, Record, Said, Told
from lanchat.room.roster import Person, Roster
from lanchat.storage.known_hosts import KeyStatus
from lanchat.threads import Closable

if TYPE_CHECKING:
    from lanchat.discovery.sources import Advertiser
    from lanchat.server.host import Host
    from lanchat.storage.rooms import RoomFolder

RELIEVE_EVERY = 0.1  # s between two looks at whether we wait for ourselves; then nothing is acknowledged at all

_log = logging.getLogger(__name__)


class JoinedRoom(Closable):
    """A room we are in. Leave it with `close()`, or use it in a `with`.

    `say()` and `tell()` may be called by any thread; events go to one thread, in the order everybody sees. A program
    that only speaks need not look at them: about the last 10,000 wait for it, and what was said to it alone comes
    again with its next stay. One that neither looks nor speaks is cut off when more than that wait, until it does.
    """

    def __init__(
        self, member: Member, connected: Connected, key_status: KeyStatus = "known", invite: Invite | None = None
    ) -> None:
        self.member = member
        self.key_status = key_status  # how the host's key stood to what we knew before
        self.connected = connected
        self.title = connected.card.title
        self.invite = invite  # how others come in, knowing that it is the right room; None: nobody could reach it
        self._roster = Roster()
        self._roster.welcome(connected.welcome, connected.present)
        self._lock = threading.Lock()  # guards _view
        self._border = connected.welcome.seq  # what was said up to this was said before we came
        self._backlog: deque[Event | Told | Connected | Closed] = (
            deque()
        )  # taken from the member, and not looked at yet
        self._load = 0  # its weight
        self._taking = threading.Lock()  # held by who moves items, also while it waits for some; others only try
        self._looks = False  # somebody has asked for events

    @property
    def nick(self) -> str:
        return self._roster.nick

    @property
    def people(self) -> list[Person]:
        """Who was in the room at the last event that was taken."""
        with self._lock:
            return list(self._roster.people.values())

    def say(self, text: str, *, wait: float | None = None) -> str:
        """Say this to everyone. Waits only while many messages are on their way.

        Args:
            wait: s to wait until it is on the host's disk; None: do not wait.

        Returns:
            The message's id, as its `Said` carries it.

        Raises:
            ValueError: the text is empty or over 4096 bytes.
            TimedOut: it was not acknowledged in that time (it may still be).
            LanchatError: the room is gone.
        """
        self._wait_kept(below=WINDOW)
        id = self.member.say(text)
        if wait is not None and not self._wait_kept(wait):
            raise TimedOut(f"the message was not acknowledged within {wait:g} s")
        return id

    def tell(self, nick: str, text: str, *, wait: float | None = None) -> str:
        """Say this to one person alone; whoever is away gets it on return. The host carries it, and can read it.

        Args:
            nick: of somebody who is or was here. It stands for their key: nobody else gets it who takes the nick later.
            wait: s to wait until it is on the host's disk; None: do not wait, and do not hear of a refusal.

        Returns:
            The message's id, as its `Told` carries it.

        Raises:
            ValueError: the text or the nick cannot be, or they came by the plain door, or it is you.
            Refused: nobody is or was called so, or they can get nothing.
            TimedOut: it was not acknowledged in that time (it may still be).
            LanchatError: the room is gone.
        """
        with self._lock:
            to = self._roster.addressee(nick)
        self._wait_kept(below=WINDOW)
        id = self.member.tell(nick, text, to=to)
        if wait is not None and not self._wait_kept(wait):
            raise TimedOut(f"the message was not acknowledged within {wait:g} s")
        if refusal := self.member.refusal(id):
            raise Refused(refusal, code="private")
        return id

    def events(self, timeout: float | None = None) -> Iterator[Record]:
        """What happens, from the last lines before we came on; between it, as `Told`, what is said in private.

        Args:
            timeout: s of silence after which the iteration ends; None: it ends with the room.

        Raises:
            LanchatError: the host is gone.
        """
        while True:
            deadline = None if timeout is None else time.monotonic() + timeout
            event = next(self._until(deadline), None)
            if event is None:
                return
            yield event

    def __iter__(self) -> Iterator[Record]:
        return self.events()

    def wait_for(self, match: str | Callable[[Said], bool], timeout: float | None = None) -> Said:
        """The next message from somebody else that holds this text, or for which the function is true.

        Events before it are passed over, and so is what was said before we came.

        Args:
            timeout: s in all; what has come already is looked at even in none.

        Raises:
            TimedOut: nothing matched in that time.
            LanchatError: the room is gone.
        """
        fits = match if callable(match) else lambda said: match in said.text
        for event in self._until(None if timeout is None else time.monotonic() + timeout):
            if isinstance(event, Said) and event.seq > self._border and not self.member.is_own(event) and fits(event):
                return event
        raise TimedOut(f"no such message within {timeout:g} s")

    def close(self) -> None:
        self.member.close()

    def _until(self, deadline: float | None) -> Iterator[Record]:
        """What happens up to this moment, and what has come already even after it.

        Args:
            deadline: by `time.monotonic()`; None: it ends with the room.
        """
        self._looks, over = True, False
        while True:
            with self._taking:
                record = self._next()
                if record is None and not over:
                    remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
                    over = remaining == 0
                    self._take(remaining)
                    record = self._next()
            if record is not None:
                yield record
            elif over:
                return

    def _take(self, timeout: float | None) -> None:
        """Move what has come to the backlog. For who holds `_taking`."""
        for item in self.member.take(timeout, confirm=False):
            if isinstance(item, Event | Told | Connected | Closed):
                self._backlog.append(item)
                self._load += weight(item)

    def _next(self, *, lost: bool = False) -> Record | None:
        """Take the next one out of the backlog. For who holds `_taking`.

        Args:
            lost: nobody will look at it.

        Raises:
            LanchatError: the room is gone.
        """
        while self._backlog:
            item = self._backlog[0]
            if isinstance(item, Closed):
                raise item.error
            self._backlog.popleft()
            self._load -= weight(item)
            match item:
                case Connected():
                    self._border = min(self._border, item.welcome.seq)  # a host that lost its record counts anew
                    with self._lock:
                        self._roster.welcome(item.welcome, item.present)
                    continue
                case Told():
                    if not lost:
                        self.member.confirm([item])  # not before: if nobody looks at it, it has to come again
                case _:
                    with self._lock:
                        self._roster.apply(item)
            return item
        return None

    def _wait_kept(self, timeout: float | None = None, *, below: int = 1) -> bool:
        """`Member.wait_kept()` for a program whose thread may be the very one that should look at what comes."""
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._looks:
            self._relieve()
        while True:
            remaining = RELIEVE_EVERY if deadline is None else max(0.0, deadline - time.monotonic())
            if self.member.wait_kept(min(remaining, RELIEVE_EVERY), below=below):
                return True
            if remaining < RELIEVE_EVERY:
                return False
            self._relieve()

    def _relieve(self) -> None:
        """Where the reader waits until somebody takes: take, and let go of the oldest. Acknowledgements come after."""
        if not self.member.held_up or not self._taking.acquire(blocking=False):
            return
        lost = 0
        try:
            self._take(0)
            while self._load > QUEUE_LIMIT and not isinstance(self._backlog[0], Closed):
                lost += self._next(lost=True) is not None
        finally:
            self._taking.release()
        if lost and self._looks:
            _log.warning("%d events are lost to this program: it speaks, and does not look at what comes", lost)


class HostedRoom(JoinedRoom):
    """A room we host and are in. It closes for everybody with this object."""

    def __init__(
        self,
        host: "Host",
        advertiser: "Advertiser | None",
        folder: "RoomFolder | None",
        member: Member,
        connected: Connected,
        invite: Invite | None,
    ) -> None:
        super().__init__(member, connected, invite=invite)
        self.host = host
        self._advertiser = advertiser
        self._folder = folder

    def close(self) -> None:
        if self._advertiser is not None:
            self._advertiser.close()  # first, so that nobody finds a room that is closing
        super().close()
        self.host.close()
        if self._folder is not None:
            self._folder.close()
