"""Runs a program in a terminal of its own: reads what it writes, and presses keys. POSIX."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.benchmark.machine import pin

ROWS, COLUMNS = 40, 200
_STOP_LIMIT = 5.0  # s to end by itself
_WHERE = b"\x1b[6n"  # "where is the cursor?", which a terminal answers


class Terminal:
    """The program ends with the block. Owned by one thread."""

    def __init__(self, words: Sequence[str], environment: dict[str, str], core: int | None = None) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.set_blocking(self._ours, False)

        def prepare() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if core is not None:
                pin(core)

        try:
            self._process = subprocess.Popen(
                words,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env=environment | {"TERM": "xterm-256color"},
                start_new_session=True,
                preexec_fn=prepare,
            )
        finally:
            os.close(theirs)

    def read(self, timeout: float = 0.0) -> bytes:
        """The bytes that the program has written since the last call; waits at most so many seconds for some."""
        if timeout and not select.select([self._ours], [], [], timeout)[0]:
            return b""
        try:
            data = os.read(self._ours, 256 * 1024)
        except BlockingIOError:
            return b""
        except OSError:  # EIO: it has ended
            return b""
        if _WHERE in data:
            self.press(b"\x1b[1;1R")
        return data

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        os.close(self._ours)


def home_for(nick: str, home: Path) -> Path:
    """A home in which nobody is asked for a nick."""
    home.mkdir(exist_ok=True, mode=0o700)
    (home / "nick").write_text(nick + "\n")
    return home
