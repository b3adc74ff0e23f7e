"""The folders of rooms of which this computer keeps a copy, because it may host them: `LANCHAT_HOME/standby/ID/`."""

import logging
import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.ids import is_room_id
from lanchat.storage import replica
from lanchat.storage.files import file_errors, lock_file, make_folder, sync_folder
from lanchat.storage.migrations import WITH_STATE
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.readonly import ReadOnlyFile
from lanchat.storage.replica import Replica
from lanchat.storage.rooms import LOCK, LOG, STANDBY

UNUSED = 90 * 86_400.0  # s after which a copy that nobody uses is deleted

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptCopy:
    """A copy on the disk of this computer.

    Args:
        room: the id of the room.
        used: s since 1970.
        state: what `storage.moving` names.
        seq: of the last event; -1: there is none.
    """

    room: str
    used: float
    state: Mapping[str, bytes]
    seq: int


def kept_copies(home: Path) -> list[KeptCopy]:
    """All copies that can be read, the one that was used last first."""
    folders = (home / STANDBY).iterdir() if (home / STANDBY).is_dir() else ()
    found = [_kept(folder) for folder in folders if is_room_id(folder.name) and (folder / LOG).exists()]
    return sorted((copy for copy in found if copy is not None), key=lambda copy: copy.used, reverse=True)


def _kept(folder: Path) -> KeptCopy | None:
    try:
        with closing(ReadOnlyFile(folder / LOG).connect()) as db:
            [version] = db.execute("PRAGMA user_version").fetchone()
            rows = db.execute("SELECT name, value FROM state").fetchall() if version >= WITH_STATE else []
            [seq] = db.execute("SELECT coalesce(max(seq), -1) FROM event").fetchone()
        state = {name: value for name, value in rows if isinstance(name, str) and isinstance(value, bytes)}
        return KeptCopy(folder.name, (folder / LOG).stat().st_mtime, state, seq) if isinstance(seq, int) else None
    except (*FAILURES, OSError) as error:
        _log.warning("cannot read %s: %s", folder / LOG, in_words(error))
        return None


def open_replica(home: Path, room: str) -> Replica | None:
    """Open the copy of a room, or make one.

    Args:
        room: its id.

    Returns:
        The copy, locked; None: another lanchat of this computer has it.

    Raises:
        LanchatError: the folder cannot be used, the copy is too large, or the disk too full.
    """
    if not is_room_id(room):
        raise LanchatError("The host gives its room an invalid id.")
    folder = home / STANDBY / room
    with file_errors(folder):
        drop_unused(home, time.time())
        make_folder(folder)
        lock = lock_file(folder / LOCK)
        if lock is None:
            return None
        os.utime(folder)
        sync_folder(folder.parent)
    with ExitStack() as undo:
        undo.callback(lock.close)
        copy = Replica(folder / LOG, lock, replica.MAX_SIZE)
        undo.callback(copy.close)
        copy.check()
        undo.pop_all()
        return copy


def drop_unused(home: Path, now: float) -> None:
    """Delete copies that were not used for UNUSED.

    Args:
        now: s since 1970.
    """
    folders = (home / STANDBY).iterdir() if (home / STANDBY).is_dir() else ()
    for folder in [one for one in folders if is_room_id(one.name) and one.stat().st_mtime < now - UNUSED]:
        if (lock := lock_file(folder / LOCK)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()
            if sys.platform == "win32":  # the file of the lock could not be deleted before
                shutil.rmtree(folder, ignore_errors=True)
