"""The one thread that owns a room and its log: inbox -> room -> links.

Everything that waits in the inbox becomes one batch. The bytes of a batch are made once for each dialect, and each link
gets one send for the whole batch, however much happened in it: waking a thread or calling the kernel for each delivery
is what makes a chat server slow (measured: 6-9 us a send, in any language).
"""

import threading
from collections.abc import Callable
from typing import assert_never

from lanchat.protocol import messages as wire
from lanchat.room.files import FileWhole
from lanchat.room.room import Room
from lanchat.server.batch import Batch
from lanchat.server.commands import Commands
from lanchat.server.files import HostFiles
from lanchat.server.items import (
    Asked,
    CloseRoom,
    EngineItem,
    HandOver,
    Item,
    JoinRequest,
    LaterTerm,
    LinkEnded,
    LogStored,
    LogTrouble,
    Named,
    Received,
    Stop,
    WebChanged,
    YieldTo,
)
from lanchat.server.replication import DiskPosition
from lanchat.server.standbys import Standbys
from lanchat.storage.log import Log
from lanchat.threads import Inbox, join_started


class Hub(Commands):
    """Runs a room. `inbox` and the methods that say so are for any thread, everything else is for the hub thread.

    Args:
        now: returns ms since 1970.
        save_access: stores the bans (nick by banned member id) and whether newcomers are kept out; never waits.
        files: None: the room takes no files.
        private: the number of the last private message in the log.
    """

    def __init__(
        self,
        room: Room,
        log: Log,
        now: Callable[[], int],
        save_access: Callable[[dict[str, str], bool], None] = lambda bans, locked: None,
        files: HostFiles | None = None,
        private: int = 0,
    ) -> None:
        super().__init__(room, save_access, files or HostFiles(room.files, None), private)
        self.inbox: Inbox[Item] = Inbox()
        self._room_log = log
        self._now = now
        self._saved = self._acknowledged = DiskPosition(room.seq, private)
        self._batch: Batch | None = None  # the last one, while most sessions wait for it
        self._thread = threading.Thread(target=self._run, name="hub")

    @property
    def people(self) -> int:
        """The number of members in the room. Any thread."""
        return self._room.people

    def let_move(self, standbys: Standbys) -> None:
        """Let the room move from now on. To be called before `start`."""
        self.standbys, self.sessions.gone = standbys, standbys.gone

    def begin(self, first: wire.Event) -> None:
        """Make an event happen before all others. To be called before `start`, after the log was started."""
        batch = Batch(self._now())
        self.sessions.publish(first, batch)
        self._append(batch)
        self._room_log.commit()

    def start(self) -> None:
        self._thread.start()

    def stored(self, ticket: int, seq: int) -> None:
        """The log has stored every record up to this ticket, and every event up to this seq. Any thread."""
        self.inbox.put_now(LogStored(ticket, seq))

    def troubled(self, text: str) -> None:
        """The log stores nothing now, for this reason; "": it stores again. Any thread."""
        self.inbox.put_now(LogTrouble(text))

    def run_batch(self) -> bool:
        """Handle everything in the inbox as one batch; wait for a first item. Returns whether the hub goes on."""
        standbys, goes_on = self.standbys, True
        pauses = (self.sessions.pause, standbys.pause if standbys is not None else None)
        items = self.inbox.take(min((pause for pause in pauses if pause is not None), default=None))
        batch = Batch(self._now()) if self._batch is None else self._batch.go_on(self._now())
        self._room.unavailable = self._acks.trouble if self._room_log.full else ""
        for item in items if standbys is None else standbys.admit(items):
            if isinstance(item, Stop):
                goes_on = False
            else:
                self._handle(item, batch)
        if standbys is None or not standbys.holds_back:
            self.sessions.do_what_is_due(batch)
            for removed in self._files.due(batch.now):
                self._publish_file(removed, batch)
        if standbys is not None:
            for held in standbys.end_batch(batch):
                self._handle(held, batch)
            self._acknowledge(standbys.safe, batch)
        self._append(batch)  # first, so that no page of the log lacks what a member has heard already
        self._batch = batch.deliver(self.sessions, waits=goes_on and self.sessions.may_wait(batch))
        if self._batch is None and (batch.records or batch.goes_on):
            self._room_log.commit()
        self.sessions.say_goodbye()
        return goes_on

    def stop(self) -> None:
        """End the thread once it has handled everything in the inbox. Any thread but the hub thread."""
        self.inbox.put_now(Stop())
        join_started(self._thread)
        self.inbox.close()

    def _run(self) -> None:
        while self.run_batch():
            pass

    def _append(self, batch: Batch) -> None:
        if batch.records:
            self._appended = self._room_log.append(batch.records)
            if self._room_log.stores_at_once:
                self._store(LogStored(self._appended, self._room.seq), batch)

    def _acknowledge(self, safe: DiskPosition, batch: Batch) -> None:
        if safe != self._acknowledged:
            self._acknowledged = safe
            self.sessions.send_all(self._acks.store(*safe), batch)

    def _store(self, stored: LogStored, batch: Batch) -> None:
        private = self._saved.private
        while self._tickets and self._tickets[0][0] <= stored.ticket:
            private = self._tickets.popleft()[1]
        self._saved = DiskPosition(max(stored.seq, self._saved.seq), private)
        if self.standbys is None:
            self._acknowledge(self._saved, batch)
        else:
            self.standbys.saved(self._saved)
        self._files.stored(stored.ticket)

    def _handle(self, item: Item, batch: Batch) -> None:
        match item:
            case Received(session, messages, said_before):
                if said_before:
                    self._room.recall(said_before)
                self._receive(session, messages, batch)
            case JoinRequest():
                self.sessions.join(item, batch)
                if self.standbys is not None:
                    self.standbys.came(item, batch)
            case Named() | HandOver() | YieldTo() | LaterTerm() | WebChanged():
                if self.standbys is not None:
                    self.standbys.move(item, batch)
            case Asked():
                self._receive(item.session, self.sessions.answer(item, batch), batch)
            case LinkEnded(session):
                self.sessions.lost(session, batch)
            case LogStored():
                self._store(item, batch)
            case LogTrouble(text):
                hosts = [one for one in self.sessions if one.member is not None and one.member.host]
                self.sessions.send_all(self._acks.set_trouble(text, hosts), batch)
            case FileWhole():
                if (draft := self._room.files.finish(item, batch.now)) is not None:
                    self._publish_file(draft, batch)
            case CloseRoom():
                self.sessions.closing = item.closing  # said after the events of this batch
            case Stop() | EngineItem():
                pass
            case _:
                assert_never(item)
