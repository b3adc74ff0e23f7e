"""The lines that a person has typed in a room, so that they come back with Up and Ctrl-R, also tomorrow.

Several processes may add to one file. A line is a JSON string, since what was typed may have several lines.
"""

import json
import logging
import os
from pathlib import Path

from lanchat.storage.files import write_file

MAX_LINES = 500  # that come back
MAX_FILE = 256 * 1024  # bytes; a longer file is cut to its last lines when it is opened

_log = logging.getLogger(__name__)


class InputHistory:
    """Belongs to one thread. It raises no error: a person can type without it.

    Args:
        path: the file; None: what is typed is forgotten with this object.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.lines: list[str] = []  # oldest first, as they were when the file was opened, and those added since
        if path is not None:
            self._read(path)

    def add(self, line: str) -> None:
        self.lines.append(line)
        if self._path is None:
            return
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            fd = os.open(self._path, flags, 0o600)
            try:
                os.write(fd, _encoded(line))  # one call: lines of several processes do not mix
            finally:
                os.close(fd)
        except OSError as error:
            _log.warning("cannot store what was typed: %s", error.strerror)

    def _read(self, path: Path) -> None:
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - MAX_FILE))
                found = file.read(MAX_FILE).split(b"\n")[1 if size > MAX_FILE else 0 :]
            self.lines = [line for data in found if (line := _decoded(data))][-MAX_LINES:]
            if size > MAX_FILE:
                write_file(path, b"".join(map(_encoded, self.lines)), durable=False)
        except FileNotFoundError:
            pass
        except OSError as error:
            _log.warning("cannot read what was typed before: %s", error.strerror)


def _encoded(line: str) -> bytes:
    return json.dumps(line).encode() + b"\n"


def _decoded(data: bytes) -> str:
    """The line; empty if it is damaged."""
    try:
        line = json.loads(data)
    except ValueError:
        return ""
    return line if isinstance(line, str) else ""
