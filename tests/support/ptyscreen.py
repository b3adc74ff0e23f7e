"""A Python program in a real pseudo-terminal, with pyte as the terminal a person would look at.

with PtyScreen([sys.executable, "program.py"], columns=40) as screen:
    screen.wait_until(lambda: "hello" in screen.text)
    screen.press("/quit\\r")
    assert screen.wait_exit() == 0
"""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte

from lanchat.threads import Closable
from tests.support.program import start
from tests.support.waiting import PATIENCE


class _Screen(pyte.HistoryScreen):
    """The terminal that pyte is, which knows no faint text: that is noted as italic, which lanchat never writes."""

    def select_graphic_rendition(self, *attributes: int, **options: bool) -> None:
        noted: list[int] = []
        left = [*attributes]
        while left:
            match left:
                case [38 | 48, 5, _, *rest] | [38 | 48, 2, _, _, _, *rest]:  # a colour, whose numbers mean nothing else
                    noted += left[: len(left) - len(rest)]
                case [2, *rest]:
                    noted.append(3)
                case [22, *rest]:
                    noted += [22, 23]
                case [attribute, *rest]:
                    noted.append(attribute)
            left = rest
        super().select_graphic_rendition(*noted, **options)


@dataclass(frozen=True)
class Cell:
    """One character of the screen, and how it looks."""

    text: str
    colour: str  # the name of one of 16, or six hex digits, or "default"
    bold: bool
    faint: bool
    reverse: bool


class PtyScreen(Closable):
    """The child runs with this terminal as its controlling one. One thread uses the object.

    Nothing of what the child draws is looked at unless something is waited for: `wait_until` reads.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        history: int = 5000,
        fresh: bool = False,
    ) -> None:
        self.raw = bytearray()  # every byte the child has written
        self._screen = _Screen(columns, rows, history=history, ratio=0.001)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        self._set_size(rows, columns)
        self.modes_before = termios.tcgetattr(slave)
        whole = {**os.environ, "TERM": "xterm-256color", **(env or {})}
        self._process = start(argv, stdin=slave, stdout=slave, stderr=slave, env=whole, terminal=True, fresh=fresh)
        self._slave = slave  # kept open: its modes are looked at after the child has gone

    @property
    def lines(self) -> list[str]:
        """What is to be seen now, a string for each row."""
        return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def cells(self) -> list[list[Cell]]:
        """What is to be seen now, with its looks, cell by cell; the second cell of a wide character has no text."""
        rows = [[self._screen.buffer[y][x] for x in range(self._screen.columns)] for y in range(self._screen.lines)]
        return [[Cell(c.data, c.fg, c.bold, c.italics, c.reverse) for c in row] for row in rows]

    @property
    def all_lines(self) -> list[str]:
        """The same with all that has scrolled out at the top."""
        columns = self._screen.columns
        gone = ["".join(row[x].data for x in range(columns)).rstrip() for row in self._screen.history.top]
        return gone + self.lines

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, from 0."""
        return self._screen.cursor.x, self._screen.cursor.y

    @property
    def cursor_hidden(self) -> bool:
        return bool(self._screen.cursor.hidden)

    @property
    def title(self) -> str:
        return str(self._screen.title)

    @property
    def modes(self) -> list[object]:
        """The terminal's modes now, as termios tells them; compare with `modes_before`."""
        return termios.tcgetattr(self._slave)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def foreground(self) -> int:
        """The process group that has the terminal: in a shell with jobs, the one in the foreground."""
        return os.tcgetpgrp(self._master)

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def echo(self) -> None:
        """Make it show that, as a shell does that takes the terminal over."""
        modes = termios.tcgetattr(self._master)
        modes[3] |= termios.ECHO
        termios.tcsetattr(self._master, termios.TCSANOW, modes)

    def press(self, keys: str | bytes) -> None:
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def paste(self, text: str) -> None:
        """As a terminal does it: line ends become returns, between the marks of a bracketed paste."""
        self.press("\x1b[200~" + text.replace("\n", "\r") + "\x1b[201~")

    def resize(self, columns: int, rows: int) -> None:
        gone = max(0, self._screen.lines - rows)
        self._screen.resize(rows, columns)  # takes rows away at the top, but forgets to take the cursor with them
        self._screen.cursor.y = max(0, self._screen.cursor.y - gone)
        self._set_size(rows, columns)  # the kernel sends SIGWINCH

    def wait_until(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Read what the child draws until the condition holds.

        Raises:
            AssertionError: it does not in time; with what is on the screen.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"waited {timeout} s in vain; on the screen:\n{self.text}"
            if not self._read(min(left, 0.05)) and self._process.poll() is not None:
                assert condition(), f"the program ended with {self._process.returncode}; on the screen:\n{self.text}"

    def wait_question(self, timeout: float = PATIENCE) -> None:
        """Read until a question of `input()` stands there whole, and the child waits for the answer.

        An interrupt that comes while the question is still being written is lost: `input()` clears it.
        """

        def asked() -> bool:
            column, row = self.cursor
            line = self.lines[row]
            return line.endswith(":") and column == len(line) + 1 and _sleeps(self.pid)

        self.wait_until(asked, timeout)

    def wait_exit(self, timeout: float = PATIENCE) -> int:
        """The child's exit code, after all it has drawn was read."""
        self.wait_until(lambda: self._process.poll() is not None, timeout)
        while self._read(0):
            pass
        return self._process.wait()

    def kill(self, number: int) -> None:
        self._process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal's window."""
        if self._slave >= 0:
            os.close(self._slave)
            os.close(self._master)
            self._slave = self._master = -1

    def close(self) -> None:
        """End the child, whatever it does. May be called twice."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.hang_up()

    def _read(self, timeout: float) -> bool:
        if self._master < 0:
            time.sleep(timeout)  # the window is closed; only the child's end is left to wait for
            return False
        ready, _, _ = select.select([self._master], [], [], timeout)
        if not ready:
            return False
        data = os.read(self._master, 65536)
        self.raw += data
        self._stream.feed(data)
        return True

    def _set_size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _sleeps(pid: int) -> bool:
    """Whether the main thread waits for something; True where the system does not tell."""
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "S"
