"""The sections that measure lanchat alone: joins, idle members, start-up, discovery, the screen, acknowledgements."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from scripts.benchmark import servers, startup
from scripts.benchmark.acks import Acks, AcksResult
from scripts.benchmark.bench import FULL_LOAD, Options, run, tell
from scripts.benchmark.latency import percentiles
from scripts.benchmark.load import Report
from scripts.benchmark.machine import LOAD_CORE, wait_for_quiet
from scripts.benchmark.paint import Paint, PaintResult
from scripts.benchmark.servers import Kind
from scripts.benchmark.table import many, ms, share, table, warn

T = TypeVar("T")

_TALKERS = 10  # members that all talk, for the acknowledgements


@dataclass(frozen=True)
class JoinRow:
    server: str
    members: int
    joined: int
    joins_per_s: float
    p50: float  # ms of one join
    p99: float
    server_cpu_ms: float  # of one join
    load_share: float
    kb_per_member: float  # memory of the server
    total_mb: float


@dataclass(frozen=True)
class TimeRow:
    what: str
    median: float  # ms
    worst: float


@dataclass(frozen=True)
class PaintRow:
    asked_per_s: int | None  # None: as many as it paints
    painted_per_s: float
    p50: float  # ms from key to echo
    p99: float
    max: float


@dataclass(frozen=True)
class AckRow:
    what: str
    acks_per_s: float
    p50: float  # ms
    p99: float
    max: float
    lost: int
    server_share: float


def joins(options: Options) -> Sequence[JoinRow]:
    kinds = [servers.lanchat(plain=False), servers.limit(tls=True), servers.naive(tls=True)]
    sizes = (1000,) if options.quick else (10, 100, 1000)
    rows = [_join_row(options, kind, members) for members in sizes for kind in kinds]
    title = "joins: TLS, proof, snapshot, and a notice to everybody; 16 under way"
    return _show_joins(options, title, rows)


def idle(options: Options) -> Sequence[JoinRow]:
    kind = servers.lanchat(plain=False)
    rows = [_join_row(options, kind, members) for members in ((1000,) if options.quick else (1000, 5000))]
    return _show_joins(options, "idle: memory of a member who is inside, TLS", rows)


def starting(options: Options) -> Sequence[TimeRow]:
    count = 3 if options.quick else 10
    measured = [
        ("lanchat --version", lambda: startup.version(count)),
        ("lanchat rooms, first row", lambda: startup.rooms(count)),
        ("lanchat join, list drawn", lambda: startup.picker(count)),
        ("lanchat join, the room on it", lambda: startup.picked(count)),
    ]
    return _show_times(options, f"startup: ms after the start of the program, of {count}", measured)


def discovery(options: Options) -> Sequence[TimeRow]:
    count = 3 if options.quick else 10
    measured = [
        ("a room that is open is listed", lambda: startup.rooms(count)),
        ("a room that opens appears to who watches", lambda: startup.appearing(count)),
    ]
    return _show_times(options, f"discovery on loopback: ms after the start of the program, of {count}", measured)


def paint(options: Options) -> Sequence[PaintRow]:
    seconds = 2.0 if options.quick else 5.0
    rows: list[PaintRow] = []
    for rate in (20_000, None):
        found: list[PaintResult] = []
        for _ in range(options.repeat):
            report = run(options, servers.lanchat(plain=False), 2, [Paint(seconds, rate)], core=LOAD_CORE)
            found += _all(report, PaintResult)
        if found:
            painted, p50, p99 = (median(getattr(r, name) for r in found) for name in ("painted", "p50", "p99"))
            rows.append(PaintRow(rate, painted, p50, p99, max(r.max for r in found)))
    options.show(
        table(
            "paint: the chat screen in a flood, a key typed every 50 ms; ms from key to echo",
            ("lines/s said", "painted/s", "p50", "p99", "max"),
            [
                (f"{r.asked_per_s or 'as many as it paints'}", many(r.painted_per_s), ms(r.p50), ms(r.p99), ms(r.max))
                for r in rows
            ],
        )
    )
    return rows


def log(options: Options) -> Sequence[AckRow]:
    seconds = 2.0 if options.quick else 5.0
    tasks = [
        (f"{_TALKERS} talk, 64 each under way", Acks(seconds)),
        (f"{_TALKERS} talk, 10 a second in all", Acks(seconds, rate=10)),
    ]
    found: dict[str, list[AcksResult]] = {}
    for _ in range(options.repeat):
        for what, task in tasks:
            report = run(options, servers.lanchat(plain=False), _TALKERS, [task])
            found.setdefault(what, []).extend(_all(report, AcksResult))
    rows = [
        AckRow(
            what,
            median(r.rate for r in results),
            median(r.p50 for r in results),
            median(r.p99 for r in results),
            median(r.max for r in results),
            sum(r.lost for r in results),
            median(r.use.server_share for r in results),
        )
        for what, results in found.items()
        if results
    ]
    options.show(
        table(
            "log: from a message to its acknowledgement, ms",
            ("", "acks/s", "p50", "p99", "max", "lost", "server"),
            [
                (r.what, many(r.acks_per_s), ms(r.p50), ms(r.p99), ms(r.max), str(r.lost), share(r.server_share))
                for r in rows
            ],
        )
    )
    return rows


def _all(report: Report | None, kind: type[T]) -> list[T]:
    return [result for result in report.results if isinstance(result, kind)] if report else []


def _join_row(options: Options, kind: Kind, members: int) -> JoinRow | None:
    joins = [report.joins for report in (run(options, kind, members, []) for _ in range(options.repeat)) if report]
    if not joins:
        return None
    p50, p99, _ = percentiles([seconds * 1e3 for j in joins for seconds in j.times])
    return JoinRow(
        kind.name,
        members,
        min(j.joined for j in joins),
        median(j.joined / j.seconds for j in joins),
        p50,
        p99,
        median(j.use.server / max(j.joined, 1) * 1e3 for j in joins),
        median(j.use.load_share for j in joins),
        median(j.rss_each for j in joins),
        median(j.rss for j in joins) / 1024,
    )


def _show_joins(options: Options, title: str, found: Sequence[JoinRow | None]) -> Sequence[JoinRow]:
    rows = [row for row in found if row is not None]
    options.show(
        table(
            title,
            ("", "members", "joined", "joins/s", "p50", "p99", "CPU ms/join", "load", "KiB/member", "MiB"),
            [
                (
                    row.server,
                    str(row.members),
                    str(row.joined),
                    f"{row.joins_per_s:.0f}",
                    ms(row.p50),
                    ms(row.p99),
                    ms(row.server_cpu_ms),
                    warn(share(row.load_share), row.load_share >= FULL_LOAD),
                    f"{row.kb_per_member:.0f}",
                    f"{row.total_mb:.0f}",
                )
                for row in rows
            ],
        )
    )
    return rows


def _show_times(
    options: Options, title: str, measured: Sequence[tuple[str, Callable[[], list[float]]]]
) -> Sequence[TimeRow]:
    rows = []
    for what, measure in measured:
        wait_for_quiet(options.patience)
        tell(what)
        try:
            times = measure()
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            tell(f"{what}: {error}")
            continue
        rows.append(TimeRow(what, median(times), max(times)))
    options.show(table(title, ("", "median", "worst"), [(r.what, ms(r.median), ms(r.worst)) for r in rows]))
    return rows
