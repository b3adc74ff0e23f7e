"""A file that is being received: its bytes so far, and their running SHA-256."""

import hashlib
import os
import sys
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.storage.files import FileLock, lock_file, sync_folder

_READ = 1 << 20  # bytes of a prefix that are read at once
_EARLY = 8 << 20  # bytes; so many are handed to the disk while more come, so that at the end little is left to wait for


class Part:
    """Owned by one thread at a time; it is open only while bytes come. The hash stays in between.

    So a transfer that is cut often reads nothing twice. Only a new process reads the prefix that it finds.

    Args:
        step: bytes; what is found is cut to a multiple of it, and the transfer goes on there.
    """

    def __init__(self, path: Path, step: int = 1) -> None:
        self.path = path
        self._step = step
        self.have = 0  # bytes that are hashed, and on the disk or in its cache
        self._handed = 0  # bytes of them that the system writes to the disk already
        self._hash = hashlib.sha256()
        self._lock: FileLock | None = None

    def open(self) -> None:
        """Open the file, and read what the hash does not cover yet.

        Raises:
            LanchatError: another lanchat is receiving the same file.
            OSError: it cannot be opened.
        """
        if self._lock is not None:
            return
        lock = lock_file(self.path)
        if lock is None:
            raise LanchatError("Another lanchat receives this file already.")
        self._lock = lock
        try:
            size = os.fstat(lock.fd).st_size
            if size % self._step:
                size -= size % self._step
                os.ftruncate(lock.fd, size)
            if size < self.have:
                self.have, self._hash = 0, hashlib.sha256()
            os.lseek(lock.fd, self.have, os.SEEK_SET)
            while data := os.read(lock.fd, _READ):
                self._hash.update(data)
                self.have += len(data)
            self._handed = self.have
        except BaseException:
            self.close()
            raise

    @property
    def digest(self) -> str:
        """The SHA-256 of the bytes so far, in hex."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Add bytes. Requires that it is open.

        Raises:
            OSError: the disk does not take all of them; `have` says how far it came.
        """
        at = 0
        while at < len(data):
            written = os.write(self._fd, data[at:] if at else data)
            self._hash.update(data[at : at + written] if written < len(data) else data)
            self.have += written
            at += written
        if self.have - self._handed >= _EARLY:
            if sys.platform == "linux":  # it begins to write what is new in this range, and waits for nothing
                os.posix_fadvise(self._fd, self._handed, self.have - self._handed, os.POSIX_FADV_DONTNEED)
            self._handed = self.have

    def restart(self) -> None:
        """Forget all bytes. Requires that it is open."""
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        self.have, self._handed, self._hash = 0, 0, hashlib.sha256()

    def sync(self) -> None:
        """Wait until the bytes and the name are on the disk. Requires that it is open."""
        os.fsync(self._fd)
        sync_folder(self.path.parent)

    def close(self) -> None:
        """May be called twice."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _fd(self) -> int:
        assert self._lock is not None, "the part is not open"
        return self._lock.fd
