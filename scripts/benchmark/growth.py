"""Growth: how much more memory a host takes after very many messages, which must be none."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from scripts.benchmark import servers
from scripts.benchmark.bench import Options, run
from scripts.benchmark.crowd import Crowd
from scripts.benchmark.fanout import Fanout, FanoutResult
from scripts.benchmark.machine import rss_kib
from scripts.benchmark.table import many, table, warn

_MEMBERS = 200
_SENDERS = 10
_RATE = 100  # messages a second of a lively room, of which so many minutes are measured
_MOST = 5.0  # MiB that a host may grow in half an hour
_PORTION = 20_000  # messages that are said and checked together: more than the host holds in memory (RECENT)
_SETTLE = 2.0  # s of silence, in which the host indexes what was said


@dataclass(frozen=True)
class Growth:
    """A task for the load process: the messages of so many minutes, as fast as they go.

    At that pace some wait for the disk, which the host has memory for. So what it takes is compared from the first
    portion on, which is not counted.
    """

    minutes: float

    def run(self, crowd: Crowd) -> "GrowthResult":
        self._say(crowd)
        before = rss_kib(crowd.target.pid)
        portions = [self._say(crowd) for _ in range(round(self.minutes * 60 * _RATE / _PORTION))]
        return GrowthResult(
            sum(one.deliveries for one in portions) // len(crowd.members),
            sum(one.seconds for one in portions),
            before,
            rss_kib(crowd.target.pid) - before,
            sum(not one.verdict.clean for one in portions),
        )

    def _say(self, crowd: Crowd) -> FanoutResult:
        result = Fanout(_SENDERS, 0.0, least=_PORTION // _SENDERS).run(crowd)
        crowd.quiet(_SETTLE)
        return result


@dataclass(frozen=True)
class GrowthResult:
    messages: int
    seconds: float
    before: int  # KiB
    grown: int  # KiB
    wrong: int


@dataclass(frozen=True)
class GrowthRow:
    members: int
    messages: int
    minutes: float  # in which a room says as much at 100 messages a second
    messages_per_s: float  # as fast as they went here
    before_mb: float
    grown_mb: float
    wrong: int


def growth(options: Options) -> Sequence[GrowthRow]:
    minutes = 10.0 if options.quick else 30.0
    found: list[GrowthResult] = []
    for _ in range(options.repeat):
        report = run(options, servers.lanchat(plain=False), _MEMBERS, [Growth(minutes)])
        found += [result for result in report.results if isinstance(result, GrowthResult)] if report else []
    rows = [_row(minutes, found)] if found else []
    options.show(
        table(
            f"growth: memory of a host after {minutes:.0f} min of {_RATE} messages/s, said as fast as they go",
            ("members", "messages", "messages/s", "MiB before", "grown by", "wrong"),
            [
                (
                    str(row.members),
                    many(row.messages),
                    many(row.messages_per_s),
                    f"{row.before_mb:.0f}",
                    warn(f"{row.grown_mb:.1f}", row.grown_mb > _MOST),
                    str(row.wrong),
                )
                for row in rows
            ],
            f"! more than {_MOST:.0f} MiB",
        )
    )
    return rows


def _row(minutes: float, results: Sequence[GrowthResult]) -> GrowthRow:
    return GrowthRow(
        _MEMBERS,
        round(median(result.messages for result in results)),
        minutes,
        median(result.messages / result.seconds for result in results),
        median(result.before for result in results) / 1024,
        median(result.grown for result in results) / 1024,
        sum(result.wrong for result in results),
    )
