"""lanchat with faults built in: python -m tests.faults.program ARGUMENTS. It ends with its stdin: whatever ends a test.

Other waits, a clock that somebody sets, a disk that takes its time.
"""

import importlib
import json
import os
import sys
import threading
import time
from pathlib import Path

CLOCK = "FAULTS_CLOCK"  # environment: a file with the s by which this machine's clock is wrong; none: by nothing
STALL = "FAULTS_STALL"  # environment: a file; while it is there, nothing that is written reaches the disk
WAITS = "FAULTS_WAITS"  # environment: {"lanchat.network.keepalive.DEAD_AFTER": 1.5, ...} as JSON
EAGER = {
    "lanchat.client.reconnect.FIRST_RETRY": 0.1,
    "lanchat.client.reconnect.LAST_RETRY": 0.4,
}
HASTY = {
    **EAGER,
    "lanchat.network.keepalive.PING_AFTER": 0.5,
    "lanchat.network.keepalive.DEAD_AFTER": 1.5,
    "lanchat.network.link.STALL_LIMIT": 1.5,
    "lanchat.network.flusher.SWEEP_EVERY": 0.1,
    "lanchat.network.flusher.ASLEEP_AFTER": 0.8,
    "lanchat.network.connect.CONNECT_LIMIT": 1.0,
    "lanchat.client.connect.GREETING_LIMIT": 2.0,
    "lanchat.storage.sqlite_log.RETRY": 0.1,
    "lanchat.storage.store.BUSY_LIMIT": 0.2,
}


def apply(waits: dict[str, float]) -> None:
    for name, value in waits.items():
        module, _, constant = name.rpartition(".")
        assert hasattr(importlib.import_module(module), constant), name
        setattr(importlib.import_module(module), constant, value)


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


def _watch() -> None:
    while os.read(0, 64):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_watch, daemon=True).start()
    apply(json.loads(os.environ.get(WAITS, "{}")))
    if CLOCK in os.environ:
        set_clock(Path(os.environ[CLOCK]))
    if STALL in os.environ:
        slow_disk(Path(os.environ[STALL]))
    from lanchat.cli.main import main

    sys.exit(main())
