"""The folders of rooms of which this computer keeps a copy, because it may host them: `LANCHAT_HOME/standby/ID/`."""

import os
import shutil
import time
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.ids import is_room_id
from lanchat.storage import replica
from lanchat.storage.files import file_errors, lock_file, make_folder, sync_folder
from lanchat.storage.replica import Replica
from lanchat.storage.rooms import LOCK, LOG, STANDBY

UNUSED = 90 * 86_400.0  # s after which a copy that nobody uses is deleted


def open_replica(home: Path, room: str) -> Replica | None:
    """Open the copy of a room, or make one.

    Args:
        room: its id.

    Returns:
        The copy, locked; None: another lanchat of this computer has it.

    Raises:
        LanchatError: the folder cannot be used.
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
    try:
        return Replica(folder / LOG, lock, replica.MAX_SIZE)
    except BaseException:
        lock.close()
        raise


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
