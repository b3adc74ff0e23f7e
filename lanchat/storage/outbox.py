"""The outbox on disk: unacknowledged messages of this person, which are sent after a restart, even after kill -9.

Each process has a file of its own. A line is `+` and a message, with the text of a private one, or `-` and the id of a
message that was acknowledged. Each line is written with one call, which takes microseconds and survives the end of this
process. A power cut may take the last lines, but never an acknowledged message.
"""

import logging
import os
import secrets
import threading
from collections.abc import Iterable
from pathlib import Path

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.drafts import Talk
from lanchat.protocol.framing import OUTBOX, decode, encode
from lanchat.storage.files import FileLock, file_errors, lock_file, write_file

MAX_UNSENT = 10_000  # messages; more would only hide that nothing gets through
MAX_FILE = 256 * 1024 * 1024  # bytes that are read of a file; this program writes shorter ones

_log = logging.getLogger(__name__)


class Outbox:
    """The unsent messages of one room. Any thread.

    Opening it takes over the messages of processes that have ended.

    Args:
        folder: the room's, from `joined_folder`.

    Raises:
        LanchatError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._guard = threading.Lock()  # guards all below; a write into the system's cache counts as memory work
        self._messages: dict[str, Talk] = {}  # by id, oldest first
        self._size = 0  # bytes of complete lines in the file
        self._closed = False
        self.trouble = ""  # a sentence about messages that could not be read when it was opened
        self.left_at = 0.0  # s since 1970, when a process that has ended last wrote what was taken over
        with file_errors(folder):
            self._path, self._lock = _own_file(folder)
            for path in sorted(folder.glob("outbox-*")):
                if path != self._path:
                    self._take_over(path)

    @property
    def unsent(self) -> tuple[Talk, ...]:
        """The messages to be sent, oldest first. Right after opening, these are the ones left by earlier runs."""
        with self._guard:
            return tuple(self._messages.values())

    def add(self, message: Talk) -> None:
        """Store a message until it is acknowledged. It replaces one with the same id.

        A full disk is logged and raises no error, because the message can be sent all the same.

        Raises:
            LanchatError: MAX_UNSENT messages are stored already, so this one is not.
        """
        with self._guard:
            if len(self._messages) >= MAX_UNSENT and message.id not in self._messages:
                raise LanchatError(
                    f"Not sent: {MAX_UNSENT} messages are waiting already.",
                    "Wait until the room can be reached again.",
                )
            self._messages[message.id] = message
            self._write(b"+" + encode(message))

    def remove(self, ids: Iterable[str]) -> None:
        """Delete messages that were acknowledged. Unknown ids are ignored."""
        with self._guard:
            gone = [id for id in ids if self._messages.pop(id, None)]
            if not self._messages:
                self._empty()
            elif gone:
                self._write(b"".join(b"-%s\n" % id.encode() for id in gone))

    def close(self) -> None:
        """Leave the unsent messages to the next process. May be called twice."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            if not self._messages:
                _remove(self._path)
            self._lock.close()

    def _write(self, data: bytes) -> None:
        """Append all of this or nothing. Requires holding the guard."""
        if self._closed:
            return
        try:
            written = os.write(self._lock.fd, data)
            if written == len(data):
                self._size += written
                return
            os.ftruncate(self._lock.fd, self._size)  # half a line would spoil the next one
            os.lseek(self._lock.fd, self._size, os.SEEK_SET)
            _log.warning("cannot store an unsent message: the disk is full")
        except OSError as error:
            _log.warning("cannot store an unsent message: %s", error.strerror)

    def _empty(self) -> None:
        """Requires holding the guard."""
        if self._closed or not self._size:
            return
        try:
            os.ftruncate(self._lock.fd, 0)
            os.lseek(self._lock.fd, 0, os.SEEK_SET)
            self._size = 0
        except OSError as error:  # then acknowledged messages are resent after a restart; the host recognises them
            _log.warning("cannot empty %s: %s", self._path, error.strerror)

    def _take_over(self, path: Path) -> None:
        """Move the messages of a process that has ended into this outbox."""
        try:
            lock = lock_file(path, os.O_RDWR)
        except FileNotFoundError:
            return  # its process has just closed it
        if lock is None:
            return  # its process is running
        try:
            data = os.read(lock.fd, MAX_FILE)
            left, damaged = _parsed(data)
            if damaged:
                spoilt = path.with_name(f"damaged-{path.name}")
                write_file(spoilt, data, durable=True)
                self.trouble = f"Some unsent messages of yours are damaged. They are in {spoilt}"
                _log.warning("%s", self.trouble)
            for message in left.values():
                if self._messages.setdefault(message.id, message) is message:
                    self._write(b"+" + encode(message))
            if left:
                self.left_at = max(self.left_at, os.fstat(lock.fd).st_mtime)
                os.fsync(self._lock.fd)  # on the disk here before it is deleted there
            os.ftruncate(lock.fd, 0)  # another process may have opened it already and be about to lock it
            _remove(path)
        finally:
            lock.close()


def _own_file(folder: Path) -> tuple[Path, FileLock]:
    """Make a new locked file. If another process takes it over before it is locked, try again with another name."""
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


def _parsed(data: bytes) -> tuple[dict[str, Talk], int]:
    """The unsent messages in a file, by id, and the number of lines that cannot be read.

    A last line without an end was never sent.
    """
    messages: dict[str, Talk] = {}
    damaged = 0
    for line in data.split(b"\n")[:-1]:
        if line.startswith(b"-"):
            messages.pop(line[1:].decode(errors="replace"), None)
        elif line.startswith(b"+"):
            try:
                message = decode(line[1:], OUTBOX)
            except ProtocolError:
                damaged += 1
                continue
            if message is not None:
                messages[message.id] = message
        else:
            damaged += 1
    return messages, damaged


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # Windows, while it is open; an empty file does no harm
