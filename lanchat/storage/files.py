"""Files that survive crashes and serve several processes: atomic writes, locks, errors that name the file."""

import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.text import argument

SET_HOME = "Set LANCHAT_HOME to a folder you can write to."
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # a link that somebody put there would choose the file that is written
_LINK = "it is a symbolic link, and nothing is written through one"
SET_LOCAL = "Its file system lacks something that lanchat needs. Set LANCHAT_HOME to a folder on a local disk."
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)  # by this file system
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2)  # s between two tries
_BEYOND = 1 << 30  # the byte that is locked on Windows, where a locked byte cannot be read: far behind the content


def as_unicode(name: str) -> str:
    """The name of a file, or an argument of a program, as it can be sent. U+FFFD stands for what is no Unicode."""
    return os.fsencode(name).decode(errors="replace")


@contextmanager
def file_errors(path: Path, hint: str = SET_HOME) -> Iterator[None]:
    """Turn an OSError of this block into the error that a person reads.

    Raises:
        LanchatError: the path cannot be used; the text says why, and what to do.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (*_UNSUPPORTED, errno.ENOLCK):
            hint = SET_LOCAL
        reason = _LINK if error.errno == errno.ELOOP else error.strerror or str(error)
        raise LanchatError(f"Cannot use {path}: {reason}", hint) from None


def make_folder(path: Path) -> None:
    """Make a folder for its owner alone, and every missing folder above it, unless it exists.

    Raises:
        OSError: it cannot be made.
    """
    try:
        path.mkdir(0o700)  # parents=True would give the umask's mode to the folders above
    except FileNotFoundError:
        make_folder(path.parent)
        path.mkdir(0o700, exist_ok=True)
    except OSError:
        if not path.is_dir():
            raise


def existing_folder(path: Path) -> Path:
    """This folder, or the nearest one above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists() or folder == folder.parent)


def check_own(path: Path) -> None:
    """Refuse a folder that another user owns or may write to, as OpenSSH does with StrictModes.

    Such a user could put files or links where this program reads and writes. A missing folder is accepted.

    Raises:
        LanchatError: the folder is refused.
    """
    if sys.platform == "win32":
        return  # Windows protects a person's own folder by its access lists
    with file_errors(path):
        try:
            about = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return
    if about.st_uid not in (os.geteuid(), 0):
        raise LanchatError(
            f"{path} belongs to another user, so it is not used.", "Set LANCHAT_HOME to a folder of your own."
        )
    if stat.S_ISDIR(about.st_mode) and about.st_mode & 0o022:
        raise LanchatError(
            f"Others may write to {path}, so it is not used.", f"Make it your own: chmod go-w {argument(str(path))}"
        )


def check_no_link(path: Path) -> None:
    """Refuse a symbolic link, for files that SQLite opens, which follows links.

    Raises:
        OSError: the path is a symbolic link.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, _LINK)


def write_file(path: Path, data: bytes, *, durable: bool, replace: bool = True) -> None:
    """Write a whole file or nothing: a crash leaves the old content or the new one, never a part.

    The file is readable by its owner alone (mode 0600). Any number of threads and processes may write the same path.

    Args:
        durable: return only when a power cut cannot undo it. Costs two fsync.
        replace: False leaves an existing file as it is, so that of several writers the first one wins.

    Raises:
        OSError: the folder cannot be written. No draft stays behind.
    """
    fd, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # not by process id: threads share it
    try:
        with os.fdopen(fd, "wb") as out:
            out.write(data)
            if durable:
                out.flush()
                os.fsync(out.fileno())
        if replace:
            _replace(draft, path)
        else:
            _name_unless_taken(draft, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)
    if durable:
        sync_folder(path.parent)


def patiently(step: Callable[[], None]) -> None:
    """Do this, again and again for a moment while the system refuses it.

    Windows renames no file over one that another program has open, such as a virus scanner, which is soon over.

    Raises:
        OSError: the system has refused it all the time.
    """
    for pause in _PAUSES:
        try:
            return step()
        except PermissionError:
            time.sleep(pause)
    step()


def sync_folder(path: Path) -> None:
    """Wait until the names in this folder are on the disk: an fsync of a file does not include its name.

    A file system that cannot sync a folder (FUSE, SMB) is left to itself.

    Raises:
        OSError: the folder cannot be opened or synced.
    """
    if os.name != "posix":
        return  # Windows opens no folders; NTFS journals the names itself
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(fd)


class FileLock:
    """A locked file, made by `lock_file`. The system releases the lock when the process ends, however it ends.

    Used by one thread at a time.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._open = True

    def close(self) -> None:
        """Release the lock. May be called twice."""
        if self._open:
            self._open = False
            os.close(self.fd)


def lock_file(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> FileLock | None:
    """Open a file and lock it. Never waits.

    Returns:
        The lock, or None when another open file holds it, in this process or in another one.

    Raises:
        OSError: the file cannot be opened.
    """
    fd = os.open(path, flags | NO_FOLLOW | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), 0o600)
    try:
        _lock(fd)
    except (BlockingIOError, PermissionError):
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return FileLock(fd)


def _name_unless_taken(draft: str, path: Path) -> None:
    """Give a file its name. If there is one of that name, it stays."""
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # exFAT has no hard links, nor have some file systems of FUSE, SMB and Android
        _rename_unless_taken(draft, path)


if sys.platform == "win32":
    import msvcrt

    def _replace(draft: str, path: Path) -> None:
        patiently(lambda: os.replace(draft, path))

    def _rename_unless_taken(draft: str, path: Path) -> None:
        with suppress(FileExistsError):
            os.rename(draft, path)  # replaces nothing on Windows

    def _lock(fd: int) -> None:
        os.lseek(fd, _BEYOND, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        os.lseek(fd, 0, os.SEEK_SET)

else:
    import fcntl

    def _replace(draft: str, path: Path) -> None:
        os.replace(draft, path)

    def _rename_unless_taken(draft: str, path: Path) -> None:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            with suppress(OSError):  # no locks either: then only programs that start at once could undo each other's
                fcntl.flock(folder, fcntl.LOCK_EX)
            if not os.path.lexists(path):
                os.rename(draft, path)
        finally:
            os.close(folder)

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
