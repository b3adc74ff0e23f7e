"""Reads the events that were removed from a copy of a room, because the room goes on without them."""

from contextlib import closing
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Event
from lanchat.storage.migrations import WITH_STATE
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.readonly import ReadOnlyFile
from lanchat.storage.schema import COLUMNS, event_of


def set_aside_in(path: Path) -> list[Event]:
    """The events in the log at this path that were set aside, oldest first. Damaged ones are left out.

    Raises:
        LanchatError: the log cannot be read.
    """
    try:
        with closing(ReadOnlyFile(path).connect()) as db:
            [version] = db.execute("PRAGMA user_version").fetchone()
            if version < WITH_STATE:
                return []
            rows = db.execute(f"SELECT {COLUMNS} FROM set_aside ORDER BY seq")
            return [event for row in rows if (event := event_of(row)) is not None]
    except (*FAILURES, OSError) as error:
        raise LanchatError(f"Cannot read {path}: {in_words(error)}.") from None
