"""Opens the file of a log for reading, also where nothing can be written: in a backup or a snapshot, say."""

import os
import shutil
import sqlite3
import tempfile
import time
import weakref
from pathlib import Path

from lanchat.storage.problems import tolerant

BUSY_LIMIT = 2.0  # s
CREATED = 0.5  # s for a file without any table to get them: its writer is creating it, unless it is damaged
_LOOK = 0.02  # s between two looks at that
_UNWRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)  # primary codes


class ReadOnlyFile:
    """The file of a log, read by connections of its own. Any thread.

    Reading a log needs a file of shared memory beside it. If there is none and it cannot be made, nobody writes the log
    either, and it can be read without one. What a crash has left in its WAL is then applied to a temporary copy.

    Args:
        busy_limit: s to wait while the writer opens or closes the file.
        damaged: whether the file is known to be damaged: tables that it lacks are not waited for.
    """

    def __init__(self, path: Path, busy_limit: float = BUSY_LIMIT, *, damaged: bool = False) -> None:
        self._path = path
        self._busy_limit = busy_limit
        self._damaged = damaged
        self._copy: Path | None = None

    def connect(self) -> sqlite3.Connection:
        """A new connection.

        Raises:
            FAILURES, OSError: the file cannot be read.
        """
        if self._copy is None:
            db = self._open(self._path, "mode=ro")
            try:
                _await_tables(db, 0.0 if self._damaged else CREATED)  # the first access to the file
                return db
            except sqlite3.Error as error:
                db.close()
                if not self._is_unwritable(error):
                    raise
            wal = self._path.with_name(f"{self._path.name}-wal")
            if not wal.exists() or wal.stat().st_size == 0:
                return self._open(self._path, "mode=ro&immutable=1")
            folder = tempfile.mkdtemp(prefix="lanchat-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            for file in (self._path, wal):
                shutil.copyfile(file, Path(folder, file.name))
            self._copy = Path(folder, self._path.name)
        return self._open(self._copy, "mode=rw")

    def _open(self, path: Path, how: str) -> sqlite3.Connection:
        db = sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=self._busy_limit, isolation_level=None)
        db.text_factory = tolerant
        return db

    def _is_unwritable(self, error: sqlite3.Error) -> bool:
        """Whether it cannot be opened because its folder cannot be written."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in _UNWRITABLE and self._path.exists() and not os.access(self._path.parent, os.W_OK)


def _await_tables(db: sqlite3.Connection, timeout: float) -> None:
    """Wait a moment for the tables of a file that is being created, or has lost them."""
    until = time.monotonic() + timeout
    while db.execute("PRAGMA schema_version").fetchone() == (0,) and time.monotonic() < until:
        time.sleep(_LOOK)
