"""The IRC door: how much it delivers beside other IRC servers, and what its clients and questions cost the host.

ngIRCd and InspIRCd are left out where they are not installed (apt-get install ngircd inspircd).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from types import SimpleNamespace
from typing import Any

from lanchat.protocol.irc.line import Line
from lanchat.protocol.messages import Joined
from lanchat.room.room import Room
from lanchat.server.doors.irc.commands import answer
from lanchat.server.doors.irc.door import dialects_of
from lanchat.server.doors.irc.session import IrcSession
from scripts.benchmark import peers, servers
from scripts.benchmark.bench import Options, run, tell
from scripts.benchmark.fanout import Fanout, FanoutResult
from scripts.benchmark.table import many, share, table, times

_MEMBERS, _TALKERS = 100, 10
_PEOPLE = 200
_DOOR = "lanchat, IRC door"


@dataclass(frozen=True)
class FanRow:
    server: str
    deliveries_per_s: float
    door_to_this: float | None  # of the IRC door to this server; None: this is the door, or the door failed
    cpu_s_per_million: float
    foreign_share: float
    wrong: int


@dataclass(frozen=True)
class CostRow:
    what: str
    value: float
    goal: float


def irc(options: Options) -> Sequence[FanRow | CostRow]:
    return [*_fanout(options), *_costs(options)]


def _fanout(options: Options) -> list[FanRow]:
    known, missing = peers.installed()
    others = [kind for kind in known if kind.name in ("ngIRCd", "InspIRCd")]
    if absent := sorted({"ngircd", "inspircd"} & set(missing)):
        tell(f"not measured, since not installed: apt-get install {' '.join(absent)}")
    kinds = [servers.irc(), servers.lanchat(plain=True), *others]
    found: dict[str, list[FanoutResult]] = {}
    for _ in range(options.repeat):
        for kind in kinds:
            report = run(options, kind, _MEMBERS, [Fanout(_TALKERS, 0.5 if options.quick else 1.5)])
            for result in report.results if report else ():
                assert isinstance(result, FanoutResult)
                found.setdefault(kind.name, []).append(result)
    door = found.get(_DOOR)
    rows = [_fan_row(name, results, door) for name, results in found.items()]
    options.show(
        table(
            f"irc: {_MEMBERS} clients, {_TALKERS} of them talk, not encrypted, without a log",
            ("", "deliveries/s", "the IRC door is", "CPU-s/million", "others", "wrong"),
            [
                (
                    row.server,
                    many(row.deliveries_per_s),
                    times(row.door_to_this),
                    f"{row.cpu_s_per_million:.3f}",
                    share(row.foreign_share),
                    str(row.wrong),
                )
                for row in rows
            ],
            "to reach: 1.5x of ngIRCd, 1x of InspIRCd, 0.6x of the plain door",
        )
    )
    return rows


def _fan_row(name: str, results: list[FanoutResult], door: list[FanoutResult] | None) -> FanRow:
    rate = _rate(results)
    return FanRow(
        name,
        rate,
        _rate(door) / rate if door and name != _DOOR else None,
        median(one.use.server / max(one.deliveries, 1) * 1e6 for one in results),
        median(one.use.foreign_share for one in results),
        sum(one.verdict.lost + one.verdict.doubled + one.verdict.swapped + one.dropped for one in results),
    )


def _rate(results: list[FanoutResult]) -> float:
    return median(one.deliveries / one.seconds for one in results) or 1e-9


def _costs(options: Options) -> list[CostRow]:
    rows = []
    if (report := run(options, servers.irc(), 1000, [])) is not None:
        rows.append(CostRow("an idle IRC client at the host, KiB", report.joins.rss_each, 40.0))
    session, room = _full_room()
    for command, goal in (("NAMES", 0.2), ("WHO", 1.0)):
        line = Line(command, (session.names.channel,))
        took = _best(lambda line=line: answer(session, line, room))  # type: ignore[misc]
        rows.append(CostRow(f"{command} of {_PEOPLE} people in the hub, ms", took * 1e3, goal))
    options.show(
        table(
            "irc: what it costs the host",
            ("", "measured", "at most"),
            [(row.what, f"{row.value:.2f}", f"{row.goal:g}") for row in rows],
        )
    )
    return rows


def _full_room() -> tuple[IrcSession, Room]:
    """A room full of people, half of whom have a key, and the session of one who asks."""
    room = Room("5" * 32, "Room A", "id-hal")
    for number in range(_PEOPLE):
        id = f"{number:032x}" if number % 2 else f"~{number:08x}"
        room.apply(Joined(room.seq + 1, 0, id, f"member{number:04}"))
    card: Any = SimpleNamespace(room=room.id, title=room.title)
    dialects = dialects_of(card)
    link: Any = SimpleNamespace()
    dialect = dialects.of(frozenset())
    return IrcSession(link, dialect, dialects=dialects, id="~00000000", wanted="wee", welcomed=True), room


def _best(work: Callable[[], object]) -> float:
    """The shortest of many runs, in s: what others do on this computer only makes runs longer."""
    shortest = 1e9
    for _ in range(200):
        began = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - began)
    return shortest
