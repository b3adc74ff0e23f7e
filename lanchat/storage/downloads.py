"""Gives fetched files safe names, never those of other files; not executable, and marked as coming from the network."""

import errno
import os
import shutil
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

from lanchat.protocol.filenames import safe_name
from lanchat.storage.files import sync_folder

MARGIN = 0.05  # of a file's size that must stay free beside it
_EXCLUSIVE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV, errno.EACCES, errno.ENOSYS}


def part_path(folder: Path, file: str) -> Path:
    """The path where the bytes of a file wait until it is whole.

    Args:
        file: 32 hex digits.
    """
    return folder / f".{file}.part"


def missing_space(folder: Path, size: int) -> tuple[int, int] | None:
    """How many bytes are needed and how many are free, if `size` bytes more do not fit; None: they do."""
    needed = size + int(size * MARGIN)
    free = shutil.disk_usage(folder).free
    return None if needed <= free or not size else (needed, free)


def finish_download(part: Path, name: str) -> Path:
    """Give a complete part its name, in the same folder.

    Args:
        name: as it came from the network.

    Returns:
        The new path, which no other file had: `report.pdf`, `report (2).pdf`, ...

    Raises:
        OSError: the folder cannot be written.
    """
    name = safe_name(name)
    _make_readable(part)
    for number in count(1):
        path = part.with_name(name if number == 1 else _numbered(name, number))
        try:
            _move(part, path)
        except FileExistsError:
            continue
        _mark(path)
        sync_folder(path.parent)
        return path
    raise AssertionError("unreachable: there are more numbers than files")


def _move(part: Path, path: Path) -> None:
    """Give a part its name. Raises FileExistsError if anything is at that path, also a link that leads nowhere."""
    try:
        os.link(part, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(path, _EXCLUSIVE, 0o600))  # the name is ours now
        os.replace(part, path)
    else:
        part.unlink()


def _make_readable(part: Path) -> None:
    """Give it the mode of a file that any program of this person would have made, but for the right to be executed."""
    probe = part.with_suffix(".mode")  # os.umask() can only be read by changing it, for all threads
    probe.unlink(missing_ok=True)  # left by a program that was killed here
    fd = os.open(probe, _EXCLUSIVE, 0o644)
    try:
        os.chmod(part, os.fstat(fd).st_mode & 0o666)
    finally:
        os.close(fd)
        probe.unlink()


def _numbered(name: str, number: int) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem} ({number}).{ending}" if dot and stem else f"{name} ({number})"


def _mark(path: Path) -> None:
    """Note that the file came from the network, so that the system asks before it runs it."""
    with suppress(OSError):
        if sys.platform == "win32":
            with open(f"{path}:Zone.Identifier", "w", encoding="ascii") as mark:
                mark.write("[ZoneTransfer]\r\nZoneId=3\r\n")
        elif sys.platform == "darwin":
            import subprocess

            quarantine = ["xattr", "-w", "com.apple.quarantine", "0081;00000000;lanchat;", str(path)]
            subprocess.run(quarantine, check=False, capture_output=True, timeout=10)
