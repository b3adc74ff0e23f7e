"""Carries out the messages of a member who is in the room: the room decides, and the hub does what it decided."""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import assert_never, cast

from lanchat.protocol import messages as wire
from lanchat.protocol.file_messages import FileChange, FileOffered, FilePrivate, FileRemoved, FileStored, Transfer
from lanchat.protocol.password import Confirm
from lanchat.protocol.standby import StandbyMessage
from lanchat.protocol.topic import Topic
from lanchat.room.effects import (
    Announce,
    Close,
    Effect,
    Kick,
    OpenTicket,
    Repeated,
    Reply,
    SaveAccess,
    SendTo,
    Store,
    StoreFile,
)
from lanchat.room.members import Member
from lanchat.room.room import Room
from lanchat.server.acks import Acks
from lanchat.server.batch import Batch
from lanchat.server.files import HostFiles
from lanchat.server.hosting_commands import ACTIONS, answer_hosting_command
from lanchat.server.replication import with_number
from lanchat.server.session import Session
from lanchat.server.sessions import Sessions
from lanchat.server.standbys import Standbys


class Commands:
    """Carries out what members ask for. Owned by the hub thread; for the arguments see `Hub`."""

    def __init__(
        self, room: Room, save_access: Callable[[dict[str, str], bool], None], files: HostFiles, private: int
    ) -> None:
        self._room = room
        self._save_access = save_access
        self._files = files
        self._appended = 0  # the ticket of the last record that was given to the log
        self._private = private  # the number of the last private message
        self._tickets: deque[tuple[int, int]] = deque()  # of private messages not yet on the disk: ticket, number
        self._acks = Acks(room.seq)
        self.sessions = Sessions(room, self._acks)
        self.standbys: Standbys | None = None  # None: the room cannot move

    def _receive(self, session: Session, messages: Iterable[wire.FromMember], batch: Batch) -> None:
        for kind, run in groupby(messages, type):
            if kind is wire.Say:  # nearly all
                self.sessions.hear(session, cast("Iterable[wire.Say]", run), batch)
            else:
                self._receive_others(session, run, batch)

    def _receive_others(self, session: Session, messages: Iterable[wire.FromMember], batch: Batch) -> None:
        for message in messages:
            if (member := session.member) is None:
                return  # the session has ended earlier in this batch
            match message:
                case wire.Ping():
                    self.sessions.send(session, wire.Pong(), batch)
                case wire.Deaf():
                    session.deaf = True
                case wire.Pong():
                    pass
                case StandbyMessage():
                    if self.standbys is not None:
                        self.standbys.receive(session, message, batch)
                case wire.Hello() | Confirm() | Transfer():
                    self.sessions.send(session, wire.Notice("rules", "You are in the room already."), batch)
                case wire.Moderate(action=action) if action in ACTIONS:
                    answer = answer_hosting_command(self.standbys, self.sessions.beside, session, member, message)
                    if answer is not None:
                        self.sessions.send(session, answer, batch)
                case wire.Fetch():
                    words = "Events can be fetched only after the welcome."
                    self.sessions.send(session, wire.Notice("rules", words), batch)
                case _:  # another command
                    self._carry_out(session, member, message, batch)

    def _carry_out(self, session: Session, member: Member, command: wire.Command, batch: Batch) -> None:
        for decision in self._room.decide(member, command, batch.now):
            match decision:
                case wire.Said() | wire.Renamed() | wire.Joined() | wire.Left() | wire.Moved() | Topic():
                    self.sessions.publish(decision, batch, session)
                case FileOffered() | FileStored() | FileRemoved() | FilePrivate():
                    self._publish_file(decision, batch, session)
                case Repeated(said):
                    self.sessions.repeat(said, batch, session)
                case _:
                    self._effect(session, decision, batch)

    def _publish_file(self, draft: FileChange, batch: Batch, session: Session | None = None) -> None:
        if isinstance(draft, FilePrivate):
            self.sessions.publish_private(draft, batch)
        else:
            self.sessions.publish(draft, batch, session)
        self._files.published(draft, self._appended + len(batch.records))

    def _effect(self, session: Session, effect: Effect, batch: Batch) -> None:
        match effect:
            case Reply(message):
                self.sessions.send(session, message, batch)
            case SendTo(to, message):
                self.sessions.send_to(to, message, batch)
            case Store(told, receipt):
                self._store_private(told, batch)
                if receipt is not None:
                    self._acks.wait_for_receipt(session, self._private, receipt)
                    if self._acks.trouble:
                        self.sessions.send_all(self._acks.warn([session]), batch)
            case StoreFile(file):
                batch.records.append(file)
            case Announce(status):
                self.sessions.announce(status, batch)
            case Close():
                session.link.finish()
                self.sessions.leave(session, batch)
            case OpenTicket():
                if session.member is not None:
                    self.sessions.send(session, self._files.ticket(session.member.id, effect), batch)
            case Kick(member, closing):
                self._files.end(member.id)
                for other in [session for session in self.sessions if session.member is member]:
                    self.sessions.dismiss(other, closing, batch)
            case SaveAccess(bans, locked):
                self._room.access.change(bans, locked)
                self._save_access(bans, locked)
                if self.standbys is not None:
                    self.standbys.change_rules(batch)
            case _:
                assert_never(effect)

    def _store_private(self, told: wire.Told, batch: Batch) -> None:
        """Give the log this state of a private message to store."""
        self._private += 1
        numbered = with_number(told, self._private)
        batch.records.append(numbered)
        self._tickets.append((self._appended + len(batch.records), self._private))
        if self.standbys is not None:
            self.standbys.carry(numbered, batch)
