"""What we said that no host has acknowledged yet, on our own disk: sent after a new start, even after a kill -9.

A file for each process, made of lines: `+` and the message as it goes over the wire, `-` and an id that is done.
A line is handed to the system with one write, which takes microseconds and outlives this process; a power cut may
take the last ones, and an acknowledgement promises nothing about those.
"""

import logging
import os
import secrets
import threading
from collections.abc import Iterable
from pathlib import Path

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.framing import FROM_MEMBER, decode, encode
from lanchat.protocol.messages import Say, Talk, Tell
from lanchat.storage.files import FileLock, lock_file

OUTBOX_LIMIT = 10_000  # messages; a script that says more without being acknowledged has to wait
MAX_FILE = 256 * 1024 * 1024  # bytes; a longer one is none of ours

_log = logging.getLogger(__name__)


class Outbox:
    """Any thread. Messages of processes that are gone are taken over when it is made.

    Args:
        folder: of the room, `folder.joined_folder`.

    Raises:
        LanchatError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._guard = threading.Lock()  # guards all below; a write to the file is memory work for us
        self._says: dict[str, Talk] = {}
        self._size = 0  # bytes of whole lines in the file
        self._closed = False
        try:
            self._path, self._lock = _own_file(folder)
            for path in sorted(folder.glob("outbox-*")):
                if path != self._path:
                    self._take_over(path)
        except OSError as error:
            raise LanchatError(f"cannot use {folder}: {error.strerror or error}") from None

    @property
    def waiting(self) -> tuple[Talk, ...]:
        """What is to be sent, oldest first; right after the start: what others left."""
        with self._guard:
            return tuple(self._says.values())

    def add(self, say: Talk) -> None:
        """Keep this until it is acknowledged, in place of what has its id.

        A disk that takes nothing is no reason not to say it.

        Raises:
            LanchatError: too many wait already.
        """
        with self._guard:
            if len(self._says) >= OUTBOX_LIMIT and say.id not in self._says:
                raise LanchatError(
                    f"{OUTBOX_LIMIT} messages wait to be sent already", "wait until the room can be reached again"
                )
            self._says[say.id] = say
            self._write(b"+" + encode(say))

    def done(self, ids: Iterable[str]) -> None:
        """These are acknowledged."""
        with self._guard:
            gone = [id for id in ids if self._says.pop(id, None)]
            if not self._says:
                self._empty()
            elif gone:
                self._write(b"".join(b"-%s\n" % id.encode() for id in gone))

    def close(self) -> None:
        """Leave what waits to the next process. May be called twice."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            if not self._says:
                _remove(self._path)
            self._lock.close()

    def _write(self, data: bytes) -> None:
        """Whole or not at all. Requires holding the guard."""
        if self._closed:
            return
        try:
            written = os.write(self._lock.fd, data)
            if written == len(data):
                self._size += written
                return
            os.ftruncate(self._lock.fd, self._size)  # half a line would spoil the next
            os.lseek(self._lock.fd, self._size, os.SEEK_SET)
            _log.warning("cannot keep a message for later: the disk is full")
        except OSError as error:
            _log.warning("cannot keep a message for later: %s", error.strerror)

    def _empty(self) -> None:
        """Requires holding the guard."""
        if self._closed or not self._size:
            return
        try:
            os.ftruncate(self._lock.fd, 0)
            os.lseek(self._lock.fd, 0, os.SEEK_SET)
            self._size = 0
        except OSError as error:  # then what is done is sent again one day, and the host knows it
            _log.warning("cannot empty %s: %s", self._path, error.strerror)

    def _take_over(self, path: Path) -> None:
        """What waits in the outbox of a process that is gone."""
        try:
            lock = lock_file(path, os.O_RDWR)
        except FileNotFoundError:
            return  # its owner has just left in order
        if lock is None:
            return  # its owner lives
        try:
            left = _parsed(os.read(lock.fd, MAX_FILE))
            for say in left.values():
                if self._says.setdefault(say.id, say) is say:
                    self._write(b"+" + encode(say))
            if left:
                os.fsync(self._lock.fd)  # here before it is gone there
            os.ftruncate(lock.fd, 0)  # somebody may have opened it already and wait for its lock
            _remove(path)
        finally:
            lock.close()


def _own_file(folder: Path) -> tuple[Path, FileLock]:
    """Another one that starts may take over a file in the moment before its maker has locked it: then make another."""
    while True:
        path = folder / f"outbox-{secrets.token_hex(4)}"
        lock = lock_file(path)
        if lock is None:
            continue
        try:
            if os.path.samestat(os.fstat(lock.fd), os.stat(path)):
                return path, lock
        except FileNotFoundError:
            pass
        lock.close()


def _parsed(data: bytes) -> dict[str, Talk]:
    """What waits, by id. A last line without an end is one that was never said."""
    says: dict[str, Talk] = {}
    for line in data.split(b"\n")[:-1]:
        if line.startswith(b"-"):
            says.pop(line[1:].decode(errors="replace"), None)
        elif line.startswith(b"+"):
            try:
                say = decode(line[1:], FROM_MEMBER)
            except ProtocolError:
                continue
            if isinstance(say, Say | Tell):
                says[say.id] = say
    return says


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # Windows, while it is open; empty, it does no harm
