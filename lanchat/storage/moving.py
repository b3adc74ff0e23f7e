"""The part of a log that only a room which moves has: rules and papers, and events that were set aside.

The state is a few values by name. A host writes its rules and papers there, and a standby what its host has sent:

rules        as the last `State` has sent them, and `rev`, its revision
owner        the raw public key of the room's owner
delegation   the newest list of standbys, signed
term         the record of the last host, signed
places       where the owner and the standbys are, as the last `Standbys` has said
count        of the last heartbeat that was stored
instance     of a standby: the 8 random bytes of this copy
"""

import sqlite3
from collections.abc import Mapping

from lanchat.protocol.timeline import MAX_N, Timeline, epoch_of, n_of
from lanchat.storage.schema import COLUMNS, EVENTS


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

    def follow(self, timeline: Timeline) -> tuple[int, int]:
        """Take over the timeline of a host, and set aside what is not on it.

        Returns:
            The last number that both have, -1 for none; and how many events were set aside.
        """
        after = timeline.common(self.positions())
        first = next((epoch for epoch, _ in timeline.past), timeline.epoch)
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            copy = f"INSERT OR REPLACE INTO set_aside ({COLUMNS}) SELECT {COLUMNS} FROM event WHERE seq > ?"
            number = self._db.execute(copy, (after,)).rowcount
            self._db.execute("DELETE FROM event WHERE seq > ?", (after,))
            self._db.execute("DELETE FROM timeline WHERE epoch >= ?", (first if after >= 0 else 0,))
            self._db.executemany("INSERT INTO timeline VALUES (?, ?)", timeline.past)
        return after, number

    @property
    def size(self) -> int:
        """Bytes that the events and the private messages take, about."""
        size: int = self._db.execute(f"SELECT coalesce(sum({EVENTS.size}), 0) FROM {EVENTS.name}").fetchone()[0]
        return size
