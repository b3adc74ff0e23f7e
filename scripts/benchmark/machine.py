"""This machine: its name for the table, its cores, and the CPU time and memory of a process. Linux."""

import os
import platform
import resource
import time
from dataclasses import dataclass
from pathlib import Path

SERVER_CORE, LOAD_CORE = 0, 1
_FILES = 20_000  # descriptors; 5,000 members and then some
_QUIET = 0.15  # of a core, used by others
_LOOK = 0.2  # s
_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def describe() -> dict[str, str | int]:
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 1,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def pin(core: int) -> None:
    """Keep this process and its children on that core, if there are two."""
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > core and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def raise_limits() -> None:
    """Allow this process as many descriptors as it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), hard))
    except (OSError, ValueError):
        pass  # it goes as far as it goes


def wait_for_quiet(patience: float) -> None:
    """Wait until other programs leave this machine alone, at most so many seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        before, own = _busy_seconds(), time.process_time()
        time.sleep(_LOOK)
        if _busy_seconds() - before - (time.process_time() - own) < _QUIET * _LOOK:
            return


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, to the nanosecond: clock_getcpuclockid(3), which Python has for its own threads only."""
    return time.clock_gettime((~pid << 3) | 2)


def rss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


@dataclass(frozen=True)
class Use:
    """The CPU time that the server and the load generator used between two moments."""

    seconds: float
    server: float  # CPU-s
    load: float  # CPU-s
    foreign: float  # CPU-s of everybody else, and what the hypervisor took

    @property
    def server_share(self) -> float:
        return self.server / self.seconds if self.seconds else 0.0

    @property
    def load_share(self) -> float:
        return self.load / self.seconds if self.seconds else 0.0

    @property
    def foreign_share(self) -> float:
        return max(0.0, self.foreign / self.seconds) if self.seconds else 0.0


class Meter:
    """Measures from when it is made. `pid` is the server; the load generator is this process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._start = self._read()

    def read(self) -> Use:
        now = self._read()
        seconds, server, load, busy = (b - a for a, b in zip(self._start, now, strict=True))
        return Use(seconds, server, load, busy - server - load)

    def _read(self) -> tuple[float, float, float, float]:
        return time.monotonic(), cpu_seconds(self._pid), time.process_time(), _busy_seconds()


def _busy_seconds() -> float:
    user, nice, system, _idle, _wait, irq, soft, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + soft + steal) / _TICK


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
