"""The layout of a ZIP without compression, whose size is known before a byte of its files is read. Pure.

So a folder can be sent while it is read: nothing is built in memory or in a temporary folder, and a transfer that was
cut goes on at an offset. The checksum of each file stands behind its bytes, in a data descriptor (APPNOTE, 4.3.9).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

MAX_ENTRIES = 10_000
MAX_ENTRY = 1_900 << 20  # bytes of one file; below what needs ZIP64
MAX_ZIP = (1 << 32) - 1  # bytes; the offsets in it have 32 bits

_VERSION = 20  # of the format that a reader must know: 2.0
_UNIX = 3 << 8  # the system of the attributes
_FLAGS = 1 << 3 | 1 << 11  # a data descriptor follows; the name is UTF-8
_MODE = 0o100644 << 16  # a plain file, as Unix writes it; nothing in a sent folder is executable
_DESCRIPTOR = 16  # bytes


@dataclass(frozen=True)
class ZipEntry:
    """One file in the folder.

    Args:
        name: with slashes, below the folder that is sent.
        modified: year, month, day, hour, minute, second.
    """

    name: str
    size: int
    modified: tuple[int, int, int, int, int, int]

    @property
    def encoded(self) -> bytes:
        return self.name.encode(errors="replace")


@dataclass(frozen=True)
class Span:
    """A part of the ZIP: the header, the bytes or the descriptor of one file; or the directory at the end.

    Args:
        entry: the number of the file; -1: the directory.
    """

    start: int
    size: int
    kind: str
    entry: int


def zip_size(entries: Sequence[ZipEntry]) -> int:
    """The size of the whole ZIP."""
    return 22 + sum(92 + 2 * len(entry.encoded) + entry.size for entry in entries)


def spans(entries: Sequence[ZipEntry]) -> list[Span]:
    """All parts of the ZIP, in order and without gaps."""
    found: list[Span] = []
    at = 0
    for number, entry in enumerate(entries):
        for kind, size in (
            ("header", 30 + len(entry.encoded)),
            ("bytes", entry.size),
            ("descriptor", _DESCRIPTOR),
        ):
            found.append(Span(at, size, kind, number))
            at += size
    found.append(Span(at, zip_size(entries) - at, "directory", -1))
    return found


def header(entry: ZipEntry) -> bytes:
    """The header before the bytes of a file."""
    name = entry.encoded
    return struct.pack("<4s5H3I2H", b"PK\3\4", _VERSION, _FLAGS, 0, *_stamp(entry), 0, 0, 0, len(name), 0) + name


def descriptor(entry: ZipEntry, checksum: int) -> bytes:
    """What stands behind the bytes of a file.

    Args:
        checksum: CRC-32 of the bytes.
    """
    return struct.pack("<4s3I", b"PK\7\x08", checksum, entry.size, entry.size)


def directory(entries: Sequence[ZipEntry], checksums: Sequence[int]) -> bytes:
    """The directory at the end: all names once more, with the offsets of the files."""
    pieces: list[bytes] = []
    at = 0
    for entry, checksum in zip(entries, checksums, strict=True):
        name = entry.encoded
        versions = (_UNIX | _VERSION, _VERSION, _FLAGS, 0, *_stamp(entry))
        sizes = (checksum, entry.size, entry.size, len(name), 0, 0, 0, 0, _MODE, at)
        pieces.append(struct.pack("<4s6H3I5H2I", b"PK\1\2", *versions, *sizes) + name)
        at += 30 + len(name) + entry.size + _DESCRIPTOR
    size = sum(map(len, pieces))
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(entries), len(entries), size, at, 0)
    return b"".join(pieces) + end


def _stamp(entry: ZipEntry) -> tuple[int, int]:
    """The time and the date as MS-DOS had them: from 1980 on, and even seconds."""
    year, month, day, hour, minute, second = entry.modified
    if not 1980 <= year <= 2107:
        return 0, 1 << 5 | 1
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
