"""Files: how fast one goes to the host and back, beside the raw limit, and what the chat notices of four at once."""

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import lanchat
from lanchat.protocol.messages import Said
from scripts.benchmark import servers
from scripts.benchmark.bench import Options, tell
from scripts.benchmark.latency import percentiles
from scripts.benchmark.machine import LOAD_CORE, pin, wait_for_quiet
from scripts.benchmark.table import many, ms, table, times

_PIECE = 64 * 1024  # bytes
_ECHO_EVERY = 0.02  # s between two messages, whose echo is measured
_TRANSFERS = 4


@dataclass(frozen=True)
class FileRow:
    what: str
    mb_per_s: float
    of_limit: float  # of the raw limit in the same run


@dataclass(frozen=True)
class EchoRow:
    what: str
    p50: float  # ms
    p99: float


def files(options: Options) -> Sequence[FileRow | EchoRow]:
    """Run the section."""
    pin(LOAD_CORE)
    size = (64 if options.quick else 512) << 20
    speeds: dict[str, list[float]] = {"raw limit: TLS in memory": [], "up": [], "down": []}
    echoes: dict[str, list[list[float]]] = {"alone": [], f"beside {_TRANSFERS} transfers": []}
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as folder:
            try:
                _one_run(options, Path(folder), size, speeds, echoes)
            except (RuntimeError, OSError, lanchat.LanchatError) as error:
                tell(f"files: {type(error).__name__} {error}")
    rows = _file_rows(speeds)
    times_of = {what: [percentiles(found) for found in runs] for what, runs in echoes.items() if runs}
    echo_rows = [EchoRow(what, median(p[0] for p in ps), median(p[1] for p in ps)) for what, ps in times_of.items()]
    columns = ("", "MB/s", "of the limit")
    shown = [(row.what, many(row.mb_per_s), times(row.of_limit)) for row in rows]
    options.show(table(f"files: one of {size >> 20} MiB, with SHA-256 and disk at both ends", columns, shown))
    shown = [(row.what, ms(row.p50), ms(row.p99)) for row in echo_rows]
    options.show(table("files: the echo of a message, ms", ("", "p50", "p99"), shown))
    return [*rows, *echo_rows]


def _file_rows(speeds: dict[str, list[float]]) -> list[FileRow]:
    found = {what: median(values) for what, values in speeds.items() if values}
    raw = next(iter(found.values()), 0.0)
    return [FileRow(what, value, value / raw) for what, value in found.items()]


def _one_run(
    options: Options, folder: Path, size: int, speeds: dict[str, list[float]], echoes: dict[str, list[list[float]]]
) -> None:
    source = folder / "source.bin"
    with open(source, "wb") as out:
        for _ in range(size // _PIECE):
            out.write(os.urandom(_PIECE))
    os.environ["LANCHAT_HOME"] = str(folder / "home")
    os.environ["LANCHAT_INTERFACE"] = "127.0.0.1"
    raw, up, down = speeds.values()
    alone, beside = echoes.values()
    wait_for_quiet(options.patience)
    raw.append(size / 1e6 / _raw_seconds(size))
    with servers.running(servers.lanchat(plain=False)) as host:
        address = f"127.0.0.1:{host.port}"
        with lanchat.join(address, nick="ann") as room:
            up.append(size / 1e6 / _seconds(lambda: room.send_file(source)))
            down.append(size / 1e6 / _seconds(lambda: room.fetch("source.bin", folder / "got")))
            alone.append(_echoes(room, 1.0 if options.quick else 4.0))
            words = [sys.executable, "-m", "lanchat", "send", address, "--file", str(source)]
            senders = [_sender([*words, "--nick", f"eve{number}"], folder) for number in range(_TRANSFERS)]
            try:
                time.sleep(1.0)  # until all of them have begun
                beside.append(_echoes(room, 1.0 if options.quick else 4.0))
            finally:
                for sender in senders:
                    with suppress(ProcessLookupError):
                        sender.kill()
                    sender.wait()


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
