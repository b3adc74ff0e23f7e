"""The part of a joined room that receives: events one by one for a program, or all items for a screen."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from lanchat.api.files import RoomFiles
from lanchat.client.events import Closed, Item, Private, PrivateMessage
from lanchat.client.sending import Outgoing
from lanchat.client.state import RoomState
from lanchat.errors import LanchatError, TimedOut
from lanchat.protocol.messages import Event, Said


class RoomEvents(RoomFiles):
    """Receives. One thread takes events or items; `is_own`, `is_bot`, `ended` and `confirm` are for any thread."""

    _outgoing: Outgoing

    def events(self, timeout: float | None = None, *, own: bool = True, bots: bool = True) -> Iterator[Event | Private]:
        """Iterate over the events, from the last messages before we joined on, with private messages between. A private
        message that cannot be opened has a `problem` and no text. At the end of the room `ended` says why.

        Args:
            timeout: s without an event, after which the iteration ends; None: no limit.
            own: with what this object sent itself; False for a program that answers what it hears.
            bots: with what other programs say; False, so that two that answer do not go on for ever.
        """
        while True:
            deadline = None if timeout is None else time.monotonic() + timeout
            try:
                event = next(self._until(deadline), None)
            except LanchatError:
                return
            if event is None:
                return
            if not isinstance(event, Said | PrivateMessage):
                yield event
            elif (own or not self.is_own(event)) and (bots or self.is_own(event) or not self.is_bot(event)):
                yield event

    def is_bot(self, said: Said | PrivateMessage) -> bool:
        """Whether a program has sent the message, as it says itself. Known while its author is in the room."""
        return self._state.roster.is_bot(said.by, said.nick)

    @property
    def ended(self) -> LanchatError | None:
        """Why nothing comes any more; None: it goes on."""
        return self._queue.ended

    def __iter__(self) -> Iterator[Event | Private]:
        return self.events()

    def wait_for(self, match: str | Callable[[Said], bool], timeout: float | None = None) -> Said:
        """Wait for a message of somebody else that contains this text, or for which the function is true.

        Events before it are skipped, and so are messages from before we joined.

        Args:
            timeout: s in all; with 0 only the events that have come already are examined.

        Raises:
            TimedOut: no message matched in that time.
            LanchatError: the connection has ended.
        """
        fits = match if callable(match) else lambda said: match in said.text
        for event in self._until(None if timeout is None else time.monotonic() + timeout):
            if isinstance(event, Said) and not (self._state.is_past(event) or self.is_own(event)) and fits(event):
                return event
        raise TimedOut(f"No such message came within {timeout:g} s.")

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        """Take all items, for a screen that shows more than events. If there are none, wait for the first.

        The caller calls `follow` with each item, and `confirm` with the private messages once they are shown.
        """
        return self._queue.take(timeout)

    def follow(self, item: Item) -> None:
        """Update `people`, `nick` and `state` by this item."""
        with self._queue.lock:
            self._state.follow(item)

    @property
    def state(self) -> RoomState:
        """The state of the room at the last item that was followed. Only for the thread that takes items."""
        return self._state

    def confirm(self, private: Iterable[Private]) -> None:
        """These private messages and files have been shown, so they need not come again."""
        self._member.confirm(private)

    def on_ready(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, from another thread, whenever there is something to take."""
        self._queue.on_ready = wake

    def is_own(self, said: Said | PrivateMessage) -> bool:
        """Whether this object sent the message, and not another program of the same person."""
        return self._outgoing.is_own(said)

    def _until(self, deadline: float | None) -> Iterator[Event | Private]:
        """Iterate over the events until this moment. Events that have come already are returned even after it.

        Args:
            deadline: by `time.monotonic()`; None: there is none.
        """
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            item = self._queue.next(remaining)
            if item is None:
                return
            if isinstance(item, Closed):
                raise item.error
            if isinstance(item, Private):
                self.confirm([item])  # not earlier: a message that was never taken has to come again
            if isinstance(item, Event | Private):
                yield item
