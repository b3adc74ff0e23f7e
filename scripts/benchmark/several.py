"""A room on several hosts: what one core of them delivers, beside one host without an engine. For engine.py."""

import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from scripts.benchmark.crowd import Crowd, Target
from scripts.benchmark.dialects import Native
from scripts.benchmark.fanout import Fanout, FanoutResult
from scripts.benchmark.machine import cpu_seconds, raise_limits
from scripts.benchmark.nodes import line_of
from scripts.benchmark.servers import environment

_JOIN_LIMIT = 180.0  # s for all members to join
_LIMIT = 300.0  # s for all of it
_WARM = 48 * 64  # messages before it counts: a link seals its first long sends in small records, at a higher cost


@dataclass(frozen=True)
class HostsRow:
    hosts: int
    members: int  # of the room
    deliveries: int
    seconds: float
    cpu: float  # s of all hosts

    @property
    def per_core(self) -> float:
        """Deliveries in a second of one core of the hosts."""
        return self.deliveries / self.cpu if self.cpu else 0.0


class Spread(Crowd):
    """A crowd whose members go to several hosts in turn."""

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__(targets[0])
        self._targets = targets

    def _begin(self, number: int, times: list[float]) -> None:
        self.target = self._targets[number % len(self._targets)]
        super()._begin(number, times)


def one_talks(url: str, hosts: int, members: int, seconds: float) -> HostsRow:
    """One of the members talks as fast as the room takes it, for so long.

    Args:
        url: of the engine; "": there is none.
        members: of each host.

    Raises:
        RuntimeError: not all members have joined, or something was lost.
    """
    with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as folder, ExitStack() as undo:
        room, processes, targets = secrets.token_hex(16), [], []
        for number in range(hosts):
            words = ("-m", "scripts.benchmark.engine_host", url, room, f"host{number}", folder)
            process = subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment(Path(folder)),
                cwd=Path(__file__).parents[2],
                preexec_fn=raise_limits,
            )
            undo.enter_context(process)
            undo.callback(process.terminate)
            processes.append(process)
            targets.append(Target(int(line_of(process)), process.pid, Native(), join_limit=_JOIN_LIMIT))
        pool = undo.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=raise_limits))
        return pool.submit(_measure, targets, members * hosts, seconds).result(_LIMIT)


def _measure(targets: Sequence[Target], members: int, seconds: float) -> HostsRow:
    """In a process of its own."""
    crowd = Spread(targets)
    try:
        joins = crowd.join(members)
        if joins.joined < members:
            raise RuntimeError(f"{joins.joined} of {members} joined")
        time.sleep(0.5)
        Fanout(1, 0.0, least=_WARM).run(crowd)
        before = sum(cpu_seconds(target.pid) for target in targets)
        result: FanoutResult = Fanout(1, seconds).run(crowd)
        cpu = sum(cpu_seconds(target.pid) for target in targets) - before
    finally:
        crowd.close()
    if result.dropped or result.verdict.lost:
        raise RuntimeError(f"{result.dropped} members were dropped, {result.verdict.lost} deliveries lost")
    return HostsRow(len(targets), members, result.deliveries, result.seconds, cpu)
