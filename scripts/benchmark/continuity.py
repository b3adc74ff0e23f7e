"""A room that moves: what a sync standby costs acknowledgements, and how long a quit or a dead host stops others."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import lanchat
from lanchat.api.joining import join_target
from lanchat.api.room import JoinedRoom
from lanchat.api.targets import Target
from lanchat.protocol.address import Endpoint
from lanchat.protocol.timing import Timing
from scripts.benchmark.bench import Options, tell
from scripts.benchmark.latency import percentiles
from scripts.benchmark.machine import wait_for_quiet
from scripts.benchmark.nodes import line_of, node, until
from scripts.benchmark.recovery import BackRow, recover
from scripts.benchmark.table import many, ms, table, times

_WAIT = 30.0  # s for a standby to be complete, and for a room to come over
_DEAD = [  # what happens, to how many members beside two standbys, and whether the host is only silent
    ("killed, 1 member", 1, False),
    ("killed, 50 members", 50, False),
    ("killed, 200 members", 190, False),  # a room admits 200 people
    ("silent, 1 member", 1, True),
    ("silent, 50 members", 50, True),
]
_SLOWLY = 0.02  # s between two messages beside a quit: a new host takes 100 at once, and then 10 a second
_QUIET, _BUSY = 300, 20_000  # messages, one after the other and 64 under way


@dataclass(frozen=True)
class AckRow:
    what: str
    p50: float  # ms, one message after the other
    per_s: float  # acknowledged, 64 under way


@dataclass(frozen=True)
class QuitRow:
    what: str
    p50: float  # ms without an acknowledgement
    max: float


def continuity(options: Options) -> Sequence[AckRow | QuitRow | BackRow]:
    """Run the section."""
    costs: dict[str, list[tuple[float, float]]] = {}
    pauses: list[float] = []
    for _ in range(options.repeat * (1 if options.quick else 3)):
        wait_for_quiet(options.patience)
        try:
            _one_run(costs, pauses, _BUSY // (10 if options.quick else 1))
        except (RuntimeError, OSError, lanchat.LanchatError) as error:
            tell(f"continuity: {type(error).__name__} {error}")
    rows = [AckRow(what, median(p for p, _ in found), median(n for _, n in found)) for what, found in costs.items()]
    quits = [QuitRow("host quits", median(pauses), max(pauses))] if pauses else []
    first = next((row for row in rows if row.what == "beside a member"), AckRow("", 1.0, 1.0))
    shown = [(r.what, ms(r.p50), times(r.p50 / first.p50), many(r.per_s), times(r.per_s / first.per_s)) for r in rows]
    options.show(table("continuity: acknowledgements", ("", "p50, ms", "", "acks/s, 64 under way", ""), shown))
    columns = ("", "p50", "max")
    options.show(table("continuity: without an ack, ms", columns, [(q.what, ms(q.p50), ms(q.max)) for q in quits]))
    return [*rows, *quits, *_recoveries(options)]


def _recoveries(options: Options) -> Sequence[BackRow]:
    rows = []
    for what, members, silent in _DEAD[: 1 if options.quick else None]:
        waits: list[float] = []
        for _ in range(options.repeat * (1 if options.quick or members > 1 else 5)):
            wait_for_quiet(options.patience)
            try:
                waits += recover(members, silent=silent)
            except (RuntimeError, OSError, lanchat.LanchatError) as error:
                tell(f"continuity: {type(error).__name__} {error}")
        cuts = quantiles(waits, n=20, method="inclusive") if len(waits) > 1 else [*waits, 0.0] * 10
        rows.append(BackRow(what, cuts[9], cuts[18]))
    shown = [(row.what, f"{row.p50:.2f}", f"{row.p95:.2f}") for row in rows]
    options.show(table("continuity: until a member is back, s", ("", "p50", "p95"), shown))
    return rows


def _one_run(costs: dict[str, list[tuple[float, float]]], pauses: list[float], number: int) -> None:
    with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as folder:
        os.environ["LANCHAT_HOME"] = f"{folder}/talker"
        with node(folder, "ann") as ann:
            port = int(line_of(ann))
            target = Target((Endpoint("127.0.0.1", port),))
            with join_target(target, "talker", patience=None, timing=Timing(first_retry=0.1)) as talker:
                costs.setdefault("alone", []).append(_cost(talker, number))
                with node(folder, "cat", str(port), "0") as cat:  # its host does as much for it as for a standby
                    line_of(cat)
                    costs.setdefault("beside a member", []).append(_cost(talker, number))
                with node(folder, "bob", str(port), "1") as bob:
                    until(ann, "backup bob")
                    costs.setdefault("with a sync standby", []).append(_cost(talker, number))
                    pauses.append(_pause(talker, ann))
                    assert bob.stdin is not None
                    bob.stdin.write("leave\n")
                    bob.stdin.flush()
                    until(bob, "left")


def _cost(talker: JoinedRoom, number: int) -> tuple[float, float]:
    waited = []
    for _ in range(_QUIET):
        began = time.monotonic()
        talker.say("hello", wait=_WAIT)
        waited.append((time.monotonic() - began) * 1000)
    began = time.monotonic()
    for _ in range(number):
        talker.say("x" * 100)
    talker.wait_acked(_WAIT)
    return percentiles(waited)[0], number / (time.monotonic() - began)


def _pause(talker: JoinedRoom, host: "subprocess.Popen[str]") -> float:
    """Let the host leave while somebody talks. Returns the ms in which nothing was acknowledged."""
    acked = [time.monotonic()]
    stop = threading.Event()

    def talk() -> None:
        while not stop.wait(_SLOWLY):
            talker.say("still here", wait=_WAIT)
            acked.append(time.monotonic())

    talking = threading.Thread(target=talk)
    talking.start()
    time.sleep(0.3)
    assert host.stdin is not None
    host.stdin.write("leave\n")
    host.stdin.flush()
    if until(host, "left") == "left -":
        tell("continuity: nobody took over")
    time.sleep(1.0)
    stop.set()
    talking.join()
    return max(b - a for a, b in zip(acked, acked[1:], strict=False)) * 1000
