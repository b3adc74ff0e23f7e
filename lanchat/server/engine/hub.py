"""The hub of a room whose numbers come from an engine.

What the room decides is proposed to the engine, and happens here when it comes back: so everybody hears it in the one
order, and nobody hears what is not on the engine's disk. What depends on who is here, or changes it, waits until all
that was decided before has come back.
"""

import time
from collections.abc import Callable
from typing import Any

from lanchat.protocol import messages as wire
from lanchat.protocol.closings import ENDED, MOVED
from lanchat.room.room import Room
from lanchat.server.batch import Batch
from lanchat.server.engine.controls import RoomOver
from lanchat.server.engine.entries import changes_rules
from lanchat.server.engine.happening import EngineHappening
from lanchat.server.engine.items import Answered, Ended, EnteredAgain, Fed, Leaving, Outdated, Paused, TooEarly
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.pipeline import Pipeline
from lanchat.server.engine.proposals import MOST, Waiting
from lanchat.server.engine.shared_log import Entered, Fenced, Position
from lanchat.server.items import (
    GOES_ON,
    CloseRoom,
    EngineItem,
    Item,
    JoinRequest,
    LogStored,
    LogTrouble,
    Received,
    Stop,
)

_LAST = 2.0  # s that a closing room waits for proposals that have not come back
_STEP = 0.05  # s between two looks at that
_AT_ONCE = EngineItem | LogStored | LogTrouble  # items that are always handled at once
_EVEN_PAUSED = JoinRequest | CloseRoom  # items that are handled even while the engine does not answer
_STOOD_STILL = "This computer stood still for too long, so its people went on at another host. It hosts the room again."
_TOO_MUCH = "too much waits for the room's log"

PAUSED = wire.Notice(
    "paused",
    "The room is paused: the server that keeps its messages does not answer. What you type is kept and goes out later.",
)
UNSENT = wire.Notice("unsent", f"Not sent: {_TOO_MUCH} at the host. Try again later.")
RESUMED = wire.Notice("resumed", "The room goes on.")


