"""Copies the files of a room to a standby's disk, one after the other and never in the way of its person's own."""

import logging
import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from lanchat.client.host_link import HostLink
from lanchat.client.transfer import Transfers
from lanchat.errors import LanchatError
from lanchat.protocol.file_messages import FileEntry
from lanchat.protocol.ids import is_room_id
from lanchat.room.file_copies import next_copy
from lanchat.storage.files import make_folder
from lanchat.storage.replica import SPARE
from lanchat.threads import Closable, join_started

_LIST_WAIT = 10.0  # s for the host to say which files there are
_FETCH_WAIT = 600.0  # s for one file; what has come by then is kept

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Copy:
    """A file under the name of its copy, which is the host's name for it (storage/blobs.py)."""

    file: str
    size: int

    @property
    def name(self) -> str:
        return self.file


class FileCopies(Closable):
    """A thread, from the start to `close`.

    Args:
        folder: returns where the copies are to be; None: this computer is no standby now.
        keeps: whether the folder holds more than copies, so that nothing is deleted: at the owner's computer. There
            are the files for others, too, which a host lists to nobody else.
        host: the link to the host.
        every: s between two looks.
    """

    def __init__(
        self,
        folder: Callable[[], Path | None],
        host: HostLink,
        transfers: Transfers,
        every: float,
        keeps: Callable[[], bool] = lambda: False,
    ) -> None:
        self._failed: set[str] = set()  # files that could not be copied, which come after all others
        self._folder, self._host, self._transfers, self._every, self._keeps = folder, host, transfers, every, keeps
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file-copies")
        self._thread.start()

    def close(self) -> None:
        """After the transfers have been closed. May be called twice."""
        self._closing.set()
        join_started(self._thread)

    def _run(self) -> None:
        while not self._closing.wait(self._every):
            folder = self._folder()
            if folder is None or not self._host.largest_file or not self._host.connected or self._transfers.busy:
                continue
            try:
                self._look(folder)
            except (LanchatError, OSError) as error:
                _log.info("files are not copied now: %s", error)

    def _look(self, folder: Path) -> None:
        """Copy missing files, and delete copies of files that the room no longer has."""
        entries = self._transfers.questions.list(_LIST_WAIT)
        if not self._keeps():
            _drop(folder, {entry.file for entry in entries})
        tried: set[str] = set()
        while (copy := self._next(folder, entries, tried)) is not None and self._folder() == folder:
            tried.add(copy.file)
            make_folder(folder)
            transfer = self._transfers.fetch(_Copy(copy.file, copy.size), folder, lambda transfer: None)
            try:
                transfer.wait(_FETCH_WAIT)
                self._failed.discard(copy.file)
            except LanchatError as error:
                self._failed.add(copy.file)
                _log.info("a file is not copied now: %s", error)
            finally:
                transfer.stop()
            if self._closing.is_set() or self._transfers.busy or not self._host.connected:
                return

    def _next(self, folder: Path, entries: Sequence[FileEntry], tried: Set[str]) -> FileEntry | None:
        there = folder if folder.is_dir() else folder.parent
        free, found = shutil.disk_usage(there).free - SPARE, _found(folder)
        for later in (tried | self._failed, tried):
            if (copy := next_copy(entries, {**dict.fromkeys(later, 0), **found}, free)) is not None:
                return copy
        return None


def _drop(folder: Path, listed: Set[str]) -> None:
    """Delete copies, and parts of copies, of files that the room no longer has."""
    for path in list(folder.iterdir()) if folder.is_dir() else ():
        file = path.name.removeprefix(".").removesuffix(".part")
        if is_room_id(file) and file not in listed:
            path.unlink(missing_ok=True)


def _found(folder: Path) -> Mapping[str, int]:
    """The sizes of the copies in this folder, by file."""
    found = os.scandir(folder) if folder.is_dir() else ()
    return {entry.name: entry.stat(follow_symlinks=False).st_size for entry in found if is_room_id(entry.name)}
