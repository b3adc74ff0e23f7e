"""lanchat with faults built in: python -m tests.faults.program ARGUMENTS.

Other waits, a clock that somebody sets, a disk that takes its time.
"""

import json
import os
import sys
import time
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from lanchat.api import hosted
from lanchat.protocol.timing import Timing

COUNT = "FAULTS_COUNT"  # environment: set: the bytes of files that this process writes are counted; see `count_bytes`
CLOCK = "FAULTS_CLOCK"  # environment: a file with the s by which this machine's clock is wrong; none: by nothing
STALL = "FAULTS_STALL"  # environment: a file; while it is there, nothing that is written reaches the disk
TIMING = "FAULTS_TIMING"  # environment: fields of Timing as JSON; others have their defaults
WRITTEN = "written"
EAGER = Timing(first_retry=0.1, last_retry=0.4)
HASTY = replace(
    EAGER, ping_after=0.5, dead_after=1.5, stall=1.5, sweep=0.1, asleep=0.8, connect=1.0, greeting=2.0, log_retry=0.1
)


def use(timing: Timing) -> None:
    """Hosts of this process wait so long."""
    hosted.host = partial(hosted.host, timing=timing)


def set_clock(error: Path) -> None:
    """From now on this process asks the clock of a machine that somebody sets, forth and back."""
    true = time.time_ns

    def wrong() -> int:
        try:
            return true() + int(error.read_text() or 0) * 1_000_000_000
        except FileNotFoundError:
            return true()

    time.time_ns = wrong
    time.time = lambda: wrong() / 1e9


def slow_disk(stalled: Path) -> None:
    """From now on a commit waits while that file is there."""
    from lanchat.storage.store import Store

    add = Store.add

    def late(store, records):
        while stalled.exists():
            time.sleep(0.01)
        return add(store, records)

    Store.add = late  # type: ignore[method-assign]


def count_bytes() -> None:
    """From now on how many bytes of files were written stands in this home, a number in a line for each write."""
    from lanchat.storage.home import home_folder
    from lanchat.storage.parts import Part

    write, tally = Part.write, os.open(home_folder() / WRITTEN, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def counted(part, data):
        before = part.have
        try:
            write(part, data)
        finally:
            os.write(tally, b"%d\n" % (part.have - before))

    Part.write = counted  # type: ignore[method-assign]


def written(home: Path) -> int:
    """How many bytes of files all lives of a process with this home have written, as far as they were counted."""
    tally = home / WRITTEN
    return sum(map(int, tally.read_text().split())) if tally.exists() else 0


if __name__ == "__main__":
    if TIMING in os.environ:
        use(Timing(**json.loads(os.environ[TIMING])))
    if CLOCK in os.environ:
        set_clock(Path(os.environ[CLOCK]))
    if COUNT in os.environ:
        count_bytes()
    if STALL in os.environ:
        slow_disk(Path(os.environ[STALL]))
    from lanchat.cli.main import main

    sys.exit(main())
