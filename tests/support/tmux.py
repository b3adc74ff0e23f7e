"""A program in tmux: a terminal that breaks its rows anew when the window becomes narrower, as most do.

with Tmux(["program"], columns=80) as screen:
    screen.wait_until(lambda: "hello" in screen.text)
    screen.resize(40)
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from lanchat.threads import Closable
from tests.support.waiting import PATIENCE, wait_until

HAVE_TMUX = shutil.which("tmux") is not None
_numbers = count(1)


class Tmux(Closable):
    """The program's only window; gone with `close()`. One thread uses the object.

    Args:
        folder: for the socket of a tmux that is the test's own.
    """

    def __init__(self, argv: Sequence[str], folder: Path, *, columns: int = 80, rows: int = 24) -> None:
        self._rows = rows
        self._tmux = ["tmux", "-u", "-f", os.devnull, "-S", str(folder / f"tmux{next(_numbers)}")]
        self._run("new-session", "-d", "-x", str(columns), "-y", str(rows), f"exec {shlex.join(argv)}")

    @property
    def text(self) -> str:
        """What is in view."""
        return self._run("capture-pane", "-p")

    @property
    def all_lines(self) -> list[str]:
        """The rows in view and all that have scrolled out of it."""
        return self._run("capture-pane", "-p", "-S", "-").splitlines()

    def press(self, keys: str) -> None:
        self._run("send-keys", "-l", keys)

    def resize(self, columns: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(self._rows))

    def wait_until(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
        try:
            wait_until(condition, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; on the screen:\n{self.text}") from None

    def close(self) -> None:
        """May be called twice."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    def _run(self, *words: str) -> str:
        return subprocess.run([*self._tmux, *words], capture_output=True, check=True, encoding="utf-8").stdout
