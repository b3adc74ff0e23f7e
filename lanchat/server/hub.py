"""One thread that owns a room and its log: inbox -> room -> links.

Each turn takes all that waits in the inbox as one batch. The bytes of the batch are made once for each
kind of door, and each link gets one send for the whole turn, whatever happened in it: waking a thread or
calling the kernel for each delivery is what makes a chat server slow (research: 6-9 us a send, in any language).
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import assert_never

from lanchat.protocol.messages import Ack, Closing, Deaf, FromHost, Notice, Receipt, Refused, Said, Say, Tell
from lanchat.room.effects import Admitted, Close, Deliver, DropOldest, Effect, Kick, Reply, SaveAccess, SendTo, Store
from lanchat.room.room import Room
from lanchat.server.batch import Batch
from lanchat.server.session import (
    CloseRoom,
    Item,
    JoinRequest,
    LinkEnded,
    LogTrouble,
    Posted,
    Recalled,
    Received,
    Saved,
    Session,
    Stop,
)
from lanchat.storage.log import Log
from lanchat.threads import Inbox, join_started

_log = logging.getLogger(__name__)


class Hub:
    """Whoever makes it starts and stops it. `inbox` is for any thread, the rest for the hub thread alone.

    Args:
        now: ms since 1970.
        save_access: takes the bans (nick by member id) and whether the room is locked, for the next start; never waits.
    """

    def __init__(
        self,
        room: Room,
        log: Log,
        now: Callable[[], int],
        save_access: Callable[[dict[str, str], bool], None] = lambda bans, locked: None,
    ) -> None:
        self.inbox: Inbox[Item] = Inbox()
        self._room = room
        self._record = log
        self._now = now
        self._save_access = save_access
        self._sessions: dict[Session, None] = {}  # a set that keeps its order
        self._unacked: dict[Session, tuple[int, int]] = {}  # first and last seq a seat has said and waits for an Ack of
        self._posted = 0  # private messages given to the log
        self._receipts: deque[tuple[int, Session, Receipt]] = deque()  # who waits for the log to have that many of them
        self._trouble = ""  # why the log keeps nothing now
        self._warned: set[Session] = set()  # they were told that what they say is not saved
        self._closing = ""
        self._thread = threading.Thread(target=self._run, name="hub")

    @property
    def people(self) -> int:
        """How many are in the room. Any thread."""
        return self._room.people

    def start(self) -> None:
        self._thread.start()

    def saved(self, seq: int) -> None:
        """Everything up to here is kept. Any thread."""
        self.inbox.put_now(Saved(seq))

    def posted(self, number: int) -> None:
        """So many private messages are kept. Any thread."""
        self.inbox.put_now(Posted(number))

    def troubled(self, text: str) -> None:
        """Why nothing is kept now; "" when that is over. Any thread."""
        self.inbox.put_now(LogTrouble(text))

    def stop(self) -> None:
        """End the thread after all that is in the inbox. Not for the hub thread."""
        self.inbox.put_now(Stop())
        join_started(self._thread)
        self.inbox.close()

    def _run(self) -> None:
        running = True
        while running:
            items = self.inbox.take()
            batch = Batch(self._now())
            for item in items:
                if isinstance(item, Stop):
                    running = False
                else:
                    self._handle(item, batch)
            batch.deliver(self._sessions)
            if self._closing:
                self._say_goodbye()
            if batch.events:
                self._record.append(batch.events)
            if batch.private:
                self._posted += len(batch.private)
                self._record.post(batch.private, self.posted)

    def _handle(
        self,
        item: JoinRequest | Received | Recalled | LinkEnded | Saved | Posted | LogTrouble | CloseRoom,
        batch: Batch,
    ) -> None:
        match item:
            case Received(session, messages):
                for message in messages:
                    if session.member is None:
                        break  # it has left in this very batch
                    if isinstance(message, Deaf):
                        session.deaf = True
                        continue
                    if isinstance(message, Say) and self._record.full:
                        batch.tell(
                            session, session.door.encode(Notice("unsaid", f"not said: {self._trouble}; try later"))
                        )
                        continue
                    if isinstance(message, Tell) and self._record.full:
                        refusal = Receipt(message.id, "refused", f"not sent: {self._trouble}; try later")
                        batch.tell(session, session.door.encode(refusal))
                        continue
                    self._apply(session, self._room.handle(session.member, message, batch.now), batch)
            case Recalled(said):
                self._room.recall(said)
            case JoinRequest():
                self._arrive(item, batch)
            case LinkEnded(session):
                self._leave(session, session.link.reason, batch)
            case Saved(seq):
                self._acknowledge(seq, batch)
            case Posted(number):
                while self._receipts and self._receipts[0][0] <= number:
                    _, session, receipt = self._receipts.popleft()
                    batch.tell(session, session.door.encode(receipt))
            case LogTrouble(text):
                self._trouble = text
                for session in list(self._unacked if text else self._warned):
                    self._warn(session, batch)
            case CloseRoom(reason):
                self._closing = reason  # they are told after what was said before
            case _:
                assert_never(item)

    def _arrive(self, item: JoinRequest, batch: Batch) -> None:
        session, door = item.session, item.session.door
        if self._closing:
            session.link.finish(door.encode(Closing("closed", self._closing)))
            return
        outcome = self._room.admit(item.id, item.nick, item.after, batch.now)
        if isinstance(outcome, Refused) and item.any_nick and outcome.suggestion:
            session.link.send(door.encode(Notice("nick", f"{item.nick} is taken, you are {outcome.suggestion}")))
            outcome = self._room.admit(item.id, outcome.suggestion, item.after, batch.now)
        match outcome:
            case Refused():
                _log.info("refused a member: %s", outcome.code)
                session.link.finish(door.encode(outcome))
            case Admitted():
                session.member = outcome.member
                self._sessions[session] = None
                batch.personal_for(session).start = len(batch.events)
                told: list[FromHost] = [outcome.welcome]
                if door.remembers:
                    told += [*outcome.present, *outcome.past, *outcome.private]
                batch.tell(session, b"".join(map(door.encode, told)))
                self._apply(session, list(outcome.effects), batch)
                _log.info("%s joined", outcome.member.id)

    def _leave(self, session: Session, reason: str, batch: Batch) -> None:
        if session.member is None:
            return
        member, session.member = session.member, None
        del self._sessions[session]
        self._unacked.pop(session, None)
        self._warned.discard(session)
        batch.personal.pop(session, None)
        self._apply(session, self._room.leave(member, reason, batch.now), batch)
        _log.info("%s left: %s", member.id, reason)

    def _apply(self, session: Session, effects: list[Effect], batch: Batch) -> None:
        for effect in effects:
            match effect:
                case Deliver(event):
                    if not session.door.echoes and session.member is not None:
                        batch.personal_for(session).skips.add(len(batch.events))
                    batch.events.append(event)
                    if isinstance(event, Said):
                        first, _ = self._unacked.get(session, (event.seq, 0))
                        self._unacked[session] = first, event.seq
                        if session.deaf and session.door.echoes:
                            batch.tell(session, session.door.encode(event))
                        if self._trouble:
                            self._warn(session, batch)
                case Reply(message):
                    batch.tell(session, session.door.encode(message))
                    if isinstance(message, Said):  # a resend: it is kept, or will be
                        first, last = self._unacked.get(session, (message.seq, message.seq))
                        self._unacked[session] = min(first, message.seq), max(last, message.seq)
                        self._acknowledge(self._room.saved, batch)
                case SendTo(to, message):
                    for other in self._sessions:
                        if other.member is not None and other.member.id == to:
                            batch.tell(other, other.door.encode(message))
                case Store(told, receipt):
                    batch.private.append(told)
                    if receipt is not None:
                        self._receipts.append((self._posted + len(batch.private), session, receipt))
                        if self._trouble:
                            self._warn(session, batch)
                case Close():
                    session.link.finish()
                    self._leave(session, "", batch)
                case Kick(member, closing):
                    for other in [session for session in self._sessions if session.member is member]:
                        other.link.finish(other.door.encode(closing))
                        self._leave(other, closing.code, batch)
                case DropOldest(member):
                    oldest = next(session for session in self._sessions if session.member is member)
                    oldest.link.finish(oldest.door.encode(Closing("replaced", "you have come in once more elsewhere")))
                    self._leave(oldest, "replaced", batch)
                case SaveAccess(bans, locked):
                    self._save_access(bans, locked)
                case _:
                    assert_never(effect)

    def _warn(self, session: Session, batch: Batch) -> None:
        """Tell a sender, once, that the room goes on without its log; and once, that this is over."""
        if self._trouble and session not in self._warned:
            self._warned.add(session)
            words = f"what you say is heard but not saved: {self._trouble} at the host"
            batch.tell(session, session.door.encode(Notice("unsaved", words)))
        elif not self._trouble:
            self._warned.discard(session)
            batch.tell(session, session.door.encode(Notice("saved", "what you say is saved again")))

    def _acknowledge(self, saved: int, batch: Batch) -> None:
        self._room.saved = max(saved, self._room.saved)
        for session, (first, last) in list(self._unacked.items()):
            if saved < first:
                continue
            batch.tell(session, session.door.encode(Ack(min(saved, last))))
            if saved < last:
                self._unacked[session] = saved + 1, last
            else:
                del self._unacked[session]

    def _say_goodbye(self) -> None:
        for session in self._sessions:
            session.link.finish(session.door.encode(Closing("closed", self._closing)))
