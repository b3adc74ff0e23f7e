"""The table of files for one person in the file of a log: the last state of each, as the two were told."""

import sqlite3
from collections.abc import Iterable, Sequence

from lanchat.protocol.file_messages import FilePrivate
from lanchat.protocol.framing import message_of
from lanchat.protocol.messages import Got

FILE_COLUMNS = "id, at, by, nick, whom, whom_nick, file, size, sha256, box, copy, shown"
_ADD = (
    f"INSERT INTO private_file ({FILE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (by, id) DO UPDATE SET sha256 = excluded.sha256, shown = max(shown, excluded.shown)"
    " WHERE file = excluded.file"
)


def file_of(row: Sequence[object]) -> FilePrivate | None:
    """The file in a row with the values of FILE_COLUMNS. None: as for `schema.event_of`."""
    names = ("id", "at", "by", "nick", "to", "to_nick", "file", "size", "sha256", "box", "copy", "seen")
    fields = dict(zip(names, row, strict=True))
    if not (isinstance(fields["box"], bytes) and isinstance(fields["copy"], bytes)):
        return None
    state = "stored" if fields["sha256"] else "offered"
    return message_of(FilePrivate, {**fields, "seen": bool(fields["seen"]), "state": state})


def stored_files(db: sqlite3.Connection) -> tuple[FilePrivate, ...]:
    """All files that can be read, oldest first."""
    rows = db.execute(f"SELECT {FILE_COLUMNS} FROM private_file ORDER BY number")
    return tuple(file for row in rows if (file := file_of(row)))


def add_files(db: sqlite3.Connection, records: Iterable[FilePrivate | Got]) -> None:
    """Store the last state of files. One that was removed is deleted, and what a `Got` is about is marked as shown.

    Requires a transaction.
    """
    for record in records:
        match record:
            case Got(by=by, id=id):
                for table in ("private", "private_file"):
                    db.execute(f"UPDATE {table} SET shown = 1 WHERE by = ? AND id = ?", (by, id))
            case FilePrivate(state="removed", by=by, id=id, file=file):
                db.execute("DELETE FROM private_file WHERE by = ? AND id = ? AND file = ?", (by, id, file))
            case FilePrivate(by=by, id=id, file=file):
                who = id, record.at, by, record.nick, record.to, record.to_nick
                db.execute(_ADD, (*who, file, record.size, record.sha256, record.box, record.copy, record.seen))
