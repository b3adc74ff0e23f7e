"""Reads parts of a log by number and by time, for clients that go through the history page by page."""

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.messages import Event
from lanchat.storage.reader import LogReader


class PagedReader(LogReader):
    """A `LogReader` that finds any page of its log. Any thread."""

    def events_between(self, after: int, before: int, limit: int, *, last: bool, said: bool) -> list[Event]:
        """The first or last events between these seqs, in order; `said`: only messages."""
        kind, order = (" AND kind = 'said'" if said else ""), ("DESC" if last else "ASC")
        question = f"SELECT {{}} FROM event WHERE seq > ? AND seq < ?{kind} ORDER BY seq {order}"
        found = self._events(question, [after, before], limit)
        return found[::-1] if last else found

    def seq_at(self, at: int) -> int:
        """The least seq from which on events are not before this time; MAX_NUMBER: there is none."""
        with self._open() as (db, _):
            low, last = 0, db.execute("SELECT max(seq) FROM event").fetchone()[0]
            if not isinstance(last, int):  # there is no event
                return MAX_NUMBER
            high = last + 1
            while low < high:
                middle = (low + high) // 2
                question = "SELECT seq, at FROM event WHERE seq >= ? ORDER BY seq LIMIT 1"
                seq, then = db.execute(question, (middle,)).fetchone() or (middle, at)
                if isinstance(then, int) and then < at:
                    low = seq + 1
                else:
                    high = middle
        return MAX_NUMBER if low > last else low
