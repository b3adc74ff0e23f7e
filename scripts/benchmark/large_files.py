"""Files: the memory that a large one costs at each end, and the bytes that cut links cost."""

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import lanchat
from lanchat.api.joining import join_target
from lanchat.api.targets import Target
from lanchat.client.running import RunningTransfer
from lanchat.network.addresses import where
from lanchat.protocol.address import Endpoint
from lanchat.protocol.timing import Timing
from scripts.benchmark import servers
from scripts.benchmark.bench import Options, tell
from scripts.benchmark.table import table

_LARGE = 8 << 30  # bytes of the file whose memory is measured
_PIECE = 1 << 20  # bytes
_LOOK = 0.02  # s between two looks at the memory of a process
_EAGER = Timing(first_retry=0.05, last_retry=0.2)  # who is cut all the time comes back soon


@dataclass(frozen=True)
class MemoryRow:
    """The memory of one process.

    Args:
        mib: more at most, with the large file than with a small one.
    """

    what: str
    mib: float
    file: int  # bytes of the large one


@dataclass(frozen=True)
class CutRow:
    """The bytes that were moved beyond the size of a file while its links were cut, as a share of it."""

    what: str
    cuts: int
    beyond: float
    size: int


def memory(options: Options) -> Sequence[MemoryRow]:
    """Send and fetch a sparse file with the program, and compare with a small one."""
    size = (256 << 20) if options.quick else _LARGE
    with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as made:
        folder = Path(made)
        while shutil.disk_usage(folder).free < 4 * size:  # it is written at both ends, and a part stays free
            size //= 2
        random_file(folder / "small.bin", _PIECE)
        os.truncate(random_file(folder / "large.bin", _PIECE), size)
        peaks: list[list[float]] = []
        with servers.running(servers.lanchat(plain=False, files=f"{6 * size >> 20}M")) as host:
            for name in ("small.bin", "large.bin"):
                at = f"127.0.0.1:{host.port}"
                sender = _peak(["send", at, "--file", str(folder / name), "--nick", "ann"], folder / "ann")
                receiver = _peak(["get", at, name, "--dir", str(folder / "got"), "--nick", "bob"], folder / "bob")
                peaks.append([_high_water(host.pid), sender, receiver])
                tell(f"files: {name}, {(folder / 'got' / name).stat().st_size >> 20} MiB came")
                (folder / "got" / name).unlink()
    small, large = peaks
    rows = [
        MemoryRow(what, after - before, size)
        for what, before, after in zip(("host", "sender", "receiver"), small, large, strict=True)
    ]
    shown = [(row.what, f"{row.mib:.1f}") for row in rows]
    options.show(table(f"files: memory for one of {size >> 20} MiB, beside one of 1 MiB", ("", "MiB more"), shown))
    return rows


def cuts(options: Options) -> Sequence[CutRow]:
    """Send and fetch a file while its links are cut at random bytes."""
    size, number = (64 << 20, 30) if options.quick else (512 << 20, 250)
    with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as made:
        folder = Path(made)
        source = random_file(folder / "source.bin", size)
        os.environ["LANCHAT_HOME"] = str(folder / "ann")
        os.environ["LANCHAT_INTERFACE"] = "127.0.0.1"
        with servers.running(servers.lanchat(plain=False)) as host:
            target = Target((Endpoint("127.0.0.1", host.port),))
            with join_target(target, "ann", on=where(None), timing=_EAGER) as room:
                up = _Cuts(room, size, number)
                room.start_sending(source, up.moved).wait()
                down = _Cuts(room, size, number)
                [entry] = room.files
                room.start_fetching(entry, folder / "got", down.moved).wait()
    rows = [CutRow(what, cut.done, cut.beyond, size) for what, cut in (("up", up), ("down", down))]
    shown = [(row.what, str(row.cuts), f"{row.beyond:.3%}") for row in rows]
    title = f"files: one of {size >> 20} MiB whose links are cut at random"
    options.show(table(title, ("", "cuts", "moved beyond its size"), shown))
    return rows


class _Cuts:
    """Cuts the link of a transfer at random bytes, and counts what is moved. For the thread of the transfer."""

    def __init__(self, room: lanchat.JoinedRoom, size: int, number: int) -> None:
        self._size = size
        self._due = sorted(random.Random(number).sample(range(size), number))
        self._at = self._moved = self.done = 0
        transfers = room._member.transfers
        self._socket: socket.socket | None = None
        self._dial: Callable[[], socket.socket] = transfers.dial
        transfers.dial = self._dialled

    @property
    def beyond(self) -> float:
        return self._moved / self._size - 1

    def moved(self, transfer: RunningTransfer) -> None:
        """The transfer has come so far; after a cut it may be less than before."""
        at = transfer.progress.done
        self._moved += max(0, at - self._at)
        self._at = at
        if self._due and self._moved >= self._due[0]:
            del self._due[0]
            self.done += 1
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _dialled(self) -> socket.socket:
        made = self._dial()
        self._socket = made
        return made


def random_file(path: Path, size: int) -> Path:
    with open(path, "wb") as out:
        for _ in range(size // _PIECE):
            out.write(os.urandom(_PIECE))
    return path


def kind_of(folder: Path) -> str:
    """The kind of the file system of a folder, such as ext4 or tmpfs."""
    best, kind = "", "?"
    with suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            at, its = line.split()[1:3]
            if len(at) > len(best) and folder.resolve().is_relative_to(at):
                best, kind = at, its
    return kind


def _peak(words: list[str], home: Path) -> float:
    """Run the program to its end. Returns the most memory that it had, in MiB."""
    home.mkdir(mode=0o700, exist_ok=True)
    command = [sys.executable, "-m", "lanchat", *words]
    process = subprocess.Popen(
        command, env=servers.environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    most = 0.0
    try:
        while process.poll() is None:
            most = max(most, _high_water(process.pid))
            time.sleep(_LOOK)
    finally:
        process.kill()
        _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"lanchat {words[0]} ended with {process.returncode}: {said.decode(errors='replace')}")
    return most


def _high_water(pid: int) -> float:
    """The most memory that this process has had, in MiB; 0: it is over."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
