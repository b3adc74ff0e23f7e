"""Makes happen at this host what comes back from the engine: its own proposals, and those of other hosts."""

import logging

from lanchat.protocol import messages as wire
from lanchat.protocol.closings import BANNED, CLOSED, KICKED, closed_by
from lanchat.protocol.engine import Ending
from lanchat.protocol.file_messages import FileEvent, FileOffered, FilePrivate, FileStored
from lanchat.protocol.status import Status
from lanchat.room.members import Member
from lanchat.server.batch import Batch
from lanchat.server.engine.commands import ANOTHER, EngineCommands
from lanchat.server.engine.controls import Here, NotHere, Over, PassOn, RoomOver, Ruled
from lanchat.server.engine.entries import LogRecord, hosted_by, lease_of
from lanchat.server.engine.pipeline import Pipeline
from lanchat.server.engine.proposals import Waiting

_log = logging.getLogger(__name__)


class EngineHappening(EngineCommands):
    """Applies and delivers records. Owned by the hub thread."""

    _pipeline: Pipeline
    _ends: bool

    def _person_of(self, lease: int) -> str:
        """The nick of who hosts by this lease."""
        host = self._pipeline.hosts.get(lease, "")
        return next((member.nick for member in self._room.members if member.id == host), ANOTHER)

    def _lease_over(self) -> None:
        """The lease of a host is over."""

    def _come_back(self, record: LogRecord, key: str, batch: Batch) -> None:
        """Make a record happen. This host has proposed it, or another one."""
        waiting = self._proposals.fed(key)
        if isinstance(record, wire.Said):  # nearly all
            self._hear(record, waiting, batch)
            return
        record = hosted_by(record, self._room.host_id)
        if not isinstance(record, wire.Told):
            self._people.apply(record, lease_of(key))
        match record:
            case wire.Told():
                if waiting is None and self._room.private.take(record):
                    if record.box:
                        self.sessions.send_to(record.to, record, batch)
                    self._store_private(record, batch)
            case Here(by=id, nick=nick):
                if waiting is not None and waiting.request is not None:
                    self._engine_sessions.let_in(waiting.request, self._room.member(id, nick), batch)
            case Ruled():
                self._change_rules(record, batch)
            case Status():
                self._learn(record, batch)
            case FilePrivate():
                if waiting is None:
                    self._learn_of_file(record, lease_of(key), batch)
            case PassOn(to, message):
                if waiting is None:
                    self.sessions.send_to(to, message, batch)
            case NotHere():
                pass
            case RoomOver(ending):
                if waiting is not None:
                    self.sessions.closing = CLOSED
                elif ending is not None and self._is_over(ending):
                    self.sessions.closing, self._ends = closed_by(ending.nick), True
                else:
                    _log.warning("a host has closed the room that is not the owner's")
            case Over():
                self._lease_over()
            case _:
                self._happen(record, waiting, lease_of(key), batch)
        if waiting is not None:
            self._follow_up(waiting, batch)

    def _is_over(self, ending: Ending) -> bool:
        beside = self.sessions.beside
        return beside is not None and beside.papers.are_ended_by(ending, self._room.id)

    def _hear(self, said: wire.Said, waiting: Waiting | None, batch: Batch) -> None:
        """Somebody has said this, here or at another host."""
        asked = [] if waiting is None else [session for session in waiting.sessions if session.member is not None]
        self.sessions.happen(said, batch, asked[0] if asked else None)
        for other in asked[1:]:
            self._acks.wait(other, said.seq, said.seq)

    def _change_rules(self, ruled: Ruled, batch: Batch) -> None:
        access = self._room.access
        bans = {id: nick for id, nick in access.bans.items() if id not in ruled.unbanned}
        access.change({**bans, **ruled.banned}, ruled.locked)
        self._save_access(dict(access.bans), access.locked)
        closing = BANNED if ruled.code == BANNED.code else KICKED
        for id, nick in ruled.sent_away:
            self._files.end(id)
            for session in [session for session in self.sessions if _is(session.member, id, nick)]:
                self.sessions.dismiss(session, closing, batch)

    def _learn(self, status: Status, batch: Batch) -> None:
        member = self._room.members.get(status.by, status.nick)
        if member is not None and member.status != status:
            member.away, member.bot = status.away, status.bot
            self._engine_sessions.show(status, batch)

    def _learn_of_file(self, told: FilePrivate, lease: int, batch: Batch) -> None:
        """A file for one person has another state, by the host with this lease."""
        if told.state != "removed":
            self._room.files.elsewhere[told.file] = self._person_of(lease)
        self.sessions.publish_private(told, batch)
        self._files.published(told, self._appended + len(batch.records))

    def _happen(self, event: wire.Event, waiting: Waiting | None, lease: int, batch: Batch) -> None:
        """Make an event happen.

        Args:
            waiting: what was proposed; None: it is not from here.
            lease: of the host that has proposed it, if it is of a kind that says so.
        """
        if waiting is not None and waiting.request is not None and isinstance(event, wire.Joined):
            self._engine_sessions.let_in(waiting.request, event, batch)
            return
        if isinstance(event, FileOffered | FileStored) and waiting is None:
            self._room.files.elsewhere[event.file] = self._person_of(lease)
        elif isinstance(event, FileStored):  # its sender may have begun at a host that is gone
            self._room.files.elsewhere.pop(event.file, None)
        sessions = [] if waiting is None else [session for session in waiting.sessions if session.member is not None]
        self.sessions.happen(event, batch, sessions[0] if sessions else None)
        if isinstance(event, FileEvent):
            self._files.published(event, self._appended + len(batch.records))


def _is(member: Member | None, id: str, nick: str) -> bool:
    return member is not None and (member.id, member.nick) == (id, nick)
