"""lanchat with other waits: python -m tests.faults.program ARGUMENTS. It ends with its stdin: whatever ends a test."""

import importlib
import json
import os
import sys
import threading

WAITS = "FAULTS_WAITS"  # environment: {"lanchat.net.link.DEAD_AFTER": 1.5, ...} as JSON
EAGER = {
    "lanchat.comeback.FIRST_RETRY": 0.1,
    "lanchat.comeback.LAST_RETRY": 0.4,
}
HASTY = {
    **EAGER,
    "lanchat.net.link.PING_AFTER": 0.5,
    "lanchat.net.link.DEAD_AFTER": 1.5,
    "lanchat.net.link.STALL_LIMIT": 1.5,
    "lanchat.net.flusher.SWEEP_EVERY": 0.1,
    "lanchat.net.flusher.ASLEEP_AFTER": 0.8,
    "lanchat.net.dial.CONNECT_LIMIT": 1.0,
    "lanchat.knock.GREETING_LIMIT": 2.0,
    "lanchat.room.sqlite_log.RETRY": 0.1,
    "lanchat.room.store.BUSY_LIMIT": 0.2,
}


def apply(waits: dict[str, float]) -> None:
    for name, value in waits.items():
        module, _, constant = name.rpartition(".")
        assert hasattr(importlib.import_module(module), constant), name
        setattr(importlib.import_module(module), constant, value)


def _watch() -> None:
    while os.read(0, 64):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_watch, daemon=True).start()
    apply(json.loads(os.environ.get(WAITS, "{}")))
    from lanchat.cli import main

    sys.exit(main())
