"""A host that can be killed, frozen and started again: always a process of its own."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lanchat.protocol.messages import Event
from lanchat.storage.reader import LogReader
from tests.faults.cable import enter_mounts
from tests.support.addresses import quiet_port
from tests.support.program import Program

TITLE = "Room A"


class HostProcess:
    """`lanchat host` with a home of its own.

    Args:
        options: more of the command line, as --no-limits.
        wrap: a command that runs it: nsenter, unshare.
        inherit: descriptors that command needs.
        local: listen on 127.0.0.1 only; else on everything in its namespace.
    """

    def __init__(
        self,
        home: Path,
        *options: str,
        wrap: Sequence[str] = (),
        local: bool = True,
    ) -> None:
        self.home = home
        self.own_disk = False  # whether its home is in a mount namespace of its own
        self.port = quiet_port()
        self.peak = 0  # bytes of memory, of all its lives
        self._options = options
        self._wrap, self._local = wrap, local
        self._lives: list[Program] = []
        self._program: Program | None = None

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def said(self) -> str:
        """What it has told the person, in all its lives."""
        return "".join(life.err for life in self._lives)

    @property
    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    @property
    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def start(self) -> None:
        """Returns when it is open."""
        argv = [
            *self._wrap,
            *(sys.executable, "-m", "tests.faults.program", "host", TITLE, "--headless", "--nick", "hal"),
            *("--no-announce", "--port", str(self.port), *self._options),
        ]
        env: dict[str, str | None] = {"LANCHAT_HOME": str(self.home)}
        if not self._local:
            env["LANCHAT_INTERFACE"] = None
        folder = self.home.with_name(f"{self.home.name}-life{len(self._lives) + 1}")
        self._program = Program(argv, folder, env)
        self._lives.append(self._program)
        self._program.wait_err("is open")

    def kill(self) -> None:
        """As a power cut would, but for what the kernel holds."""
        self._note_peak()
        self._running.close()
        self._program = None

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def files_path(self) -> Path:
        """Where its home is found from here; while it runs."""
        return Path(f"/proc/{self.pid}/root{self.home}") if self.own_disk else self.home

    @property
    def log_path(self) -> Path:
        (path,) = self.home.glob("rooms/*/log.db")
        return path

    def events(self) -> list[Event]:
        """All of the room's log, read beside the host."""
        return self._beside(lambda: list(LogReader(self.log_path).events()))

    def last(self) -> int:
        """The seq of the last event that is kept."""
        events = self._beside(lambda: list(LogReader(self.log_path).events(number=1)))
        return events[-1].seq if events else 0

    def close(self) -> None:
        """Let it close in order. May be called twice."""
        if self._program is None:
            return
        self._note_peak()
        program, self._program = self._program, None
        with program:
            program.send(signal.SIGCONT)
            program.stop()
        assert "Traceback" not in self.said, self.said

    @property
    def _running(self) -> Program:
        assert self._program is not None
        return self._program

    def _beside(self, read: Callable[[], list[Event]]) -> list[Event]:
        """In the host's own mount namespace, where it has one. SQLite finds the files by their true names only."""
        if not self.own_disk:
            return read()
        with ThreadPoolExecutor(1) as pool, open(f"/proc/{self.pid}/ns/mnt", "rb") as namespace:
            pool.submit(enter_mounts, namespace.fileno()).result()  # the pool has one thread
            return pool.submit(read).result()

    def _note_peak(self) -> None:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                self.peak = max(self.peak, int(line.split()[1]) * 1024)
