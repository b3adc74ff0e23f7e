"""The sections of the benchmark: each measures, prints its table, and gives its figures."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from scripts.benchmark import peers, servers, startup
from scripts.benchmark.acks import Acks, AcksResult
from scripts.benchmark.crowd import Joins, Target
from scripts.benchmark.fanout import Fanout, FanoutResult
from scripts.benchmark.latency import Latency, LatencyResult, percentiles
from scripts.benchmark.load import Report, Task, measure
from scripts.benchmark.machine import LOAD_CORE, SERVER_CORE, wait_for_quiet
from scripts.benchmark.paint import Paint, PaintResult
from scripts.benchmark.servers import Kind
from scripts.benchmark.table import many, ms, share, table, times

FULL_LOAD = 0.9  # of its core: then the load generator is what was measured
FOREIGN = 0.15  # of a core, used by others in the meantime: the figure says less

Figures = list[dict[str, Any]]


@dataclass(frozen=True)
class Options:
    quick: bool
    repeat: int
    peers: bool
    say: Callable[[str], None]  # prints a table, or nothing

    @property
    def seconds(self) -> float:
        return 0.5 if self.quick else 1.5


def kinds(options: Options) -> list[Kind]:
    """What is compared; each ratio is to the raw limit and the naive server with or without TLS, as the row itself."""
    others, missing = peers.installed() if options.peers else ([], [])
    if missing:
        tell(f"not measured, as they are not installed: apt-get install {' '.join(missing)}")
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


def tell(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(kind: Kind, members: int, tasks: list[Task], *, core: int = SERVER_CORE) -> Report | None:
    """One server, one crowd. None, and a word about it, where that fails."""
    wait_for_quiet()
    tell(f"{kind.name}, {members} members")
    try:
        with servers.running(kind, core) as server:
            report = measure(Target(kind.name, server.port, server.pid, kind.dialect, kind.under_way), members, tasks)
    except (RuntimeError, OSError, TimeoutError) as error:
        tell(f"{kind.name}, {members} members: {type(error).__name__} {error}")
        return None
    if report.problem:
        tell(f"{kind.name}, {members} members: {report.problem}")
    return report


def fanout(options: Options) -> Figures:
    sizes = [(10, (1,)), (100, (10,)), (1000, (1,))] if options.quick else [(n, (1, 10)) for n in (10, 100, 1000)]
    figures: Figures = []
    for members, senders in sizes:
        found: dict[tuple[str, bool, int], list[FanoutResult]] = {}
        for _ in range(options.repeat):
            for kind in kinds(options):
                report = run(kind, members, [Fanout(count, options.seconds) for count in senders])
                for result in report.results if report else ():
                    assert isinstance(result, FanoutResult)
                    found.setdefault((kind.name, kind.dialect.tls, result.senders), []).append(result)
        for count in senders:
            rows = [_fanout_row(name, tls, r) for (name, tls, s), r in found.items() if s == count]
            _add_ratios(rows)
            options.say(_fanout_table(members, count, rows))
            figures += rows
    return figures


def _fanout_row(name: str, tls: bool, results: list[FanoutResult]) -> dict[str, Any]:
    wrong = [r.verdict for r in results if not r.verdict.clean]
    return {
        "server": name,
        "tls": tls,
        "members": results[0].members,
        "senders": results[0].senders,
        "deliveries_per_s": median(r.deliveries / r.seconds for r in results),
        "cpu_s_per_million": median(r.use.server / r.deliveries * 1e6 if r.deliveries else 0.0 for r in results),
        "server_share": median(r.use.server_share for r in results),
        "load_share": median(r.use.load_share for r in results),
        "foreign_share": median(r.use.foreign_share for r in results),
        "lost": sum(v.lost for v in wrong),
        "doubled": sum(v.doubled for v in wrong),
        "swapped": sum(v.swapped for v in wrong),
        "broken": sum(v.broken for v in wrong),
        "dropped": sum(r.dropped for r in results),
    }


def _add_ratios(rows: Figures) -> None:
    for row in rows:
        for what in ("naive", "raw limit"):
            other = next((r for r in rows if r["server"].startswith(what) and r["tls"] == row["tls"]), None)
            key = "to_" + what.split()[-1]
            row[key] = row["deliveries_per_s"] / other["deliveries_per_s"] if other else None
        limit = next((r for r in rows if r["server"].startswith("raw limit") and r["tls"] == row["tls"]), None)
        row["to_limit_per_cpu"] = limit["cpu_s_per_million"] / row["cpu_s_per_million"] if limit else None


def _fanout_table(members: int, senders: int, rows: Figures) -> str:
    columns = ("", "deliveries/s", "to naive", "to limit", "CPU-s/M", "to limit", "server", "load", "foreign", "wrong")
    return table(
        f"fanout: {members} members, {senders} senders, 100-byte messages, window 64",
        columns,
        [
            (
                row["server"],
                many(row["deliveries_per_s"]),
                times(row["to_naive"]),
                times(row["to_limit"]),
                f"{row['cpu_s_per_million']:.3f}",
                times(row["to_limit_per_cpu"]),
                share(row["server_share"]),
                share(row["load_share"]) + ("!" if row["load_share"] >= FULL_LOAD else ""),
                share(row["foreign_share"]) + ("!" if row["foreign_share"] > FOREIGN else ""),
                str(row["lost"] + row["doubled"] + row["swapped"] + row["broken"] + row["dropped"]),
            )
            for row in rows
        ],
    )


def latency(options: Options) -> Figures:
    figures: Figures = []
    for members, rate in ((100, 100), (1000, 10)):
        found: dict[Kind, list[LatencyResult]] = {}
        for _ in range(options.repeat):
            for kind in kinds(options):
                report = run(kind, members, [Latency(rate, 2.0 if options.quick else 5.0)])
                for result in report.results if report else ():
                    assert isinstance(result, LatencyResult)
                    found.setdefault(kind, []).append(result)
        rows: Figures = []
        for kind, results in found.items():
            row: dict[str, Any] = {"server": kind.name, "tls": kind.dialect.tls, "members": members, "rate": rate}
            row |= {key: median(getattr(r, key) for r in results) for key in ("p50", "p99", "max")}
            row |= {"server_share": median(r.use.server_share for r in results)}
            row |= {"foreign_share": median(r.use.foreign_share for r in results)}
            row |= {"wrong": sum(not r.verdict.clean for r in results)}
            rows.append(row)
        for row in rows:
            limit = next((r for r in rows if r["server"].startswith("raw limit") and r["tls"] == row["tls"]), None)
            row |= {f"{key}_to_limit": row[key] / limit[key] if limit else None for key in ("p50", "p99")}
        options.say(
            table(
                f"latency: {members} members, {rate} messages/s (open loop), ms",
                ("", "p50", "p99", "max", "p50 to limit", "p99 to limit", "server", "foreign", "wrong"),
                [
                    (
                        *(row["server"], ms(row["p50"]), ms(row["p99"]), ms(row["max"])),
                        *(times(row["p50_to_limit"]), times(row["p99_to_limit"])),
                        *(share(row["server_share"]), share(row["foreign_share"]), str(row["wrong"])),
                    )
                    for row in rows
                ],
            )
        )
        figures += rows
    return figures
