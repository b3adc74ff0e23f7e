"""The load process: one worker on its own core, which does one task after another and sends back the results."""

import os
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Protocol

from scripts.benchmark.crowd import Crowd, Joins, Target
from scripts.benchmark.machine import LOAD_CORE, pin, raise_limits

_LIMIT = 180.0  # s for all tasks on one server


class Task(Protocol):
    def run(self, crowd: Crowd) -> object: ...


@dataclass(frozen=True)
class Report:
    joins: Joins
    results: list[object]  # of the tasks, in order; fewer where one of them failed
    problem: str = ""


def measure(target: Target, members: int, tasks: Sequence[Task]) -> Report:
    """Let so many members join the server and do the tasks, in a process of its own."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)
    try:
        return pool.submit(_work, target, members, tuple(tasks)).result(_LIMIT)
    finally:
        for pid in list(pool._processes):  # a task that hangs would keep us waiting
            os.kill(pid, signal.SIGKILL)
        pool.shutdown(wait=True)


def _begin() -> None:
    pin(LOAD_CORE)
    raise_limits()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bench process, which ends this one


def _work(target: Target, members: int, tasks: tuple[Task, ...]) -> Report:
    crowd = Crowd(target)
    try:
        joins = crowd.join(members)
        results: list[object] = []
        if joins.joined < members:
            return Report(joins, results, f"{joins.joined} of {members} joined")
        for task in tasks:
            try:
                results.append(task.run(crowd))
            except (OSError, TimeoutError) as error:
                return Report(joins, results, str(error))
        return Report(joins, results)
    finally:
        crowd.close()
