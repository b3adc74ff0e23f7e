"""Shared by all sections: the options, one run of one server, and messages for the person who waits."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from scripts.benchmark import servers
from scripts.benchmark.crowd import Target
from scripts.benchmark.load import Report, Task, measure
from scripts.benchmark.machine import SERVER_CORE, wait_for_quiet
from scripts.benchmark.servers import Kind

FULL_LOAD = 0.9  # of its core: then the load generator is what was measured
FOREIGN = 0.15  # of a core, that other programs used in the meantime: then the figure is worth less


@dataclass(frozen=True)
class Options:
    """The options of one call of scripts/bench.

    Args:
        show: prints a table; does nothing where the figures go out as JSON.
    """

    quick: bool
    repeat: int
    peers: bool
    show: Callable[[str], None]

    @property
    def patience(self) -> float:
        """s to wait for a quiet moment before each run."""
        return 0.4 if self.quick else 5.0


def tell(text: str) -> None:
    """Print a message for the person who waits."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(options: Options, kind: Kind, members: int, tasks: list[Task], *, core: int = SERVER_CORE) -> Report | None:
    """Start a server of this kind, let so many members join, and do the tasks.

    Returns:
        The report; None where that failed, after a message that says so.
    """
    wait_for_quiet(options.patience)
    try:
        with servers.running(kind, core) as server:
            report = measure(Target(server.port, server.pid, kind.dialect, kind.under_way), members, tasks)
    except (RuntimeError, OSError) as error:
        tell(f"{kind.name}, {members} members: {type(error).__name__} {error}")
        return None
    tell(f"{kind.name}, {members} members" + (f": {report.problem}" if report.problem else ""))
    return report
