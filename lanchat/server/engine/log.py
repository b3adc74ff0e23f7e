"""The log of a room whose numbers come from an engine: the room's own file, which follows the engine's log.

The file gets everything that this host delivers. The past, searches and old resends are read from it, and an ack says
that a message is on both disks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.messages import Record
from lanchat.protocol.places import Rules, read_rules, write_rules
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.server.engine.catch_up import CatchUp, pages, past_entries, state_of
from lanchat.server.engine.entries import hosted_by, record_of
from lanchat.server.engine.shared_log import Entered, Position, SharedLog
from lanchat.storage.log import OnStored, OnTrouble, Opened, ignore
from lanchat.storage.moving import ENGINE
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.retention import EVERYTHING, Retention
from lanchat.storage.sqlite_log import SqliteLog

_READ = 200  # entries of the stream at once; each holds 16 KiB of events, or a little more
_FILL = 100_000  # events of its past that a room gives to the engine, from which the other hosts get them


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
        self._caught_up = 0  # records that `open` took over from the engine

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
        """Enter the room at the engine, and take over everything that the file lacks.

        Raises:
            LanchatError: the engine cannot be used.
        """
        known = opened.state.get(ENGINE) == b"1" and not self._restore
        rules = self._rules(opened)
        is_empty = not opened.past and not known
        entered = self.entered = self.shared.enter(opened.seq, known=known, state=state_of(opened, rules))
        if entered.is_new:
            self._fill(opened)
        if opened.seq < entered.base and not is_empty:
            what = f"{self.shared.name} has dropped messages of this room that this computer never had."
            raise LanchatError(what, "Host the room where it was hosted last, or use the latest copy of LANCHAT_HOME.")
        noted = self._follow(rules.admitting(dict(entered.state.bans), entered.state.locked))
        caught_up = CatchUp(opened, entered)
        after = Position(max(opened.seq, entered.base) if is_empty else opened.seq)
        try:
            if is_empty:
                caught_up.take_private(self.shared.private())
            while after < entered.position and (page := self.shared.read(after, _READ)):
                for entry in page:
                    if entry.position > entered.position:
                        break  # the hub reads on from there
                    caught_up.take(hosted_by(record_of(entry, after), self.shared.host))
                    after = entry.position
                else:
                    continue
                break
        except ProtocolError as error:
            what = f"{self.shared.name} gives out what cannot be an entry of this room. {error}"
            raise LanchatError(what) from None
        self._caught_up = super().append(caught_up.records) if caught_up.records else 0
        return replace(caught_up.opened, state={**opened.state, **noted})

    def _fill(self, opened: Opened) -> None:
        """Give the engine the past of the room, so that other hosts have it as well."""
        events = self._reader.events(number=_FILL) if opened.past else iter(())
        base = -1
        for entries in pages(past_entries(events, opened)):
            base = entries[0].position.seq - 1 if base < 0 else base
            self.shared.fill(entries, opened.seq, base)
        assert self.entered is not None
        if base >= 0:
            self.entered = replace(self.entered, position=entries[-1].position)

    def _rules(self, opened: Opened) -> Rules:
        """The access rules and settings that this computer knows."""
        try:
            return read_rules(opened.state["rules"].decode())
        except (KeyError, UnicodeDecodeError, ProtocolError):
            return self._given
