"""The hub of a room whose numbers come from an engine.

What the room decides is proposed to the engine, and happens here when it comes back: so everybody hears it in the one
order, and nobody hears what is not on the engine's disk. What depends on who is here, or changes it, waits until all
that was decided before has come back.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from lanchat.protocol import messages as wire
from lanchat.protocol.file_messages import FileChange, FileCommand, FileEvent, FilePrivate
from lanchat.room.files import FileWhole
from lanchat.room.room import Room
from lanchat.server.batch import Batch
from lanchat.server.engine.held import Held
from lanchat.server.engine.items import Answered, Ended, Fed, Paused
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.pipeline import Pipeline
from lanchat.server.engine.proposals import MOST, Proposals, Waiting
from lanchat.server.engine.sessions import EngineSessions
from lanchat.server.engine.shared_log import Position
from lanchat.server.hub import Hub
from lanchat.server.session import (
    CloseRoom,
    EngineItem,
    Item,
    JoinRequest,
    LogTrouble,
    Received,
    Session,
    Stop,
    Stored,
)

_LAST = 2.0  # s that a room that closes waits for what is on its way
_STEP = 0.05  # s between two looks at that
_AT_ONCE = EngineItem | Stored | LogTrouble  # what waits for nothing
_EVEN_PAUSED = JoinRequest | CloseRoom  # and what does not wait for an engine that is away
_TOO_MUCH = "too much waits for the room's log"
_BY_RULES = wire.Rename | wire.Moderate | FileCommand  # what is decided by the rules, or changes them

PAUSED = wire.Notice("paused", "The room is paused: its log does not answer. What you type is kept and goes out later.")
UNSENT = wire.Notice("unsent", f"Not sent: {_TOO_MUCH} at the host. Try again later.")
RESUMED = wire.Notice("resumed", "The room goes on.")


class EngineHub(Hub):
    """Owned as a `Hub` is.

    Args:
        log: opened.
        say: called with a sentence for the person who hosts the room; never waits.
    """

    def __init__(
        self, room: Room, log: EngineLog, *arguments: Any, say: Callable[[str], None] = lambda text: None
    ) -> None:
        super().__init__(room, log, *arguments)
        entered = log.entered
        assert entered is not None
        self._read = max(entered.position, Position(room.seq))  # the place of the last entry that has come back
        self._proposals = Proposals(entered.lease)
        self._pipeline = Pipeline(log, self._read, log.timing)
        self._held = Held()  # what waits for what is on its way
        self.sessions = self._guests = EngineSessions(room, self._acks, self._proposals, self._held)
        self._say, self._name = say, log.shared.name
        self._stop_at: float | None = None

    def start(self) -> None:
        super().start()
        self._pipeline.start(self.inbox)

    def stop(self) -> None:
        super().stop()
        self._pipeline.close()

    def run_batch(self) -> bool:
        items = self.inbox.take(self.sessions.pause if self._stop_at is None else _STEP)
        batch = Batch(self._now())
        self._room.unavailable = self._unavailable
        for item in items:
            if isinstance(item, Stop):
                self._stop_at = time.monotonic() + _LAST
            elif isinstance(item, _AT_ONCE) or (self._guests.paused and isinstance(item, _EVEN_PAUSED)):
                self._handle(item, batch)
            else:
                self._held.add(self._alive(item, batch))
        while self._held and not self._must_wait(self._held.first):
            self._handle(self._held.take(), batch)
        for surplus in self._held.surplus():
            if surplus.session.member is not None:
                self.sessions.tell(surplus.session, UNSENT, batch)
        if not self._proposals:
            self.sessions.do_what_is_due(batch)
            for removed in self._files.due(batch.now):
                self._publish_file(removed, batch)
        self._pipeline.propose(self._proposals.call())
        self._append(batch)
        batch.deliver(self.sessions)
        if batch.records:
            self._room_log.commit()
        self.sessions.say_goodbye()
        return self._stop_at is None or (self._is_awaited and time.monotonic() < self._stop_at)

    @property
    def _is_awaited(self) -> bool:
        """Whether something is on its way and will come back soon."""
        return not self._guests.paused and bool(self._proposals or self._held)

    @property
    def _unavailable(self) -> str:
        if self._proposals.full:
            return _TOO_MUCH
        return self._acks.trouble if self._room_log.full else ""

    def _must_wait(self, item: Item) -> bool:
        match item:
            case JoinRequest() | FileWhole() | CloseRoom():
                return bool(self._proposals)
            case Received(messages=[first, *_]) if isinstance(first, _BY_RULES):
                return bool(self._proposals)
        return self._proposals.rules_wait

    def _alive(self, item: Item, batch: Batch) -> Item:
        """Answer at once who asks whether we are there. Gives the item without that."""
        if not isinstance(item, Received) or not any(isinstance(message, wire.Ping) for message in item.messages):
            return item
        if item.session.member is not None:
            self.sessions.tell(item.session, wire.Pong(), batch)
        left: list[wire.FromMember] = [message for message in item.messages if not isinstance(message, wire.Ping)]
        return Received(item.session, left, item.said_before)

    def _handle(self, item: Item, batch: Batch) -> None:
        match item:
            case Fed(records):
                for position, key, record in records:
                    self._read = position
                    if not isinstance(record, wire.Private):
                        self._happen(record, self._proposals.fed(key), batch)
            case Answered(positions):
                self._pipeline.look_up(self._proposals.answered(positions, self._read))
            case Paused(why):
                self._pause(why, batch)
            case Ended(error):
                self._say(f"{error} {error.hint}".rstrip())
                self._guests.paused = True
                self.sessions.closing = wire.Closing("closed", str(error))
            case _:
                super()._handle(item, batch)

    def _happen(self, event: wire.Event, waiting: Waiting | None, batch: Batch) -> None:
        """Make this happen, now that it has come back.

        Args:
            waiting: what was proposed; None: it is not from here.
        """
        if waiting is not None and waiting.request is not None and isinstance(event, wire.Joined):
            self._guests.let_in(waiting.request, event, batch)
            return
        asked = [] if waiting is None else [session for session in waiting.sessions if session.member is not None]
        self.sessions.happen(event, batch, asked[0] if asked else None)
        for other in asked[1:]:
            self._acks.wait(other, event.seq, event.seq)
        if isinstance(event, FileEvent):
            self._files.published(event, self._appended + len(batch.records))

    def _receive(self, session: Session, messages: Iterable[wire.FromMember], batch: Batch) -> None:
        left = list(messages)
        while left:
            item = Received(session, left)
            if self._must_wait(item):
                self._held.put_back(item)
                return
            super()._receive(session, left[:1], batch)
            left = left[1:]

    def _publish_file(self, draft: FileChange, batch: Batch, session: Session | None = None) -> None:
        if isinstance(draft, FilePrivate):
            super()._publish_file(draft, batch, session)
        else:
            self.sessions.publish(draft, batch, session)

    def _pause(self, why: str, batch: Batch) -> None:
        """Tell everybody that the engine takes nothing now, or that it does again."""
        self._guests.paused = bool(why)
        if why:
            self._say(f"{why} Messages wait here, at most {MOST:,} lines of them.")
            for item in self._held.take_all():
                if isinstance(item, _EVEN_PAUSED):
                    self._handle(item, batch)
                else:
                    self._held.add(item)
        else:
            lines = self._proposals.lines + self._held.lines
            went = f"; {lines:,} waiting messages have gone out" if lines > 1 else ""
            self._say(f"{self._name} answers again{went or ('; one waiting message has gone out' if lines else '')}.")
        self.sessions.tell_all([(session, PAUSED if why else RESUMED) for session in self.sessions], batch)
