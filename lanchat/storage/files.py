"""A lock that other processes see, and that goes with the process that holds it, however it ends."""

import os
import sys
from pathlib import Path

_BEYOND = 1 << 30  # the byte that is locked on Windows, where a locked byte cannot be read: behind all that is written


class FileLock:
    """A locked file. Made by `lock_file`; any one thread."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._open = True

    def close(self) -> None:
        """Let go. May be called twice."""
        if self._open:
            self._open = False
            os.close(self.fd)


def lock_file(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> FileLock | None:
    """Open a file and lock it; None: another open file holds the lock, here or in another process. Never waits.

    Raises:
        OSError: it cannot be opened.
    """
    fd = os.open(path, flags | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), 0o600)
    try:
        _lock(fd)
    except (BlockingIOError, PermissionError):
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return FileLock(fd)


if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        os.lseek(fd, _BEYOND, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        os.lseek(fd, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
