"""The sections that compare lanchat with other servers: fan-out and latency."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from scripts.benchmark import peers, servers
from scripts.benchmark.bench import FOREIGN, FULL_LOAD, Options, run, tell
from scripts.benchmark.fanout import Fanout, FanoutResult
from scripts.benchmark.latency import Latency, LatencyResult
from scripts.benchmark.servers import Kind
from scripts.benchmark.table import many, ms, share, table, times, warn


@dataclass(frozen=True)
class FanoutRow:
    server: str
    tls: bool
    members: int
    senders: int
    deliveries_per_s: float
    to_naive: float | None  # ratios to the servers of the same run, with TLS where this one has it
    to_limit: float | None
    cpu_s_per_million: float
    cpu_to_limit: float | None
    server_share: float
    load_share: float
    foreign_share: float
    lost: int
    doubled: int
    swapped: int
    broken: int
    dropped: int  # members

    @property
    def wrong(self) -> int:
        return self.lost + self.doubled + self.swapped + self.broken + self.dropped


@dataclass(frozen=True)
class LatencyRow:
    server: str
    tls: bool
    members: int
    rate: int
    p50: float  # ms
    p99: float
    max: float
    p50_to_limit: float | None
    p99_to_limit: float | None
    server_share: float
    foreign_share: float
    wrong: int


def fanout(options: Options) -> Sequence[FanoutRow]:
    sizes = [(10, (1,)), (100, (10,)), (1000, (1,))] if options.quick else [(n, (1, 10)) for n in (10, 100, 1000)]
    rows: list[FanoutRow] = []
    for members, senders in sizes:
        found: dict[int, dict[Kind, list[FanoutResult]]] = {count: {} for count in senders}
        for _ in range(options.repeat):
            for kind in _compared(options):
                report = run(
                    options, kind, members, [Fanout(count, 0.5 if options.quick else 1.5) for count in senders]
                )
                for result in report.results if report else ():
                    assert isinstance(result, FanoutResult)
                    found[result.senders].setdefault(kind, []).append(result)
        for count, results in found.items():
            new = [_fanout_row(kind, all_, results) for kind, all_ in results.items()]
            options.show(_fanout_table(members, count, new))
            rows += new
    return rows


def latency(options: Options) -> Sequence[LatencyRow]:
    rows: list[LatencyRow] = []
    for members, rate in ((100, 100), (1000, 10)):
        found: dict[Kind, list[LatencyResult]] = {}
        for _ in range(options.repeat):
            for kind in _compared(options):
                report = run(options, kind, members, [Latency(rate, 1.0 if options.quick else 5.0)])
                for result in report.results if report else ():
                    assert isinstance(result, LatencyResult)
                    found.setdefault(kind, []).append(result)
        new = [_latency_row(kind, all_, found) for kind, all_ in found.items()]
        options.show(_latency_table(members, rate, new))
        rows += new
    return rows


def _compared(options: Options) -> list[Kind]:
    others, missing = peers.installed() if options.peers else ([], [])
    if missing:
        tell(f"not measured, since not installed: apt-get install {' '.join(missing)}")
    return [
        servers.lanchat(plain=False),
        servers.limit(tls=True),
        servers.naive(tls=True),
        *(kind for kind in others if kind.dialect.tls),
        servers.lanchat(plain=True),
        servers.limit(tls=False),
        servers.naive(tls=False),
        *(kind for kind in others if not kind.dialect.tls),
    ]


def _fanout_row(kind: Kind, results: list[FanoutResult], all_: dict[Kind, list[FanoutResult]]) -> FanoutRow:
    tls = kind.dialect.tls
    naive, limit = all_.get(servers.naive(tls=tls)), all_.get(servers.limit(tls=tls))
    return FanoutRow(
        kind.name,
        tls,
        results[0].members,
        results[0].senders,
        _rate(results),
        _rate(results) / _rate(naive) if naive else None,
        _rate(results) / _rate(limit) if limit else None,
        _cpu(results),
        _cpu(results) / _cpu(limit) if limit else None,
        median(r.use.server_share for r in results),
        median(r.use.load_share for r in results),
        median(r.use.foreign_share for r in results),
        sum(r.verdict.lost for r in results),
        sum(r.verdict.doubled for r in results),
        sum(r.verdict.swapped for r in results),
        sum(r.verdict.broken for r in results),
        sum(r.dropped for r in results),
    )


def _rate(results: list[FanoutResult]) -> float:
    return median(r.deliveries / r.seconds for r in results) or 1e-9


def _cpu(results: list[FanoutResult]) -> float:
    """CPU-s of the server for a million deliveries."""
    return median(r.use.server / max(r.deliveries, 1) * 1e6 for r in results) or 1e-9


def _latency_row(kind: Kind, results: list[LatencyResult], all_: dict[Kind, list[LatencyResult]]) -> LatencyRow:
    limit = all_.get(servers.limit(tls=kind.dialect.tls))
    p50, p99 = median(r.p50 for r in results), median(r.p99 for r in results)
    return LatencyRow(
        kind.name,
        kind.dialect.tls,
        results[0].members,
        results[0].rate,
        p50,
        p99,
        median(r.max for r in results),
        p50 / median(r.p50 for r in limit) if limit else None,
        p99 / median(r.p99 for r in limit) if limit else None,
        median(r.use.server_share for r in results),
        median(r.use.foreign_share for r in results),
        sum(not r.verdict.clean for r in results),
    )


def _fanout_table(members: int, senders: int, rows: list[FanoutRow]) -> str:
    return table(
        f"fanout: {members} members, {senders} of them talk; 100-byte messages, 64 of each sender under way",
        ("", "deliveries/s", "of naive", "of limit", "CPU-s/million", "of limit", "server", "load", "others", "wrong"),
        [
            (
                row.server,
                many(row.deliveries_per_s),
                times(row.to_naive),
                times(row.to_limit),
                f"{row.cpu_s_per_million:.3f}",
                times(row.cpu_to_limit),
                share(row.server_share),
                warn(share(row.load_share), row.load_share >= FULL_LOAD),
                warn(share(row.foreign_share), row.foreign_share > FOREIGN),
                str(row.wrong),
            )
            for row in rows
        ],
        "! the load generator (90 % of its core), or other programs (15 %), had a part in this figure",
    )


def _latency_table(members: int, rate: int, rows: list[LatencyRow]) -> str:
    return table(
        f"latency: {members} members, {rate} messages/s come whatever happens; ms",
        ("", "p50", "p99", "max", "p50 of limit", "p99 of limit", "server", "others", "wrong"),
        [
            (
                row.server,
                ms(row.p50),
                ms(row.p99),
                ms(row.max),
                times(row.p50_to_limit),
                times(row.p99_to_limit),
                share(row.server_share),
                warn(share(row.foreign_share), row.foreign_share > FOREIGN),
                str(row.wrong),
            )
            for row in rows
        ],
    )
