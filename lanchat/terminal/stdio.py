"""Standard input and output, in whatever state the program was started with."""

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from typing import IO

from lanchat.errors import LanchatError


def replace_unencodable() -> None:
    """Write a character that stdout's encoding lacks (ASCII, cp1252) as its code; it is no reason to end."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def has_terminal() -> bool:
    """Whether there is a person at stdin and stdout, not a pipe or a file."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def is_discarded(out: IO[str] | None) -> bool:
    """Whether what is written there goes to /dev/null."""
    try:
        if out is None or sys.platform == "win32":  # os.fstat names no devices there
            return False
        about = os.fstat(out.fileno())
        return stat.S_ISCHR(about.st_mode) and about.st_rdev == os.stat(os.devnull).st_rdev
    except (OSError, ValueError):  # it has no descriptor at all
        return False


def read_lines(file: int) -> Iterator[str]:
    """The lines of this file descriptor without their ends, each as soon as it is complete.

    This does not go through `sys.stdin`: a thread left behind in its buffer would abort the interpreter's exit
    (cpython#129536).

    Raises:
        LanchatError: it cannot be read.
    """
    partial = b""
    while data := _read(file):
        *lines, partial = (partial + data).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if partial:
        yield partial.decode(errors="replace")


def _read(file: int) -> bytes:
    while True:
        try:
            return os.read(file, 64 * 1024)
        except BlockingIOError:
            select.select([file], [], [])  # a program that shares it with us (ssh, node) has made it non-blocking
        except OSError as error:
            if error.errno == errno.EBADF:  # nohup opens it for writing only: there is nothing to read
                return b""
            raise LanchatError(f"Cannot read stdin: {error.strerror or error}.") from None
