"""The sources of an upload: a file of this machine, or a folder as a ZIP that is made while it is sent."""

import os
import stat
import time
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol

from lanchat.errors import LanchatError
from lanchat.protocol.sizes import size_text
from lanchat.protocol.zipping import (
    MAX_ENTRIES,
    MAX_ENTRY,
    MAX_ZIP,
    Span,
    ZipEntry,
    descriptor,
    directory,
    header,
    spans,
    zip_size,
)
from lanchat.storage.files import as_unicode, file_errors

_READ = 1 << 20  # bytes of a file that are read at once for its checksum alone


class FileChanged(LanchatError):
    """The file or folder has changed since its transfer began."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} changed while it was sent.", "Send it once more.")


class Source(Protocol):
    """Bytes with a name. Owned by the thread of its transfer."""

    path: Path
    name: str
    size: int
    left_out: list[str]  # entries of a folder that are not sent

    def read(self, at: int, most: int) -> bytes:
        """Some bytes from this offset on, at least one. Raises FileChanged, or OSError."""

    def check(self) -> None:
        """Raise FileChanged if the source has changed."""

    def close(self) -> None:
        """May be called twice."""


def open_source(path: Path) -> Source:
    """The file or folder at this path.

    Raises:
        LanchatError: there is none, it cannot be read, or it is too large.
    """
    if "\0" in str(path):  # the system would raise a ValueError
        raise LanchatError("There is no such file: its name would hold a character that no name can.")
    with file_errors(path, "Choose a file or a folder that you can read."):
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            return FolderSource(path)
        if not stat.S_ISREG(mode):  # a pipe would never open
            raise LanchatError(f"{path} is neither a file nor a folder.")
        return FileSource(path)


class FileSource:
    """A file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = as_unicode(path.name)
        self.left_out: list[str] = []
        self._file: BinaryIO = open(path, "rb", buffering=0)  # closed in `close`
        about = os.fstat(self._file.fileno())
        self.size = about.st_size
        self._stamp = about.st_size, about.st_mtime_ns

    def read(self, at: int, most: int) -> bytes:
        if self._file.tell() != at:
            self._file.seek(at)
        data = self._file.read(min(most, self.size - at))
        if not data:
            raise FileChanged(self.name)
        return data

    def check(self) -> None:
        about = os.stat(self.path)
        if (about.st_size, about.st_mtime_ns) != self._stamp:
            raise FileChanged(self.name)

    def close(self) -> None:
        self._file.close()


class FolderSource:
    """A folder as a ZIP. What is in it is listed once, in the order of the names, so a resume makes the same bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        top = as_unicode(path.resolve().name) or "folder"
        self.name = f"{top}.zip"
        self.left_out: list[str] = []
        self._paths: list[tuple[Path, int]] = []  # with the time of the last change, in ns
        self._entries: list[ZipEntry] = []
        self._list(path, top)
        self.size = zip_size(self._entries)
        if self.size > MAX_ZIP:
            raise LanchatError(
                f"{self.name} would have {size_text(self.size)}; at most {size_text(MAX_ZIP)} can be sent."
            )
        self._spans = spans(self._entries)
        self._span = 0  # the one that was read last
        self._checksums: list[int | None] = [None] * len(self._entries)
        self._running = (-1, 0, 0)  # file, how many bytes of it the checksum covers, and the checksum
        self._open: tuple[int, BinaryIO] | None = None  # the file that is being read

    def read(self, at: int, most: int) -> bytes:
        span = self._span_at(at)
        within = at - span.start
        match span.kind:
            case "header":
                data = header(self._entries[span.entry])
            case "bytes":
                return self._bytes(span.entry, within, most)
            case "descriptor":
                data = descriptor(self._entries[span.entry], self._checksum(span.entry))
            case _:
                data = directory(self._entries, [self._checksum(number) for number in range(len(self._entries))])
        return data[within : within + most]

    def check(self) -> None:
        for (path, changed), entry in zip(self._paths, self._entries, strict=True):
            about = os.stat(path, follow_symlinks=False)
            if (about.st_size, about.st_mtime_ns) != (entry.size, changed):
                raise FileChanged(self.name)

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _list(self, folder: Path, name: str) -> None:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            inside = f"{name}/{entry.name}"
            about = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(about.st_mode):
                self._list(Path(entry.path), inside)
            elif not stat.S_ISREG(about.st_mode) or about.st_size > MAX_ENTRY:
                self.left_out.append(inside)
            else:
                self._paths.append((Path(entry.path), about.st_mtime_ns))
                self._entries.append(ZipEntry(inside, about.st_size, time.localtime(about.st_mtime)[:6]))
                if len(self._entries) > MAX_ENTRIES:
                    raise LanchatError(f"{self.path} has more than {MAX_ENTRIES} files.", "Send a part of it.")

    def _span_at(self, at: int) -> Span:
        if not self._spans[self._span].start <= at:
            self._span = 0
        while at >= self._spans[self._span].start + self._spans[self._span].size:
            self._span += 1
        return self._spans[self._span]

    def _bytes(self, number: int, within: int, most: int) -> bytes:
        file = self._file(number)
        if file.tell() != within:
            file.seek(within)
        data = file.read(min(most, self._entries[number].size - within))
        if not data:
            raise FileChanged(self.name)
        entry, covered, checksum = self._running
        if within == 0 or (entry, covered) == (number, within):
            checksum = zlib.crc32(data, checksum if within else 0)
            self._running = number, within + len(data), checksum
            if within + len(data) == self._entries[number].size:
                self._checksums[number] = checksum
        return data

    def _checksum(self, number: int) -> int:
        """The CRC-32 of a file. It is known if the file was read from its beginning on."""
        known = self._checksums[number]
        if known is None:
            known = 0
            file = self._file(number)
            file.seek(0)
            while data := file.read(_READ):
                known = zlib.crc32(data, known)
            self._checksums[number] = known
        return known

    def _file(self, number: int) -> BinaryIO:
        if self._open is None or self._open[0] != number:
            self.close()
            self._open = number, open(self._paths[number][0], "rb", buffering=0)
        return self._open[1]
