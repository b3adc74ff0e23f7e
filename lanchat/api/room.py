"""A room we are in, as an object: the one surface that programs, scripts and the terminal use."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from lanchat.client.events import Closed, Connected, Item
from lanchat.client.member import Member
from lanchat.client.state import RoomState
from lanchat.client.unacked import WINDOW
from lanchat.errors import Refused, TimedOut
from lanchat.protocol.invite import Invite
from lanchat.protocol.messages import Event, Record, Said, Talk, Told
from lanchat.room.roster import Person
from lanchat.storage.known_hosts import KeyStatus
from lanchat.threads import Closable


class JoinedRoom(Closable):
    """A room we are in. Leave it with `close()`, or use it in a `with` statement.

    Anything may be called by any thread, but events go to one thread, in the order that everybody sees. A program that
    only speaks need not look at them: the last 10,000 wait for it (`dropped` counts the ones before), and private
    messages that it never looked at come again the next time it joins.

    Args:
        member: has joined already.
        connected: what `Member.join` returned.
        state: follows the member's queue.
    """

    def __init__(
        self,
        member: Member,
        connected: Connected,
        state: RoomState,
        *,
        key_status: KeyStatus = "known",
        invite: Invite | None = None,
    ) -> None:
        self.card = connected.card
        self.key_status = key_status  # how the host's key stood to what we knew before
        self.invite = invite  # lets others in and proves that the room is the right one; None: nobody could reach it
        self._member = member
        self._queue = member.queue
        self._outgoing = member.outgoing
        self._state = state
        with self._queue.lock:
            if not state.connected:
                state.follow(connected)

    hosting = False  # whether it is we who host the room

    @property
    def title(self) -> str:
        return self.card.title

    @property
    def nick(self) -> str:
        """Our own nick, as of the last event that was taken."""
        return self._state.nick

    @property
    def people(self) -> list[Person]:
        """Everybody who was in the room at the last event that was taken."""
        with self._queue.lock:
            return list(self._state.roster.people.values())

    @property
    def connected(self) -> bool:
        """Whether what is said now goes out now; else it waits until we are connected again."""
        return self._outgoing.connected

    @property
    def unacked(self) -> int:
        """How many of our messages the host has not acknowledged yet."""
        return self._outgoing.waiting

    @property
    def left_over(self) -> int:
        """How many messages an earlier run could not deliver; they go out now."""
        return self._outgoing.left_over

    @property
    def dropped(self) -> int:
        """How many events nobody took, so that newer ones took their place."""
        return self._queue.dropped

    # ---- speaking

    def say(self, text: str, *, action: bool = False, wait: float | None = None) -> str:
        """Say this to everyone. Waits only while many messages are on their way.

        Args:
            action: as `/me` does.
            wait: s to wait until it is on the host's disk; None: do not wait.

        Returns:
            The message's id, as its `Said` carries it.

        Raises:
            ValueError: the text is empty or over 4096 bytes.
            TimedOut: it was not acknowledged in that time (it may still be).
            LanchatError: the room is gone, or too many messages are unsent already.
        """
        self.wait_acked(below=WINDOW)
        return self._acked(self.send(text, action=action), wait)

    def tell(self, nick: str, text: str, *, wait: float | None = None) -> str:
        """Send a private message; somebody who is away gets it on returning. The host carries it, and can read it.

        Args:
            nick: of somebody who is or was here. It stands for their key: nobody who takes the nick later gets it.
            wait: s to wait until it is on the host's disk; None: do not wait, and do not hear of a refusal.

        Returns:
            The message's id, as its `Told` carries it.

        Raises:
            ValueError: the text or the nick breaks the rules, or they are a guest, or it is you.
            Refused: nobody is or was called so, or they can get nothing.
            TimedOut: it was not acknowledged in that time (it may still be).
            LanchatError: the room is gone, or too many messages are unsent already.
        """
        with self._queue.lock:
            to = self._state.roster.addressee(nick)
        self.wait_acked(below=WINDOW)
        id = self._acked(self.send_private(nick, text, to=to), wait)
        if refusal := self._outgoing.refusal(id):
            raise Refused(refusal, code="private")
        return id

    def send(self, text: str, *, action: bool = False) -> str:
        """Say this, however much is on its way already. Never waits; otherwise as `say`."""
        return self._outgoing.say(text, action=action)

    def send_private(self, nick: str, text: str, *, to: str = "") -> str:
        """Send a private message, however much is on its way already. Never waits; otherwise as `tell`.

        Args:
            to: the recipient's member id; "": whoever the host knows by this nick.
        """
        return self._outgoing.tell(nick, text, to=to)

    def wait_acked(self, timeout: float | None = None, *, below: int = 1) -> bool:
        """Wait until the host has stored everything we said, or all but fewer than `below` messages.

        Returns:
            Whether it has, within `timeout` seconds.

        Raises:
            LanchatError: the room is gone.
        """
        return self._outgoing.wait_acked(timeout, below=below)

    def unheard(self, number: int) -> tuple[list[Talk], int]:
        """The newest of our messages that did not come back from the host yet, oldest first, and how many there are."""
        return self._outgoing.unheard(number)

    def is_own(self, said: Said | Told) -> bool:
        """Whether this object said it, not the same person elsewhere."""
        return self._outgoing.is_own(said)

    def rename(self, nick: str) -> None:
        """Ask for another nick; a `Renamed` or a `Notice` follows.

        Raises:
            ValueError: it breaks the rules of a nick.
        """
        self._outgoing.rename(nick)

    def moderate(self, action: str, nick: str = "") -> None:
        """Use a right of the host: kick, ban, unban, lock, unlock. A `Notice` says what came of it.

        Raises:
            ValueError: the nick is too long to be one.
        """
        self._outgoing.moderate(action, nick)

    def deafen(self) -> None:
        """Ask not to be sent what others say: for a program that only speaks."""
        self._outgoing.deafen()

    # ---- listening

    def events(self, timeout: float | None = None) -> Iterator[Record]:
        """What happens, beginning with the last lines before we came; private messages come in between, as `Told`.

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
        """The next message of somebody else that holds this text, or for which the function is true.

        Events before it are passed over, and so is what was said before we came.

        Args:
            timeout: s in all; what has come already is looked at even in none.

        Raises:
            TimedOut: nothing matched in that time.
            LanchatError: the room is gone.
        """
        fits = match if callable(match) else lambda said: match in said.text
        for event in self._until(None if timeout is None else time.monotonic() + timeout):
            if isinstance(event, Said) and not (self._state.is_past(event) or self.is_own(event)) and fits(event):
                return event
        raise TimedOut(f"No such message within {timeout:g} s.")

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        """Everything that has come, for a screen that shows more than events; waits for a first item.

        Whoever takes calls `follow` with each item, and `confirm` with the private messages once they are shown.
        """
        return self._queue.take(timeout)

    def follow(self, item: Item) -> None:
        """Let `people` and `nick` follow this item."""
        with self._queue.lock:
            self._state.follow(item)

    @property
    def state(self) -> RoomState:
        """For the one thread that takes and follows."""
        return self._state

    def confirm(self, private: Iterable[Told]) -> None:
        """These private messages have been shown: they need not come again."""
        self._member.confirm(private)

    def on_ready(self, wake: Callable[[], None]) -> None:
        """Call this, from another thread, whenever there is something to take."""
        self._queue.on_ready = wake

    def leave(self) -> None:
        """Leave the room. A room that we host stays open for the others until `close()`."""
        self._member.close()

    def close(self) -> None:
        """Leave the room, and end it if we host it. May be called twice."""
        self.leave()

    def _acked(self, id: str, wait: float | None) -> str:
        if wait is not None and not self.wait_acked(wait):
            raise TimedOut(f"The message was not acknowledged within {wait:g} s.")
        return id

    def _until(self, deadline: float | None) -> Iterator[Record]:
        """What happens up to this moment, and what has come already even after it.

        Args:
            deadline: by `time.monotonic()`; None: it ends with the room.
        """
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            item = self._queue.next(remaining)
            if item is None:
                return
            if isinstance(item, Closed):
                raise item.error
            if isinstance(item, Told):
                self.confirm([item])  # not before: if nobody looks at it, it has to come again
            if isinstance(item, Event | Told):
                yield item
