"""The part of a log for rooms that move: rules, papers, and events that were set aside.

The state is a few values by name. A host writes its rules and papers there, a standby what its host has sent, and a
member how far its history reaches:

rules        as the last `State` has sent them, and `rev`, its revision
owner        the raw public key of the room's owner
delegation   the newest list of standbys, signed
term         the record of the last host, signed
places       where the owner and the standbys are, as the last `Standbys` has said
private      up to this number all private messages are in a copy
count        of the last heartbeat that was stored
instance     of a standby: the 8 random bytes of this copy
engine       1: the numbers of the events come from an engine, see server/engine/log.py
whole        of a standby: its copy has had all of the room, at least once
reached      of a member's history: the last `n` of each term, with no hole before it, as `epoch:n epoch:n`
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.messages import Event
from lanchat.protocol.timeline import MAX_ENTRIES, MAX_N, Timeline, epoch_of, make_seq, n_of
from lanchat.storage.schema import COLUMNS, row_of

ENGINE = "engine"  # the name of that value
EXTENT = ("private", "count", "instance", "whole")  # values that tell how much of the room a copy holds
_ASIDE = f"INSERT OR REPLACE INTO set_aside ({COLUMNS})"


class Moving:
    """The moving part of a `Store`, with the same owner and the same errors.

    Args:
        db: the store's connection.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def state(self) -> dict[str, bytes]:
        """All values, by name."""
        rows = self._db.execute("SELECT name, value FROM state")
        return {name: value for name, value in rows if isinstance(name, str) and isinstance(value, bytes)}

    def set_state(self, values: Mapping[str, bytes]) -> None:
        """Store these values; others stay as they are."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", values.items())

    def goes_on(self, engine: bool, *, whole: bool) -> bool:
        """Whether the last term goes on.

        Args:
            engine: whether an engine gives the numbers from now on. It goes on with those it gave before; without it a
                term begins.
            whole: every number that was given out here is in the log.
        """
        before = self.state().get(ENGINE) == b"1"
        if before and not engine:
            self.set_state({ENGINE: b""})
        return engine if before else whole

    def keep_aside(self, events: Sequence[Event]) -> None:
        """Store events that were set aside in an earlier file of this log."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(f"{_ASIDE} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(row_of, events))

    def private_number(self) -> int:
        """The highest number of a private message; 0: there is none."""
        number: int = self._db.execute("SELECT coalesce(max(number), 0) FROM private").fetchone()[0]
        return number

    def positions(self) -> dict[int, int]:
        """The last `n` of each epoch in the log, with no hole before it."""
        [last] = self._db.execute("SELECT max(seq) FROM event").fetchone()
        if last is None:
            return {}
        question = "SELECT epoch, last FROM timeline WHERE epoch < ? AND last <= ?"
        return {**dict(self._db.execute(question, (epoch_of(last), MAX_N))), epoch_of(last): n_of(last)}

    def end_term(self, begun: int) -> None:
        """A term has begun with this number, in the middle of a log: the one before it is over. Requires a transaction.

        The timeline of a copy, or of a host that begins a term, has it already.
        """
        question = "SELECT max(seq) FROM event WHERE seq < ?"
        [last] = self._db.execute(question, (make_seq(epoch_of(begun), 0),)).fetchone()
        if last is not None:
            self._db.execute("INSERT OR IGNORE INTO timeline VALUES (?, ?)", (epoch_of(last), n_of(last)))

    def follow(self, timeline: Timeline) -> tuple[int, int]:
        """Take over the timeline of a host. Events that it does not cover are set aside.

        Returns:
            The last number that both have, -1 for none; and how many events were set aside.
        """
        after = timeline.common(self.positions())
        first = next((epoch for epoch, _ in timeline.past), timeline.epoch)
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            number = sum(self._set_aside(*span) for span in _spans_beside(timeline, after))
            self._db.execute("DELETE FROM timeline WHERE epoch >= ?", (first if after >= 0 else 0,))
            self._db.executemany("INSERT INTO timeline VALUES (?, ?)", timeline.past)
        return after, number

    def _set_aside(self, after: int, before: int) -> int:
        """Remove the events between these numbers. Requires a transaction. Returns how many there were."""
        copy = f"{_ASIDE} SELECT {COLUMNS} FROM event WHERE seq > ? AND seq < ?"
        self._db.execute(copy, (after, before))
        return self._db.execute("DELETE FROM event WHERE seq > ? AND seq < ?", (after, before)).rowcount


def _spans_beside(timeline: Timeline, after: int) -> Iterator[tuple[int, int]]:
    """The numbers that are not on a timeline, each as the one before the first and the one behind the last.

    Args:
        after: the last number that both have. What comes after it in the same term is not known to be the same.
    """
    yield after, MAX_NUMBER + 1
    if after < 0:
        return
    last = -1 if len(timeline.past) < MAX_ENTRIES else make_seq(timeline.past[0][0], 0)
    for epoch, n in timeline.past:
        yield last, make_seq(epoch, 0)
        last = make_seq(epoch, n)
    yield last, make_seq(timeline.epoch, 0)
