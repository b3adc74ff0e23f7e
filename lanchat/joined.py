"""A room we are in, as an object."""

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lanchat.errors import Refused, TimedOut
from lanchat.member import Member
from lanchat.net.invite import Invite
from lanchat.net.trust import Standing
from lanchat.news import Came, Ended
from lanchat.protocol.messages import Event, Record, Said, Told
from lanchat.room.view import Person, RoomView

if TYPE_CHECKING:
    from lanchat.discovery.presence import Presence
    from lanchat.hosting import Host
    from lanchat.room.folder import RoomFolder

WINDOW = 64  # messages of ours on their way at once; whoever says more waits, and the host is not flooded


class JoinedRoom:
    """A room we are in. Leave it with `close()`, or use it in a `with`.

    `say()` and `tell()` may be called by any thread; events go to one thread, in the order everybody sees.
    """

    def __init__(self, member: Member, came: Came, standing: Standing = "known", invite: Invite | None = None) -> None:
        self.member = member
        self.standing = standing  # how the host's key stood to what we knew before
        self.came = came
        self.title = came.card.title
        self.invite = invite  # how others come in, knowing that it is the right room; None: nobody could reach it
        self._view = RoomView()
        self._view.welcome(came.welcome, came.present)
        self._waiting: list[Record] = []

    @property
    def nick(self) -> str:
        return self._view.nick

    @property
    def people(self) -> list[Person]:
        """Who was in the room at the last event that was taken."""
        return list(self._view.people.values())

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
        self.member.wait_kept(below=WINDOW)
        id = self.member.say(text)
        if wait is not None and not self.member.wait_kept(wait):
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
        to = self._view.addressee(nick)
        self.member.wait_kept(below=WINDOW)
        id = self.member.tell(nick, text, to=to)
        if wait is not None and not self.member.wait_kept(wait):
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
            while self._waiting:
                event = self._waiting.pop(0)
                if not isinstance(event, Told):
                    self._view.apply(event)
                yield event
            items = self.member.take(timeout)
            if not items:
                return
            self._waiting += [item for item in items if isinstance(item, Event | Told)]
            ended = next((item for item in items if isinstance(item, Ended)), None)
            if ended is not None and not self._waiting:
                raise ended.error

    def __iter__(self) -> Iterator[Record]:
        return self.events()

    def wait_for(self, match: str | Callable[[Said], bool], timeout: float | None = None) -> Said:
        """The next message from somebody else that holds this text, or for which the function is true.

        Events before it are passed over.

        Args:
            timeout: s in all.

        Raises:
            TimedOut: nothing matched in that time.
            LanchatError: the room is gone.
        """
        fits = match if callable(match) else lambda said: match in said.text
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            waiting = len(self._waiting)
            for event in self.events(remaining):
                if isinstance(event, Said) and not self.member.is_own(event) and fits(event):
                    return event
                waiting -= 1
                if deadline is not None and waiting < 0 and time.monotonic() >= deadline:
                    break
            if deadline is not None and time.monotonic() >= deadline:
                raise TimedOut(f"no such message within {timeout:g} s")

    def close(self) -> None:
        self.member.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class HostedRoom(JoinedRoom):
    """A room we host and are in. It closes for everybody with this object."""

    def __init__(
        self,
        host: "Host",
        presence: "Presence | None",
        folder: "RoomFolder | None",
        member: Member,
        came: Came,
        invite: Invite | None,
    ) -> None:
        super().__init__(member, came, invite=invite)
        self.host = host
        self._presence = presence
        self._folder = folder

    def close(self) -> None:
        if self._presence is not None:
            self._presence.close()  # first, so that nobody finds a room that is closing
        super().close()
        self.host.close()
        if self._folder is not None:
            self._folder.close()
