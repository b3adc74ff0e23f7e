"""Standard input and output, in whatever state the program was started with."""

import errno
import io
import logging
import os
import select
import stat
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from lanchat.errors import LanchatError

if TYPE_CHECKING:
    from lanchat.terminal.piped import Line

INDENT = 4  # cells before the further rows of a long line, besides its own; what to do after an error has two


def open_missing_streams() -> None:
    """Put the null device in the place of each standard stream that is closed, before anything else is opened.

    Otherwise that stream is None, what is printed to a missing stderr goes to stdout, among the data, and the next
    file or socket gets the number of a standard stream. Each file opened here gets the lowest free number, which is the
    one that is missing.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")


def replace_unencodable() -> None:
    """Write a character that stdout's encoding lacks (ASCII, cp1252) as its code; it is no reason to end."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def can_write(out: IO[str], text: str) -> bool:
    """Whether this stream's encoding has these characters."""
    try:
        text.encode(getattr(out, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def has_terminal() -> bool:
    """Whether there is a person at stdin and stdout, not a pipe or a file."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def is_dumb() -> bool:
    """Whether the terminal says that it knows no escape sequences. The console of Windows says nothing."""
    return sys.platform != "win32" and os.environ.get("TERM", "") in ("", "dumb", "unknown")


def put(stream: IO[str], *lines: str) -> None:
    """Write lines for a person. This is the one door for words of which a part may come from outside.

    They are made harmless here, whatever is in them, and on a terminal a long line goes on under an indent, so that
    nothing of it stands where lines begin. What a program reads (JSON) is written without it.
    """
    from lanchat.protocol.text import safe_text  # not at the top: `lanchat --version` does without it

    for line in map(safe_text, lines):
        stream.write(in_rows(stream, line, len(line) - len(line.lstrip(" ")) + INDENT) + "\n")
    stream.flush()


def put_path(out: IO[str], path: str) -> None:
    """Write a path as data, on a line of its own: harmless on a terminal, and else by the very bytes of its name, which
    need not be Unicode."""
    if out.isatty():
        from lanchat.protocol.text import safe_text

        out.write(f"{safe_text(path)}\n")
    elif isinstance(out, io.TextIOWrapper) and os.name == "posix":
        out.flush()
        out.buffer.write(os.fsencode(path) + b"\n")
    else:
        out.write(f"{path}\n")
    out.flush()


def in_rows(stream: IO[str], line: str, indent: int = INDENT) -> str:
    """A harmless line, broken for the window where this stream goes, which may be narrower than it was just now.

    Args:
        indent: cells before the further rows.
    """
    columns = columns_of(stream)
    if columns and (len(line) > columns or not line.isascii()):
        from lanchat.terminal.wrap import hang

        return hang(line, columns, indent, 0)
    return line


class SafeFormatter(logging.Formatter):
    """Makes a line of the log harmless, because people look at it in a terminal: a line stays one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        from lanchat.protocol.text import safe_text

        return safe_text(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        from lanchat.protocol.text import safe_text

        return safe_text(super().formatException(ei), lines=True)


def columns_of(stream: IO[str]) -> int:
    """How many cells a row has where this stream goes; 0 if that is no terminal."""
    try:
        if not stream.isatty():
            return 0
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # it has no descriptor at all, or is closed
        return 0


def is_discarded(out: IO[str]) -> bool:
    """Whether what is written there goes to /dev/null."""
    try:
        if sys.platform == "win32":  # os.fstat names no devices there
            return False
        about = os.fstat(out.fileno())
        return stat.S_ISCHR(about.st_mode) and about.st_rdev == os.stat(os.devnull).st_rdev
    except (OSError, ValueError):  # it has no descriptor at all
        return False


def has_reader(out: IO[str]) -> bool:
    """Whether what is written there can still be read: False once the reader of a pipe has gone.

    A program that waits for something to print asks now and then, because only a write would tell it else, and that may
    be hours away: `lanchat tail ROOM -f | grep -m1 done` would go on until somebody says one more line.
    """
    if sys.platform == "win32":  # it has no poll()
        return True
    try:
        poll = select.poll()
        poll.register(out.fileno(), 0)  # what ends a pipe is told unasked
        return not any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))
    except (OSError, ValueError):  # it has no descriptor at all
        return True


def read_lines(file: int, limit: int | None = None) -> "Iterator[Line]":
    """The lines of this file descriptor, each as soon as it is complete.

    This does not go through `sys.stdin`: a thread left behind in its buffer would abort the interpreter's exit
    (cpython#129536).

    Args:
        limit: bytes of a line; None: those of a message.

    Raises:
        LanchatError: it cannot be read.
    """
    from lanchat.terminal.piped import LineSplitter  # commands that read nothing need not load the rules of messages

    splitter = LineSplitter() if limit is None else LineSplitter(limit)
    while data := read_some(file):
        yield from splitter.feed(data)
    yield from splitter.end()


def read_some(file: int) -> bytes:
    """What this file descriptor has, after waiting for it; nothing at its end, or if it was opened for writing only.

    Raises:
        LanchatError: it cannot be read.
    """
    while True:
        try:
            return os.read(file, 64 * 1024)
        except BlockingIOError:
            select.select([file], [], [])  # a program that shares it with us (ssh, node) has made it non-blocking
        except OSError as error:
            if error.errno == errno.EBADF:  # nohup opens it for writing only: there is nothing to read
                return b""
            raise LanchatError(f"Cannot read stdin: {error.strerror or error}.") from None
