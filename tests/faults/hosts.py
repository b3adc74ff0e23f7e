"""A host that can be killed, frozen and started again: always a process of its own."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lanchat.protocol.messages import Event
from lanchat.storage.reader import LogReader
from tests.faults.cable import enter_mounts
from tests.support.program import Process, start
from tests.support.waiting import wait_until

TITLE = "Room A"
START_LIMIT = 20.0  # s for a host to open, on a busy machine
STOP_LIMIT = 20.0  # s for a host to close in order


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
        inherit: Sequence[int] = (),
        local: bool = True,
    ) -> None:
        self.home = home
        self.own_disk = False  # whether its home is in a mount namespace of its own
        self.port = _quiet_port()
        self.said = home.with_name(f"{home.name}.stderr")
        self.peak = 0  # bytes of memory, of all its lives
        self._options = options
        self._wrap, self._inherit, self._local = wrap, inherit, local
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    @property
    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def start(self) -> None:
        """Returns when it is open."""
        with open(self.said, "ab") as said:
            begin = said.tell()
            environment = {**os.environ, "LANCHAT_HOME": str(self.home)}
            if not self._local:
                environment.pop("LANCHAT_INTERFACE", None)
            self._process = start(
                [
                    *self._wrap,
                    *(sys.executable, "-m", "tests.faults.program", "host", TITLE, "--headless", "--nick", "hal"),
                    *("--no-announce", "--port", str(self.port), *self._options),
                ],
                stdin=subprocess.PIPE,
                stderr=said.fileno(),
                env=environment,
                keep=self._inherit,
            )
        process = self._process
        wait_until(
            lambda: b"is open" in self.said.read_bytes()[begin:] or process.poll() is not None, START_LIMIT, "the host"
        )
        assert process.poll() is None, self.said.read_text()

    def kill(self) -> None:
        """As a power cut would, but for what the kernel holds."""
        self._note_peak()
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._let_go()

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
        return self._beside(lambda: LogReader(self.log_path).last_events())

    def last(self) -> int:
        """The seq of the last event that is kept."""
        events = self._beside(lambda: LogReader(self.log_path).last_events(number=1))
        return events[-1].seq if events else 0

    def close(self) -> None:
        """Let it close in order. May be called twice."""
        if self._process is None:
            return
        self._note_peak()
        process = self._process
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            self._let_go()
        assert b"Traceback" not in self.said.read_bytes(), self.said.read_text()

    def _let_go(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()
        self._process = None

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


def _quiet_port() -> int:
    """A free port that no outgoing connection is given, while the host is dead."""
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
