"""Files that a person was sending when the program ended: one small file for each, `sending-ID` in the room's folder.

It is locked as long as a program sends the file, so that two programs of one person do not send it at once. Since the
lock is on this very file, it is never replaced by another one: what is known later is added as another line, and the
last whole line counts. Each has an end of line before it as well, so that it does not go on with a part of another one.
"""

import errno
import json
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lanchat.storage.files import FileLock, lock_file

MOST = 100  # in one room; more are not remembered

_PREFIX = "sending-"
_MAX_LINE = 16 * 1024  # bytes; a path has 4,096 at most

_log = logging.getLogger(__name__)


@dataclass
class Unfinished:
    """One of them. Any thread, one at a time.

    Args:
        id: of its FileSend, so that the host takes it for the same file.
        nick: of the one person that it is for; "": it is for everybody.
        to, to_key: member id and key of that person; empty: not known yet.
        key, sha256: of the file that is sealed for that person; empty: no byte of it has been sent.
    """

    id: str
    path: Path
    _entry: Path
    _lock: FileLock
    nick: str = ""
    to: str = ""
    to_key: bytes = b""
    key: bytes = b""
    sha256: str = ""

    def note_sealed(self, to: str, to_key: bytes, key: bytes, sha256: str) -> None:
        """Note how the file is sealed, before the first byte goes out. Only this home's person reads it.

        If that is not possible, a later run does not go on with it.
        """
        self.to, self.to_key, self.key, self.sha256 = to, to_key, key, sha256
        try:
            self._write()
        except OSError as error:
            _log.warning("cannot remember a file that is sent: %s", error.strerror)
            with suppress(OSError):
                os.ftruncate(self._lock.fd, 0)

    def _write(self) -> None:
        values = {"id": self.id, "path": str(self.path.absolute()), "nick": self.nick, "to": self.to}
        values |= {"to_key": self.to_key.hex(), "key": self.key.hex(), "sha256": self.sha256}
        line = f"\n{json.dumps(values)}\n".encode()
        os.lseek(self._lock.fd, 0, os.SEEK_END)
        if os.write(self._lock.fd, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def finish(self, *, keep: bool) -> None:
        """The transfer has ended.

        Args:
            keep: leave it for the next time.
        """
        if keep:
            self._lock.close()
        else:
            _discard(self._entry, self._lock)


def remember(
    folder: Path, id: str, path: Path, *, nick: str = "", to: str = "", to_key: bytes = b""
) -> Unfinished | None:
    """Remember that this file is being sent. None: that is not possible here, and the transfer goes on all the same.

    Args:
        folder: of the room.
        nick, to, to_key: as for `Unfinished`.
    """
    entry = folder / f"{_PREFIX}{id}"
    lock = None
    try:
        if len(list(folder.glob(f"{_PREFIX}*"))) >= MOST or (lock := lock_file(entry)) is None:
            return None
        unfinished = Unfinished(id, path, entry, lock, nick, to, to_key)
        unfinished._write()
    except OSError as error:
        _log.warning("cannot remember a file that is sent: %s", error.strerror)
        if lock is not None:
            _discard(entry, lock)
        return None
    return unfinished


def take_over(folder: Path) -> list[Unfinished]:
    """The files that earlier programs did not finish, and that no other program sends now."""
    found = []
    for entry in sorted(folder.glob(f"{_PREFIX}*"))[:MOST]:
        lock = None
        try:
            lock = lock_file(entry, os.O_RDWR)
            if lock is None:
                continue
            values = json.loads(_last_line(lock.fd))
            id, path = values["id"], values["path"]
            nick, to, sha256 = (values.get(name, "") for name in ("nick", "to", "sha256"))
            to_key, key = (bytes.fromhex(values.get(name, "")) for name in ("to_key", "key"))
            if entry.name != f"{_PREFIX}{id}" or not all(isinstance(text, str) for text in (path, nick, to, sha256)):
                raise ValueError("it is about something else")
            if (len(key), len(sha256)) not in ((0, 0), (32, 64)):
                raise ValueError("it does not say how the file is sealed")
        except FileNotFoundError:
            continue  # another program has just finished it
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("cannot read %s: %s", entry, error)
            if lock is not None:
                _discard(entry, lock)
            continue
        found.append(Unfinished(id, Path(path), entry, lock, nick, to, to_key, key, sha256))
    return found


def _last_line(fd: int) -> bytes:
    """The last whole line: a crash may have left a part of another one behind it."""
    os.lseek(fd, max(0, os.fstat(fd).st_size - 2 * _MAX_LINE), os.SEEK_SET)
    whole, _, _ = os.read(fd, 2 * _MAX_LINE).rpartition(b"\n")
    return whole.rstrip(b"\n").rpartition(b"\n")[2]


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
