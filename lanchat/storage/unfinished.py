"""Files that a person was sending when the program ended: one small file for each, `sending-ID` in the room's folder.

It is locked as long as a program sends the file, so that two programs of one person do not send it at once.
"""

import json
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lanchat.storage.files import FileLock, lock_file

MOST = 100  # in one room; more are not remembered

_PREFIX = "sending-"
_MAX_SIZE = 16 * 1024  # bytes; a path has 4,096 at most

_log = logging.getLogger(__name__)


@dataclass
class Unfinished:
    """One of them. Any thread, one at a time.

    Args:
        id: of its FileSend, so that the host takes it for the same file.
    """

    id: str
    path: Path
    _entry: Path
    _lock: FileLock

    def finish(self, *, keep: bool) -> None:
        """The transfer has ended.

        Args:
            keep: leave it for the next time.
        """
        if keep:
            self._lock.close()
        else:
            _discard(self._entry, self._lock)


def remember(folder: Path, id: str, path: Path) -> Unfinished | None:
    """Remember that this file is being sent. None: that is not possible here, and the transfer goes on all the same.

    Args:
        folder: of the room.
    """
    entry = folder / f"{_PREFIX}{id}"
    lock = None
    try:
        if len(list(folder.glob(f"{_PREFIX}*"))) >= MOST or (lock := lock_file(entry)) is None:
            return None
        os.write(lock.fd, json.dumps({"id": id, "path": str(path.absolute())}).encode())
    except OSError as error:
        _log.warning("cannot remember a file that is sent: %s", error.strerror)
        if lock is not None:
            _discard(entry, lock)
        return None
    return Unfinished(id, path, entry, lock)


def take_over(folder: Path) -> list[Unfinished]:
    """The files that earlier programs did not finish, and that no other program sends now."""
    found = []
    for entry in sorted(folder.glob(f"{_PREFIX}*"))[:MOST]:
        lock = None
        try:
            lock = lock_file(entry, os.O_RDWR)
            if lock is None:
                continue
            values = json.loads(os.read(lock.fd, _MAX_SIZE))
            id, path = values["id"], values["path"]
            if entry.name != f"{_PREFIX}{id}" or not isinstance(path, str):
                raise ValueError("it is about something else")
        except FileNotFoundError:
            continue  # another program has just finished it
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("cannot read %s: %s", entry, error)
            if lock is not None:
                _discard(entry, lock)
            continue
        found.append(Unfinished(id, Path(path), entry, lock))
    return found


def _discard(entry: Path, lock: FileLock) -> None:
    """Remove an entry and release its lock. An entry that cannot be removed now is empty, and is removed another time.

    Windows removes no file that is open, so the lock is released first. Another program that takes it over before it is
    gone finds it empty.
    """
    with suppress(OSError):
        os.ftruncate(lock.fd, 0)
    lock.close()
    with suppress(OSError):
        entry.unlink(missing_ok=True)