class EngineHub(EngineHappening):
    """Runs a room on an engine. As in a `Hub`, everything but `inbox` is for the hub thread.

    Args:
        log: opened.
        say: called with a sentence for the person who hosts the room; never waits.
        over: called once when this computer hosts the room no more, though nobody has closed its host; never waits.
    """

    def __init__(
        self,
        room: Room,
        log: EngineLog,
        *arguments: Any,
        say: Callable[[str], None] = lambda text: None,
        over: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(room, log, *arguments)
        assert log.entered is not None
        self._read = max(log.entered.position, Position(room.seq))  # the position of the last entry that was read
        self._pipeline = Pipeline(log, self._read, log.timing)
        self._spare = log.timing.ghosts
        self._store_within = log.timing.engine_store
        self._commit_at: float | None = None  # s of the monotonic clock; None: the file has got everything
        self._ghosts_until: float | None = time.monotonic() + self._spare  # until this time ghosts may come back
        self._say, self._over, self._name = say, over, log.shared.name
        self._ends = False  # whether `over` has to be called
        self._stop_at: float | None = None

    def start(self) -> None:
        super().start()
        self._pipeline.start(self.inbox)

    def stop(self) -> None:
        super().stop()
        self._pipeline.close()

    def run_batch(self) -> bool:
        items = self.inbox.take(self._pause_for)
        batch = Batch(self._now())
        self._room.unavailable = self._unavailable
        for item in items:
            if isinstance(item, Stop):
                self._stop_at = time.monotonic() + _LAST
            elif isinstance(item, _AT_ONCE) or (self._engine_sessions.paused and isinstance(item, _EVEN_PAUSED)):
                self._handle(item, batch)
            else:
                self._held.add(self._answer_pings(item, batch))
        for outdated in reversed(self._proposals.outdated()):
            self._again(outdated, batch)
        while self._held and not self._must_wait(self._held.first):
            self._handle(self._held.take(), batch)
        for surplus in self._held.surplus():
            if surplus.session.member is not None:
                self.sessions.send(surplus.session, UNSENT, batch)
        if not self._proposals:
            self.sessions.do_what_is_due(batch)
            for removed in self._files.due(batch.now):
                self._publish_file(removed, batch)
        else:  # a room whose log does not answer stays open
            self.sessions.announce_hosts(batch)
        self._remove_ghosts()
        proposals, rules = self._proposals.call()
        self._pipeline.propose(proposals, self._read, rules)
        self._append(batch)
        batch.deliver(self.sessions)
        self._commit(batch)
        self.sessions.say_goodbye()
        if self._ends:
            self._ends = False
            self._over()
        return self._stop_at is None or (self._is_awaited and time.monotonic() < self._stop_at)

    @property
    def _pause_for(self) -> float | None:
        if self._stop_at is not None:
            return _STEP
        pauses = [pause for pause in (self.sessions.pause, self._ghosts_in, self._commit_in) if pause is not None]
        return min(pauses, default=None)

    @property
    def _ghosts_in(self) -> float | None:
        """Seconds until ghosts are removed; None: there are none, or another host does it."""
        if self._ghosts_until is None or not self._people.is_first:
            return None
        return max(0.0, self._ghosts_until - time.monotonic())

    @property
    def _commit_in(self) -> float | None:
        """Seconds until the file has to get what has happened; None: it has got everything."""
        return None if self._commit_at is None else max(0.0, self._commit_at - time.monotonic())

    def _commit(self, batch: Batch) -> None:
        """Let the file store what has happened: at once, if anybody here waits for that.

        What members of other hosts have said is on the engine's disk, and acknowledged by those. It is stored here with
        what comes a little later, because each commit costs as much as some hundred messages.
        """
        if batch.records and self._commit_at is None:
            self._commit_at = time.monotonic() + self._store_within
        if self._acks.awaited or not all(isinstance(record, wire.Said) for record in batch.records):
            self._commit_at = self._commit_at and 0.0
        if self._commit_in == 0.0:
            self._commit_at = None
            self._room_log.commit()

    @property
    def _is_awaited(self) -> bool:
        """Whether something was proposed and will come back soon."""
        return not self._engine_sessions.paused and bool(self._proposals or self._held)

    @property
    def _unavailable(self) -> str:
        if self._proposals.full:
            return _TOO_MUCH
        return self._acks.trouble if self._room_log.full else ""

    def _answer_pings(self, item: Item, batch: Batch) -> Item:
        """Answer pings at once. Returns the item without them."""
        if not isinstance(item, Received) or not any(isinstance(message, wire.Ping) for message in item.messages):
            return item
        if item.session.member is not None:
            self.sessions.send(item.session, wire.Pong(), batch)
        left: list[wire.FromMember] = [message for message in item.messages if not isinstance(message, wire.Ping)]
        return Received(item.session, left, item.said_before)

    def _handle(self, item: Item, batch: Batch) -> None:
        match item:
            case Fed(records):
                for position, key, record in records:
                    self._read = position
                    if changes_rules(record):
                        self._proposals.rules = position
                    self._come_back(record, key, batch)
            case Answered():
                self._proposals.answered()
            case Outdated():
                self._proposals.refused()
            case TooEarly():
                self._proposals.too_early()
            case Leaving(left):
                if self._has_lost(left.by, left.nick):
                    self._engine_sessions.go(left)
            case Paused(why):
                self._pause(why, batch)
            case EnteredAgain(entered):
                self._begin_again(entered, batch)
            case CloseRoom() if self.sessions.closing is not None:
                pass  # everybody has been told why the room ends here
            case CloseRoom(everywhere=True) if not self._engine_sessions.paused:
                if self.sessions.beside is not None:
                    self._proposals.add(RoomOver(self.sessions.beside.ending))
            case Ended(error):
                self._say(f"{error} {error.hint}".rstrip())
                self._engine_sessions.paused = True
                if isinstance(error, Fenced) and not self._people.is_alone:
                    self.sessions.closing = MOVED
                else:
                    for own in [session for session in self.sessions if session.member and session.member.host]:
                        self.sessions.dismiss(own, ENDED, batch)  # their person has just been told why
                    self.sessions.closing = wire.Closing("closed", str(error))
                self._ends = True
            case _:
                super()._handle(item, batch)

    def _again(self, outdated: Waiting, batch: Batch) -> None:
        """Decide once more, by the new rules, what was refused because another host had changed the rules first."""
        match outdated.cause:
            case None:
                pass
            case Leaving() as leaving:
                self._handle(leaving, batch)
            case cause:
                if isinstance(cause, Received) and cause.session.member is not None:
                    if isinstance(cause.messages[0], wire.Rename):  # it was counted, and will be once more
                        self._room.access.forget_rename(cause.session.member.id)
                self._held.put_back(cause)

    def _begin_again(self, entered: Entered, batch: Batch) -> None:
        """Send everybody to another host, and begin again. Members resend there what was not proposed yet."""
        to = self.sessions.beside.successor if self.sessions.beside is not None else -1
        for session in list(self.sessions):
            self.sessions.dismiss(session, wire.Closing(MOVED.code, GOES_ON, to), batch)
        for dropped in reversed(self._proposals.begin_again(entered.lease)):
            if dropped.request is not None:
                self._held.put_back(dropped.request)
        self._people.enter_again(entered.lease, entered.living)
        self._engine_sessions.came_back = True
        self._pipeline.go_on()
        self._say(_STOOD_STILL)

    def _lease_over(self) -> None:
        self._ghosts_until = time.monotonic() + self._spare

    def _has_lost(self, id: str, nick: str) -> bool:
        """Whether this member has no session here any more and is still in the room by this host or by none."""
        member = self._room.members.get(id, nick)
        lost = self._people.is_here(id, nick) or self._people.is_ghost(id, nick)
        return member is not None and member.sessions == 0 and lost

    def _remove_ghosts(self) -> None:
        """Propose that ghosts leave who have not come back in time. One host does it for all hosts."""
        if self._ghosts_in != 0.0 or self._engine_sessions.paused:
            return
        self._ghosts_until = None
        for member in self._room.members:
            if self._people.is_ghost(member.id, member.nick):
                left = wire.Left(wire.UNNUMBERED, self._now(), member.id, member.nick, "lost")
                self._engine_sessions.go(left)

    def _pause(self, why: str, batch: Batch) -> None:
        """Tell everybody that the engine takes nothing now, or that it takes messages again."""
        self._engine_sessions.paused = bool(why)
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
        self.sessions.send_all([(session, PAUSED if why else RESUMED) for session in self.sessions], batch)
