"""A room on an engine, beside the raw limit of the same server and a host without one.

Needs redis-server, or the program that LANCHAT_REDIS_SERVER names.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import BinaryIO

import lanchat
from lanchat.api.joining import join_target
from lanchat.api.targets import Target
from lanchat.protocol.address import Endpoint
from lanchat.protocol.messages import UNNUMBERED, Said
from lanchat.server.engine.address import EngineAddress
from lanchat.server.engine.entries import proposal_of
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.engine.shared_log import CALL, Position
from scripts.benchmark.bench import Options, tell
from scripts.benchmark.latency import percentiles
from scripts.benchmark.machine import wait_for_quiet
from scripts.benchmark.nodes import line_of, node
from scripts.benchmark.several import HostsRow, one_talks
from scripts.benchmark.table import many, ms, table, times

_SERVER = os.environ.get("LANCHAT_REDIS_SERVER", "redis-server")
_EVENTS = 20_000  # for a rate
_BATCH = 50  # events in a call, as the raw limit has them
_SLICE = CALL  # events after which the next one goes on; a host that has much to say puts so many into a call
_READERS = 10  # hosts that read everything
_HOSTS = 4  # of one room
_LINES, _RATE = 1000, 100  # said in a room, and how many a second
_READER = "import sys; from scripts.benchmark.engine import read_all; read_all(*sys.argv[1:])"


@dataclass(frozen=True)
class RateRow:
    what: str
    per_s: float


@dataclass(frozen=True)
class LineRow:
    what: str
    p50: float  # ms, from saying a line to hearing it
    p99: float


def engine(options: Options) -> Sequence[RateRow | LineRow | HostsRow]:
    """Run the section."""
    if shutil.which(_SERVER) is None:
        tell(f"engine: {_SERVER} is not installed")
        return []
    number = _EVENTS // (5 if options.quick else 1)
    rates: dict[str, list[float]] = {}
    waits: dict[str, list[tuple[float, float]]] = {}
    for _ in range(options.repeat):
        wait_for_quiet(options.patience)
        try:
            with _redis() as port:
                for what, rate in _appends(port, number).items():
                    rates.setdefault(what, []).append(rate)
                rates.setdefault(f"written and read by {_READERS}", []).append(_readers(port, _EVENTS))
                for what, url in (("a host alone", ""), ("a host on an engine", f"redis://127.0.0.1:{port}")):
                    waits.setdefault(what, []).append(_lines(url, _LINES // (5 if options.quick else 1)))
        except (RuntimeError, OSError, lanchat.LanchatError) as error:
            tell(f"engine: {type(error).__name__} {error}")
    rows = [RateRow(what, median(found)) for what, found in rates.items()]
    lines = [LineRow(what, median(p for p, _ in found), median(p for _, p in found)) for what, found in waits.items()]
    raw = rows[0].per_s if rows else 1.0
    options.show(
        table("engine: events", ("", "events/s", ""), [(r.what, many(r.per_s), times(r.per_s / raw)) for r in rows])
    )
    columns = ("", "p50, ms", "p99, ms")
    options.show(table("engine: a line, 100 a second", columns, [(r.what, ms(r.p50), ms(r.p99)) for r in lines]))
    hosts = _hosts(options)
    if hosts:
        alone = hosts[0].per_core
        shown = [
            (
                f"{r.hosts} x {r.members // r.hosts}",
                many(r.deliveries / r.seconds),
                many(r.per_core),
                times(r.per_core / alone),
            )
            for r in hosts
        ]
        heads = ("hosts x members", "deliveries/s", "for each core of the hosts", "")
        options.show(table("engine: one talks to all", heads, shown))
    return [*rows, *lines, *hosts]


def _hosts(options: Options) -> list[HostsRow]:
    """One host without an engine, and several hosts on one."""
    members, seconds = (100, 2.0) if options.quick else (500, 5.0)
    runs = []
    for _ in range(options.repeat):
        try:
            with _redis() as port:
                one = one_talks("", 1, members, seconds)
                several = one_talks(f"redis://127.0.0.1:{port}", _HOSTS, members, seconds)
                runs.append((several.per_core / one.per_core, [one, several]))
        except (RuntimeError, OSError) as error:
            tell(f"engine: {type(error).__name__} {error}")
    runs.sort(key=lambda run: run[0])
    return runs[len(runs) // 2][1] if runs else []


@contextmanager
def _redis() -> Iterator[int]:
    """A server that writes at once. Gives its port."""
    with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        where = (
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--dir",
            folder,
            "--save",
            "",
            "--logfile",
            f"{folder}/log",
        )
        safe = ("--appendonly", "yes", "--appendfsync", "always")
        with subprocess.Popen([_SERVER, *where, *safe]) as server:
            try:
                until = time.monotonic() + 10.0
                while time.monotonic() < until:
                    try:
                        socket.create_connection(("127.0.0.1", port)).close()
                        break
                    except OSError:
                        time.sleep(0.01)
                yield port
            finally:
                server.terminate()


def _said(count: int) -> Said:
    return Said(UNNUMBERED, 1_700_000_000_000, "a" * 32, "ann", f"{count:012x}", "x" * 100)


def _appends(port: int, number: int) -> dict[str, float]:
    """Events a second: raw, and by a host. In turn, and medians of the turns: now and then the disk stands still."""
    raw: list[float] = []
    appended: dict[int, list[float]] = {_BATCH: [], CALL: []}
    with (
        socket.create_connection(("127.0.0.1", port)) as sock,
        sock.makefile("rb") as answers,
        closing(RedisLog(EngineAddress("127.0.0.1", port), secrets.token_hex(16), "ann", "ann")) as log,
    ):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        known = log.enter(0, known=False).position
        proposals = [proposal_of(_said(n), "") for n in range(number * len(appended))]
        for at in range(0, len(proposals), _SLICE * len(appended)):
            raw.append(_raw(sock, answers, proposals[0].body))
            for turn, size in enumerate(appended):
                first = at + turn * _SLICE
                began = time.monotonic()
                for start in range(first, first + _SLICE, size):
                    known = log.append(proposals[start : start + size], 0, known)
                appended[size].append(time.monotonic() - began)
    rows = {f"append of {size}": _SLICE / median(seconds) for size, seconds in appended.items()}
    return {f"raw XADD, {_BATCH} in a pipeline": _SLICE / median(raw), **rows}


def _raw(sock: socket.socket, answers: BinaryIO, body: bytes) -> float:
    """The seconds of a slice. Commands as the protocol of the server has them, so that no client counts."""
    command = b"*5\r\n$4\r\nXADD\r\n$3\r\nraw\r\n$1\r\n*\r\n$1\r\ne\r\n$%d\r\n%s\r\n" % (len(body), body)
    began = time.monotonic()
    for _ in range(_SLICE // _BATCH):
        sock.sendall(command * _BATCH)
        for _ in range(2 * _BATCH):
            answers.readline()
    return time.monotonic() - began


def _readers(port: int, number: int) -> float:
    """From the first event that is appended to the last one that the last of them has read."""
    room = secrets.token_hex(16)
    command = [sys.executable, "-c", _READER, str(port), room, str(number)]
    with ExitStack() as undo, closing(RedisLog(EngineAddress("127.0.0.1", port), room, "ann", "ann")) as log:
        log.enter(0, known=False)
        top = Path(__file__).parents[2]
        pipe = subprocess.PIPE
        readers = [
            undo.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=top))
            for _ in range(_READERS)
        ]
        for reader in readers:
            undo.callback(reader.terminate)
            line_of(reader)
        proposals = [proposal_of(_said(n), "") for n in range(number)]
        began = time.monotonic()
        for at in range(0, number, CALL):
            log.append(proposals[at : at + CALL], 0, Position(at))
        for reader in readers:
            line_of(reader)
        return number / (time.monotonic() - began)


def read_all(port: str, room: str, number: str) -> None:
    """One of those who read everything, in a process of its own."""
    with closing(RedisLog(EngineAddress("127.0.0.1", int(port)), room, "ann", "ann")) as log:
        after = Position(0)
        log.read(after, 1)
        print("ready", flush=True)
        while after.seq < int(number):
            for entry in log.read(after, 1000, 1.0):
                after = entry.position
        print("done", flush=True)
        sys.stdin.read()  # the end of a program takes 50 ms of a core, in which others still read


def _lines(url: str, number: int) -> tuple[float, float]:
    waited = []
    with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as folder:
        os.environ["LANCHAT_HOME"] = f"{folder}/talker"
        os.environ["LANCHAT_BENCH_ENGINE"] = url
        with node(folder, "ann") as ann:
            target = Target((Endpoint("127.0.0.1", int(line_of(ann))),))
            with join_target(target, "talker") as talker:
                began = time.monotonic()
                for count in range(number):
                    time.sleep(max(0.0, began + count / _RATE - time.monotonic()))
                    said = time.monotonic()
                    id = talker.say(f"line {count}")
                    while not any(isinstance(item, Said) and item.id == id for item in talker.take(5.0)):
                        pass
                    waited.append((time.monotonic() - said) * 1000)
    p50, p99, _ = percentiles(waited)
    return p50, p99
