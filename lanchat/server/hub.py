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
from lanchat.room.effects import Admitted, Answer, Deliver, DropOldest, Effect, Expel, Hand, KeepBans, Part, Post
from lanchat.room.room import Room
from lanchat.server.batch import Turn
from lanchat.server.session import Arrived, Gone, Goodbye, Heard, Item, Posted, Recalled, Saved, Seat, Stop, Trouble
from lanchat.storage.log import Log
from lanchat.threads import Inbox, join_started

_log = logging.getLogger(__name__)


class Hub:
    """Whoever makes it starts and stops it. `inbox` is for any thread, the rest for the hub thread alone.

    Args:
        now: ms since 1970.
        keep_bans: takes nick by banned member id, to be there at the next start; never waits.
    """

    def __init__(
        self,
        room: Room,
        log: Log,
        now: Callable[[], int],
        keep_bans: Callable[[dict[str, str]], None] = lambda bans: None,
    ) -> None:
        self.inbox: Inbox[Item] = Inbox()
        self._room = room
        self._record = log
        self._now = now
        self._keep_bans = keep_bans
        self._seats: dict[Seat, None] = {}  # a set that keeps its order
        self._unacked: dict[Seat, tuple[int, int]] = {}  # first and last seq a seat has said and waits for an Ack of
        self._posted = 0  # private messages given to the log
        self._receipts: deque[tuple[int, Seat, Receipt]] = deque()  # who waits for the log to have that many of them
        self._trouble = ""  # why the log keeps nothing now
        self._warned: set[Seat] = set()  # they were told that what they say is not saved
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
        self.inbox.put_now(Trouble(text))

    def stop(self) -> None:
        """End the thread after all that is in the inbox. Not for the hub thread."""
        self.inbox.put_now(Stop())
        join_started(self._thread)
        self.inbox.close()

    def _run(self) -> None:
        running = True
        while running:
            items = self.inbox.take()
            turn = Turn(self._now())
            for item in items:
                if isinstance(item, Stop):
                    running = False
                else:
                    self._handle(item, turn)
            turn.deliver(self._seats)
            if self._closing:
                self._say_goodbye()
            if turn.events:
                self._record.append(turn.events)
            if turn.mail:
                self._posted += len(turn.mail)
                self._record.post(turn.mail, self.posted)

    def _handle(self, item: Arrived | Heard | Recalled | Gone | Saved | Posted | Trouble | Goodbye, turn: Turn) -> None:
        match item:
            case Heard(seat, messages):
                for message in messages:
                    if seat.member is None:
                        break  # it has left in this very batch
                    if isinstance(message, Deaf):
                        seat.deaf = True
                        continue
                    if isinstance(message, Say) and self._record.full:
                        turn.tell(seat, seat.door.encode(Notice("unsaid", f"not said: {self._trouble}; try later")))
                        continue
                    if isinstance(message, Tell) and self._record.full:
                        refusal = Receipt(message.id, "refused", f"not sent: {self._trouble}; try later")
                        turn.tell(seat, seat.door.encode(refusal))
                        continue
                    self._apply(seat, self._room.handle(seat.member, message, turn.now), turn)
            case Recalled(said):
                self._room.recall(said)
            case Arrived():
                self._arrive(item, turn)
            case Gone(seat):
                self._leave(seat, seat.link.reason, turn)
            case Saved(seq):
                self._acknowledge(seq, turn)
            case Posted(number):
                while self._receipts and self._receipts[0][0] <= number:
                    _, seat, receipt = self._receipts.popleft()
                    turn.tell(seat, seat.door.encode(receipt))
            case Trouble(text):
                self._trouble = text
                for seat in list(self._unacked if text else self._warned):
                    self._warn(seat, turn)
            case Goodbye(reason):
                self._closing = reason  # they are told after what was said before
            case _:
                assert_never(item)

    def _arrive(self, item: Arrived, turn: Turn) -> None:
        seat, door = item.seat, item.seat.door
        if self._closing:
            seat.link.finish(door.encode(Closing("closed", self._closing)))
            return
        outcome = self._room.admit(item.id, item.nick, item.after, turn.now)
        if isinstance(outcome, Refused) and item.any_nick and outcome.suggestion:
            seat.link.send(door.encode(Notice("nick", f"{item.nick} is taken, you are {outcome.suggestion}")))
            outcome = self._room.admit(item.id, outcome.suggestion, item.after, turn.now)
        match outcome:
            case Refused():
                _log.info("refused a member: %s", outcome.code)
                seat.link.finish(door.encode(outcome))
            case Admitted():
                seat.member = outcome.member
                self._seats[seat] = None
                turn.aside(seat).start = len(turn.events)
                told: list[FromHost] = [outcome.welcome]
                if door.remembers:
                    told += [*outcome.present, *outcome.past, *outcome.mail]
                turn.tell(seat, b"".join(map(door.encode, told)))
                self._apply(seat, list(outcome.effects), turn)
                _log.info("%s joined", outcome.member.id)

    def _leave(self, seat: Seat, reason: str, turn: Turn) -> None:
        if seat.member is None:
            return
        member, seat.member = seat.member, None
        del self._seats[seat]
        self._unacked.pop(seat, None)
        self._warned.discard(seat)
        turn.asides.pop(seat, None)
        self._apply(seat, self._room.leave(member, reason, turn.now), turn)
        _log.info("%s left: %s", member.id, reason)

    def _apply(self, seat: Seat, effects: list[Effect], turn: Turn) -> None:
        for effect in effects:
            match effect:
                case Deliver(event):
                    if not seat.door.echoes and seat.member is not None:
                        turn.aside(seat).skips.add(len(turn.events))
                    turn.events.append(event)
                    if isinstance(event, Said):
                        first, _ = self._unacked.get(seat, (event.seq, 0))
                        self._unacked[seat] = first, event.seq
                        if seat.deaf and seat.door.echoes:
                            turn.tell(seat, seat.door.encode(event))
                        if self._trouble:
                            self._warn(seat, turn)
                case Answer(message):
                    turn.tell(seat, seat.door.encode(message))
                    if isinstance(message, Said):  # a resend: it is kept, or will be
                        first, last = self._unacked.get(seat, (message.seq, message.seq))
                        self._unacked[seat] = min(first, message.seq), max(last, message.seq)
                        self._acknowledge(self._room.saved, turn)
                case Hand(to, message):
                    for other in self._seats:
                        if other.member is not None and other.member.id == to:
                            turn.tell(other, other.door.encode(message))
                case Post(told, receipt):
                    turn.mail.append(told)
                    if receipt is not None:
                        self._receipts.append((self._posted + len(turn.mail), seat, receipt))
                        if self._trouble:
                            self._warn(seat, turn)
                case Part():
                    seat.link.finish()
                    self._leave(seat, "", turn)
                case Expel(member, closing):
                    for other in [seat for seat in self._seats if seat.member is member]:
                        other.link.finish(other.door.encode(closing))
                        self._leave(other, closing.code, turn)
                case DropOldest(member):
                    oldest = next(seat for seat in self._seats if seat.member is member)
                    oldest.link.finish(oldest.door.encode(Closing("replaced", "you have come in once more elsewhere")))
                    self._leave(oldest, "replaced", turn)
                case KeepBans(bans):
                    self._keep_bans(bans)
                case _:
                    assert_never(effect)

    def _warn(self, seat: Seat, turn: Turn) -> None:
        """Tell a sender, once, that the room goes on without its log; and once, that this is over."""
        if self._trouble and seat not in self._warned:
            self._warned.add(seat)
            words = f"what you say is heard but not saved: {self._trouble} at the host"
            turn.tell(seat, seat.door.encode(Notice("unsaved", words)))
        elif not self._trouble:
            self._warned.discard(seat)
            turn.tell(seat, seat.door.encode(Notice("saved", "what you say is saved again")))

    def _acknowledge(self, saved: int, turn: Turn) -> None:
        self._room.saved = max(saved, self._room.saved)
        for seat, (first, last) in list(self._unacked.items()):
            if saved < first:
                continue
            turn.tell(seat, seat.door.encode(Ack(min(saved, last))))
            if saved < last:
                self._unacked[seat] = saved + 1, last
            else:
                del self._unacked[seat]

    def _say_goodbye(self) -> None:
        for seat in self._seats:
            seat.link.finish(seat.door.encode(Closing("closed", self._closing)))
