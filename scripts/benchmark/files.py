"""Files: how fast they go to the host and back, beside the raw limit, and what the chat notices of four at once.

What they cost of memory, and of bytes where links are cut, is in large_files.py.
"""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import lanchat
from lanchat.protocol.messages import Said
from scripts.benchmark import large_files, servers
from scripts.benchmark.bench import Options, tell
from scripts.benchmark.latency import percentiles
from scripts.benchmark.machine import LOAD_CORE, pin, wait_for_quiet
from scripts.benchmark.table import many, ms, table, times

_PIECE = 64 * 1024  # bytes
_ECHO_EVERY = 0.02  # s between two messages, whose echo is measured
_TRANSFERS = 4
_SMALL_FILES, _SMALL_FILE = 1000, 10 * 1024  # how many, and bytes of each
_MEMORY = Path("/dev/shm")  # a file system in memory, where there is one
_GIVE_WAY = ["nice", "-n", "15"]  # the senders share a core with who measures the echo
_RAW = "raw limit: TLS in memory"


@dataclass(frozen=True)
class FileRow:
    """One way of one file, at one kind of disk.

    Args:
        disk: the file system that both ends write to.
        of_limit: of the raw limit in the same run.
        files_per_s: of a folder of many; 0: it is one file.
    """

    what: str
    disk: str
    mb_per_s: float
    of_limit: float
    files_per_s: float = 0.0


@dataclass(frozen=True)
class EchoRow:
    what: str
    p50: float  # ms
    p99: float


Row = FileRow | EchoRow | large_files.MemoryRow | large_files.CutRow


def files(options: Options) -> Sequence[Row]:
    """Run the section."""
    pin(LOAD_CORE)
    size = (64 if options.quick else 512) << 20
    rows: list[Row] = []
    disks = [Path(tempfile.gettempdir())]
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 8 * size:
        disks.append(_MEMORY)
    for disk in disks:
        with _temporary(disk):
            rows += _at(disk, options, size)
    with _temporary(disks[-1]):
        rows += _attempt(lambda: large_files.cuts(options))
    with _temporary(disks[0]):
        rows += _attempt(lambda: large_files.memory(options))
    return rows


def _at(disk: Path, options: Options, size: int) -> list[FileRow | EchoRow]:
    """The speeds and echoes at one kind of disk."""
    kind = large_files.kind_of(disk)
    speeds: dict[str, list[float]] = {}
    echoes: dict[str, list[list[float]]] = {}
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as folder:
            _attempt(lambda: _one_run(options, Path(folder), size, speeds, echoes))
    found = {what: median(values) for what, values in speeds.items()}
    rows: list[FileRow | EchoRow] = []
    for what, value in found.items():
        each = value * 1e6 / _SMALL_FILE if "files" in what else 0.0
        rows.append(FileRow(what, kind, value, value / found[_RAW], each))
    columns = ("", "MB/s", "of the limit", "files/s")
    shown = [
        (row.what, many(row.mb_per_s), times(row.of_limit), many(row.files_per_s) if row.files_per_s else "")
        for row in rows
        if isinstance(row, FileRow)
    ]
    title = f"files: one of {size >> 20} MiB, with SHA-256 and disk ({kind}) at both ends"
    options.show(table(title, columns, shown))
    times_of = {what: [percentiles(one) for one in runs] for what, runs in echoes.items()}
    echo_rows = [EchoRow(what, median(p[0] for p in ps), median(p[1] for p in ps)) for what, ps in times_of.items()]
    shown_echoes = [(row.what, ms(row.p50), ms(row.p99)) for row in echo_rows]
    options.show(table(f"files: the echo of a message, ms ({kind})", ("", "p50", "p99"), shown_echoes))
    return [*rows, *echo_rows]


def _attempt(act: Callable[[], Sequence[Row] | None]) -> Sequence[Row]:
    try:
        return act() or []
    except (RuntimeError, OSError, lanchat.LanchatError) as error:
        tell(f"files: {type(error).__name__} {error}")
        return []


