"""Reads the messages of one member from a log or a copy of it, with those that were set aside there."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from lanchat.protocol.limits import SAID_AGAIN
from lanchat.protocol.messages import Said
from lanchat.storage.migrations import WITH_STATE
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.readonly import ReadOnlyFile
from lanchat.storage.schema import COLUMNS, event_of

_ANY = "SELECT 1 FROM event WHERE seq > ? AND seq < ? LIMIT 1"  # mostly not, and this is found at once
_SAID = (
    f"SELECT {COLUMNS} FROM event WHERE kind = 'said' AND by = ? AND by < '~' AND at >= ? AND seq > ? AND seq < ?"
    " ORDER BY seq DESC"
)
_SET_ASIDE = (  # and not resent since
    f"SELECT {COLUMNS} FROM set_aside WHERE kind = 'said' AND by = ? AND at >= ? AND seq > ? AND seq < ?"
    " AND NOT EXISTS (SELECT 1 FROM event"
    " WHERE event.kind = 'said' AND event.by = set_aside.by AND event.by < '~' AND event.id = set_aside.id)"
    " ORDER BY seq DESC"
)

Gaps = Sequence[tuple[int, int]]  # pairs of numbers, with what is between them left out

_log = logging.getLogger(__name__)


def lines_of(path: Path, by: str, since: int, gaps: Gaps) -> Iterator[Said]:
    """The last SAID_AGAIN lines of this member whose numbers a host lacks, the newest first. Of a log that cannot be
    read there are none.

    Of a long log nearly all numbers are covered, and are not read: everybody waits for this when a room has moved.

    Args:
        since: ms since 1970.
        gaps: the numbers that the host lacks, as `Timeline.gaps` are.
    """
    left = SAID_AGAIN
    try:
        with closing(ReadOnlyFile(path).connect()) as db:
            [version] = db.execute("PRAGMA user_version").fetchone()
            wide = [gap for gap in gaps if db.execute(_ANY, gap).fetchone()]
            asked = [(_SAID, gap) for gap in wide]
            asked += [(_SET_ASIDE, gap) for gap in gaps] if version >= WITH_STATE else []
            for question, gap in asked:
                for row in db.execute(question, (by, since, *gap)):
                    if left and isinstance(row[0], int) and isinstance(said := event_of(row), Said):
                        left -= 1
                        yield said
    except (*FAILURES, OSError) as error:
        _log.warning("cannot read %s: %s", path, in_words(error))
