"""The log of a room whose numbers come from an engine: the room's own file, behind the engine's.

The file gets everything that this host delivers. The past, searches and old resends are read from it, and an ack says
that a message is on both disks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.file_messages import FileEvent
from lanchat.protocol.limits import RECENT
from lanchat.protocol.messages import Event, Joined, Record, Renamed, Told
from lanchat.protocol.places import Rules, read_rules, write_rules
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.protocol.topic import Topic
from lanchat.server.engine.entries import hosted_by, record_of
from lanchat.server.engine.shared_log import Entered, Position, SharedLog
from lanchat.server.engine.state import admitting
from lanchat.server.replication import with_number
from lanchat.storage.log import OnStored, OnTrouble, Opened, ignore
from lanchat.storage.moving import ENGINE
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.retention import EVERYTHING, Retention
from lanchat.storage.sqlite_log import SqliteLog

_READ = 1000  # entries at once


class EngineLog(SqliteLog):
    """A `Log` in a file that follows an engine.

    Args:
        restore: begin again at the engine, above everything that this file has.
        bans, locked: the access rules of a room that begins there, if the file has none.
    """

    _engine = True

    def __init__(
        self,
        path: Path,
        shared: SharedLog,
        *,
        restore: bool = False,
        bans: Mapping[str, str] | None = None,
        locked: bool = False,
        keep: Retention = EVERYTHING,
        on_damage: Callable[[str], None] = ignore,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        super().__init__(path, new_term=restore, keep=keep, on_damage=on_damage, timing=timing)
        self._given = Rules(dict(bans or {}), locked)
        self.shared, self.timing, self._restore = shared, timing, restore
        self.entered: Entered | None = None  # from `open` on
        self._caught_up = 0  # records that were taken over before the hub gave the first

    @property
    def stored(self) -> int:
        """Everything up to this seq is in the file. Any thread."""
        return self._stored_seq

    def open(self) -> Opened:
        opened = super().open()
        try:
            return self._catch_up(opened)
        except BaseException:
            self.close()
            raise

    def start(self, on_stored: OnStored, on_trouble: OnTrouble = ignore) -> None:
        super().start(lambda ticket, seq: on_stored(ticket - self._caught_up, seq), on_trouble)

    def append(self, records: Sequence[Record]) -> int:
        return super().append(records) - self._caught_up

    def close(self) -> None:
        super().close()
        self.shared.close()

    def _follow(self, rules: Rules) -> Mapping[str, bytes]:
        """Note that numbers and rules come from an engine now, before any does. Gives what was noted."""
        assert self._store is not None
        noted = {ENGINE: b"1", "rules": write_rules(rules).encode()}
        try:
            self._store.moving.set_state(noted)
        except FAILURES as error:
            raise LanchatError(f"Cannot write {self._path}: {in_words(error)}.") from None
        return noted

    def _catch_up(self, opened: Opened) -> Opened:
        """Enter the room at the engine, and take over what it has and the file lacks.

        Raises:
            LanchatError: the engine cannot be used.
        """
        known = opened.state.get(ENGINE) == b"1" and not self._restore
        rules = self._rules(opened)
        state = admitting(rules.bans, (), locked=rules.locked)
        entered = self.entered = self.shared.enter(opened.seq, known=known, state=state)
        if opened.seq < entered.base:
            what = f"{self.shared.name} has dropped messages of this room that this computer never had."
            raise LanchatError(what, "Host the room where it was hosted last, or use the latest copy of LANCHAT_HOME.")
        noted = self._follow(rules.admitting(dict(entered.state.bans), entered.state.locked))
        tail: list[Event | Told] = []
        private = {(told.by, told.id): told for told in opened.private}
        number = opened.private_number
        after = Position(opened.seq)
        while after < entered.position and (page := self.shared.read(after, _READ)):
            for entry in page:
                if entry.position > entered.position:
                    after = entered.position
                    break
                try:
                    record = hosted_by(record_of(entry, after), self.shared.host)
                except ProtocolError as error:
                    what = f"{self.shared.name} gives out what cannot be an entry of this room. {error}"
                    raise LanchatError(what) from None
                if isinstance(record, Event):
                    tail.append(record)
                elif isinstance(record, Told) and _is_new(record, private.get((record.by, record.id))):
                    number += 1
                    tail.append(with_number(record, number))
                    private.pop((record.by, record.id), None)
                    private[record.by, record.id] = record
                after = entry.position
        self._caught_up = super().append(tail) if tail else 0
        events = [record for record in tail if isinstance(record, Event)]
        owners = [(e.to if isinstance(e, Renamed) else e.nick, e.by) for e in events if isinstance(e, Joined | Renamed)]
        topics = [event.topic for event in events if isinstance(event, Topic)]
        return replace(
            opened,
            past=(*opened.past, *events)[-RECENT:],
            seq=max(entered.position.seq, after.seq),
            owners=(*opened.owners, *owners),
            keys={**opened.keys, **{e.by: e.key for e in events if isinstance(e, Joined) and e.key}},
            files=(*opened.files, *(event for event in events if isinstance(event, FileEvent))),
            topic=topics[-1] if topics else opened.topic,
            private=tuple(private.values()),
            private_number=number,
            state={**opened.state, **noted},
        )

    def _rules(self, opened: Opened) -> Rules:
        """The access rules and settings that this computer knows."""
        try:
            return read_rules(opened.state["rules"].decode())
        except (KeyError, UnicodeDecodeError, ProtocolError):
            return self._given


def _is_new(told: Told, known: Told | None) -> bool:
    """Whether this says more of a private message than is known: it came, or it was delivered or dropped."""
    return known is None or (bool(known.box) and not told.box)