def _one_run(
    options: Options, folder: Path, size: int, speeds: dict[str, list[float]], echoes: dict[str, list[list[float]]]
) -> None:
    source = large_files.random_file(folder / "source.bin", size)
    small = folder / "small"
    small.mkdir()
    for number in range(_SMALL_FILES):
        (small / f"{number}.bin").write_bytes(os.urandom(_SMALL_FILE))
    wait_for_quiet(options.patience)
    speeds.setdefault(_RAW, []).append(size / 1e6 / _raw_seconds(size))

    def timed(what: str, moved: int, act: Callable[[], object]) -> None:
        speeds.setdefault(what, []).append(moved / 1e6 / _seconds(act))

    with servers.running(servers.lanchat(plain=False)) as host:
        address = f"127.0.0.1:{host.port}"
        with _joined(address, "bob", folder) as bob, _joined(address, "ann", folder) as ann:
            timed("up", size, lambda: ann.send_file(source))
            timed("down", size, lambda: bob.fetch("source.bin", folder / "got"))
            sealed = [] if options.quick else [ann.send_file]  # its time has the hash before, too
            for send in sealed:
                timed("up, sealed for one person", size, lambda: send(source, "bob"))  # noqa: B023
                [entry] = [one for one in bob.files if one.to]
                timed("down, sealed", size, lambda: bob.fetch(entry, folder / "opened"))  # noqa: B023
            total = _SMALL_FILES * _SMALL_FILE
            timed("up, 1000 files as a folder", total, lambda: ann.send_file(small))
            timed("down, 1000 files as a ZIP", total, lambda: bob.fetch("small.zip", folder / "got"))
            _measure_echoes(options, ann, address, source, folder, echoes)


def _measure_echoes(
    options: Options,
    ann: lanchat.JoinedRoom,
    address: str,
    source: Path,
    folder: Path,
    echoes: dict[str, list[list[float]]],
) -> None:
    seconds = 1.0 if options.quick else 4.0
    echoes.setdefault("alone", []).append(_echoes(ann, seconds))
    words = [*_GIVE_WAY, sys.executable, "-m", "lanchat", "send", address, "--file", str(source)]
    senders = [_sender([*words, "--nick", f"eve{number}"], folder) for number in range(_TRANSFERS)]
    try:
        time.sleep(1.0)  # until all of them have begun
        echoes.setdefault(f"beside {_TRANSFERS} transfers", []).append(_echoes(ann, seconds))
    finally:
        for sender in senders:
            with suppress(ProcessLookupError):
                sender.kill()
            sender.wait()


@contextmanager
def _temporary(disk: Path) -> Iterator[None]:
    """Within this block, what is temporary is at this disk."""
    before, tempfile.tempdir = tempfile.tempdir, str(disk)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _joined(address: str, nick: str, folder: Path) -> lanchat.JoinedRoom:
    os.environ["LANCHAT_HOME"] = str(folder / nick)
    os.environ["LANCHAT_INTERFACE"] = "127.0.0.1"
    return lanchat.join(address, nick=nick)


def _sender(words: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    home = folder / words[-1]
    home.mkdir(mode=0o700)
    return subprocess.Popen(words, env=servers.environment(home), stderr=subprocess.DEVNULL)


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _echoes(room: lanchat.JoinedRoom, seconds: float) -> list[float]:
    """The times from a message to its echo, in ms."""
    found: list[float] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.monotonic()
        id = room.send("echo")
        for event in room.events(timeout=10.0):
            if isinstance(event, Said) and event.id == id:
                break
        found.append((time.monotonic() - began) * 1e3)
        time.sleep(_ECHO_EVERY)
    return found


def _raw_seconds(size: int) -> float:
    """The time for so many bytes through TLS in memory, with one write and one send for each piece."""
    with servers.running(servers.drain()) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing)
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            while True:
                with suppress(ssl.SSLWantReadError):
                    tls.do_handshake()
                    break
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(_PIECE))
            sock.sendall(outgoing.read())
            piece = bytes(_PIECE - 2) + b"xx"
            began = time.monotonic()
            for _ in range(size // _PIECE):
                tls.write(piece)
                sock.sendall(outgoing.read())
            tls.write(b"\n\n")
            sock.sendall(outgoing.read())
            sock.recv(_PIECE)
            return time.monotonic() - began
