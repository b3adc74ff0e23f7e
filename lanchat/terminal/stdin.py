"""Stdin as lines, whatever whoever started us has made of it."""

import errno
import os
import select
from collections.abc import Iterator

from lanchat.errors import LanchatError


def read_lines(file: int) -> Iterator[str]:
    """The lines of this file descriptor, each as soon as it is there.

    Not through `sys.stdin`: a thread left behind in its buffer would abort the interpreter's exit (cpython#129536).

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
            select.select([file], [], [])  # who shares it with us (ssh, node) never waits in it; we do
        except OSError as error:
            if error.errno == errno.EBADF:  # nohup opens it for writing only: there is nothing to read
                return b""
            raise LanchatError(f"cannot read stdin: {error.strerror or error}") from None
