"""The bytes of a room's files on its host's disk: `LANCHAT_HOME/rooms/ID/files/FILE`, one file each.

Only the room's log has the names that people gave, and knows which files are whole. So a file keeps its name here when
it becomes whole, and nothing here can contradict the log.
"""

import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from lanchat.protocol.limits import DEFAULT_FILE_LIMITS, FileLimits
from lanchat.storage.files import existing_folder, make_folder
from lanchat.storage.parts import Part
from lanchat.threads import Closable

_log = logging.getLogger(__name__)


class Blob:
    """One file, which one link writes and many read meanwhile.

    Args:
        have: bytes of it that are on the disk.
        sha256: "" as long as it is not whole.
    """

    def __init__(self, path: Path, size: int, have: int, sha256: str = "") -> None:
        self.path = path
        self.size = size
        self.part = Part(path)  # of the writer
        self.writing = threading.Lock()  # held by the writer as long as it writes
        self.whole = bool(sha256)  # of the writer: every byte has come, and the hash fits; nobody writes it any more
        self._changed = threading.Condition()  # guards all below
        self._have = have
        self._sha256 = sha256
        self._take = 1
        self._removed = False

    @property
    def have(self) -> int:
        return self._have

    @property
    def take(self) -> int:
        """The number of the attempt at the content; `restart` begins another one."""
        return self._take

    @property
    def sha256(self) -> str:
        return self._sha256

    @property
    def removed(self) -> bool:
        return self._removed

    def grown(self) -> None:
        """The writer has added to the part. Wakes those who wait."""
        with self._changed:
            self._have = self.part.have
            self._changed.notify_all()

    def restart(self) -> None:
        """The writer begins with the first byte again."""
        with self._changed:
            self._take += 1
            self._have = 0
            self._changed.notify_all()
        self.part.restart()

    def finish(self, sha256: str) -> None:
        """The file is whole and on the disk."""
        with self._changed:
            self._sha256 = sha256
            self._changed.notify_all()

    def remove(self) -> None:
        """Nobody may read or write it any more."""
        with self._changed:
            self._removed = True
            self._changed.notify_all()

    def wait(self, at: int, take: int, seconds: float) -> bool:
        """Wait until there is more than `at`, or it is whole, or nothing more will come. Returns whether that is so."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._have > at or bool(self._sha256) or self._take != take or self._removed, seconds
            )


class Blobs(Closable):
    """The folder of a room's files. Any thread.

    Args:
        folder: made when the first file comes; None: a temporary one, which goes when this is closed.
    """

    def __init__(self, folder: Path | None, limits: FileLimits = DEFAULT_FILE_LIMITS) -> None:
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="lanchat-files-"))
        self.limits = limits
        self._lock = threading.Lock()  # guards both
        self._blobs: dict[str, Blob] = {}
        self._deleting: list[threading.Thread] = []

    def compare(self, files: Mapping[str, tuple[int, str]]) -> list[str]:
        """Compare the folder with the log, when a host starts. What the log does not know is deleted.

        Args:
            files: size and SHA-256 ("": not whole) of all files that are there.

        Returns:
            The whole ones that are missing.
        """
        found: dict[str, int] = {}
        try:
            for entry in os.scandir(self.folder) if self.folder.is_dir() else ():
                if entry.name in files:
                    found[entry.name] = entry.stat(follow_symlinks=False).st_size
                else:
                    _unlink(Path(entry.path))
        except OSError as error:
            _log.warning("cannot read %s: %s", self.folder, error.strerror)
        for file, (size, sha256) in files.items():
            self._blobs[file] = Blob(self.folder / file, size, min(size, found.get(file, 0)), sha256)
        return [file for file, (size, sha256) in files.items() if sha256 and found.get(file) != size]

    def blob(self, file: str, size: int) -> Blob:
        """The file of this id, which is 32 hex digits."""
        with self._lock:
            blob = self._blobs.get(file)
            if blob is None:
                blob = self._blobs[file] = Blob(self.folder / file, size, 0)
            return blob

    def have(self, file: str) -> int:
        """How many bytes of this file are there."""
        blob = self._blobs.get(file)
        return 0 if blob is None else blob.have

    def free(self) -> int:
        """The number of bytes that may still be written while enough of the disk stays free; 0 if that is not known."""
        try:
            usage = shutil.disk_usage(existing_folder(self.folder))
        except OSError:
            return 0
        return max(0, usage.free - max(self.limits.spare_bytes, int(usage.total * self.limits.spare_part)))

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            OSError: it cannot be made.
        """
        make_folder(self.folder)

    def remove(self, file: str) -> None:
        """Delete this file, in a thread of its own: a large one takes the disk a while."""
        with self._lock:
            blob = self._blobs.pop(file, None)
            if blob is None:
                return
            blob.remove()
            self._deleting = [thread for thread in self._deleting if thread.is_alive()]
            thread = threading.Thread(target=_delete, args=(blob,), name="delete-file")
            try:
                thread.start()
            except RuntimeError:  # no thread is left; the hub, which calls this, must not end by that
                _delete(blob)
                return
            self._deleting.append(thread)

    def close(self) -> None:
        for thread in self._deleting:
            thread.join()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def _delete(blob: Blob) -> None:
    with blob.writing:  # its link has been dropped
        _unlink(blob.path)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("cannot delete %s: %s", path, error.strerror)
