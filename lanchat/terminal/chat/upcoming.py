"""The items to render next: those of the room, with our own notes in their places between them."""

import threading
from collections import deque

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Connected, Disconnected, Item
from lanchat.protocol.messages import Event, Moved, Said
from lanchat.terminal.chat.own_notes import NewSince, Note, Own
from lanchat.terminal.chat.people import greeting_text
from lanchat.terminal.host_again import continues_text
from lanchat.terminal.past import was_inside
from lanchat.terminal.wording import TAKEBACK, lost_by


class Upcoming:
    """Puts the items of a room and our own notes in order. The history comes first, with a rule where it becomes new.

    Below it stand the greeting and the notes from before the start; later notes stand below all that has come. Owned by
    the thread that paints; `add` is for any thread.

    Args:
        room: nobody else takes its items.
        hosting: we host the room; then there is no greeting, because a host is told how others come in.
    """

    def __init__(self, room: JoinedRoom, *, hosting: bool) -> None:
        self._room = room
        self._hosting = hosting
        self._waiting: deque[Item | Own] = deque()
        self._notes: list[Own] = []
        self._lock = threading.Lock()  # guards _notes
        self._past_over = False  # all of the history was returned, so the notes may follow
        self._past_shown = False  # no more of the history will come
        self._seen = room.state.seen  # the last event that an earlier run showed; None: none, or the rule was returned

    def add(self, note: Own) -> None:
        with self._lock:
            self._notes.append(note)

    def next(self) -> Item | Own | None:
        """The next one, if there is any now. The caller follows an item of the room before it calls this again."""
        if not self._waiting:
            self._waiting.extend(self._room.take(0) if self._room.state.closed is None else ())
            self._past_over = self._past_over or (self._past_shown and not self._waiting)
            if self._past_over:
                self._waiting.extend(self._take_notes())
        if not self._waiting:
            return None
        item = self._waiting.popleft()
        if not self._past_over and not isinstance(item, Connected) and not self._is_past(item):
            self._past_over = True
            self._waiting.extendleft([item, *reversed(self._take_notes())])
            return self.next()
        if (
            self._seen is not None
            and not self._past_over
            and isinstance(item, Said)
            and self._is_unseen(item, self._seen)
        ):
            self._waiting.appendleft(item)
            rule, self._seen = NewSince(self._seen.at), None
            return rule
        return item

    def followed(self, item: Item) -> None:
        """This item was applied to the room's state, which may give a note."""
        if isinstance(item, Connected) and not item.again:
            self._past_shown = item.welcome.since >= item.welcome.seq or was_inside(item)
            greeting = [] if self._hosting else [Note(greeting_text(item, self._room.state.roster))]
            if topic := self._room.state.topic:
                greeting.append(Note(f"Topic: {topic}"))
            with self._lock:
                self._notes[:0] = greeting
        elif isinstance(item, Disconnected) and item.closed and self._room.continues_here:
            self.add(Note(continues_text(self._room.state.title)))
        elif isinstance(item, Event) and item.seq >= self._room.state.border:
            self._past_shown = True
            if isinstance(item, Moved) and self._room.owned and lost_by(item, self._room.state.nick):
                self.add(Note(TAKEBACK))

    def _is_past(self, item: Item | Own) -> bool:
        return isinstance(item, Event) and self._room.state.is_past(item)

    def _is_unseen(self, said: Said, seen: Event) -> bool:
        """Whether somebody else said this after we were here last, and before we came."""
        return said.seq > seen.seq and said.by != self._room.state.me and self._is_past(said)

    def _take_notes(self) -> list[Own]:
        with self._lock:
            notes, self._notes = self._notes, []
        return notes
