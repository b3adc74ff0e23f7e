"""Decides which files of a room a standby copies, so that they are there when it hosts. Pure."""

from collections.abc import Iterable, Mapping

from lanchat.protocol.file_messages import FileEntry

LARGEST = 64 << 20  # bytes of one file; larger ones stay with the computer that has them
MOST = 1 << 30  # bytes of all files: a laptop is no archive


def next_copy(entries: Iterable[FileEntry], have: Mapping[str, int], free: int) -> FileEntry | None:
    """The file to copy next: the smallest one, so that most files are copied soon.

    Args:
        entries: what the host has listed.
        have: the sizes of the copies, by file.
        free: bytes that the disk takes.
    """
    left = min(MOST - sum(have.values()), free, LARGEST)
    lacking = (
        entry
        for entry in entries
        if entry.sha256 and not (entry.elsewhere or entry.to) and entry.size <= left and entry.file not in have
    )
    return min(lacking, key=lambda entry: entry.size, default=None)
