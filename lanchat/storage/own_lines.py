"""Reads the messages of one member from a log or a copy of it, with those that were set aside there."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from lanchat.protocol.limits import SAID_AGAIN
from lanchat.protocol.messages import Said
from lanchat.storage.migrations import WITH_STATE
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.readonly import ReadOnlyFile
from lanchat.storage.schema import COLUMNS, event_of

_SAID = f"SELECT {COLUMNS} FROM event WHERE kind = 'said' AND by = ? AND by < '~' AND at >= ? ORDER BY seq DESC"
_SET_ASIDE = (  # and not resent since
    f"SELECT {COLUMNS} FROM set_aside WHERE kind = 'said' AND by = ? AND at >= ? AND NOT EXISTS (SELECT 1 FROM event"
    " WHERE event.kind = 'said' AND event.by = set_aside.by AND event.by < '~' AND event.id = set_aside.id)"
    " ORDER BY seq DESC"
)

_log = logging.getLogger(__name__)


def lines_of(path: Path, by: str, since: int, lacks: Callable[[int], bool]) -> Iterator[Said]:
    """The last SAID_AGAIN lines of this member whose numbers a host lacks, the newest first. Of a log that cannot be
    read there are none.

    Args:
        since: ms since 1970.
        lacks: whether the host lacks this number.
    """
    left = SAID_AGAIN
    try:
        with closing(ReadOnlyFile(path).connect()) as db:
            [version] = db.execute("PRAGMA user_version").fetchone()
            for question in (_SAID, _SET_ASIDE)[: 2 if version >= WITH_STATE else 1]:
                for row in db.execute(question, (by, since)):
                    if left and isinstance(row[0], int) and lacks(row[0]) and isinstance(said := event_of(row), Said):
                        left -= 1
                        yield said
    except (*FAILURES, OSError) as error:
        _log.warning("cannot read %s: %s", path, in_words(error))
