"""A program that stores events until it is killed: `python -m tests.storage.writer FILE`. Prints what is acknowledged.

First a line `open SEQ`, then a line with the seq of each acknowledgement, each handed over whole.
"""

import os
import sys
import threading
from pathlib import Path

from lanchat.protocol.messages import Joined, Said
from lanchat.storage.sqlite_log import SqliteLog

AT_ONCE = 20  # events under way


def main(path: Path) -> None:
    log = SqliteLog(path)
    change = threading.Condition()
    kept = 0

    def on_stored(ticket: int, seq: int) -> None:
        nonlocal kept
        os.write(1, f"{seq}\n".encode())
        with change:
            kept = seq
            change.notify()

    seq = kept = log.open().seq
    log.start(on_stored)
    os.write(1, f"open {seq}\n".encode())
    while True:
        seq += 1
        log.append(
            [
                Joined(seq, 0, "b" * 64, "bob")
                if seq % 10 == 0
                else Said(seq, 0, "a" * 64, "ann", f"a-{seq}", f"text {seq}")
            ]
        )
        log.commit()
        with change:
            change.wait_for(lambda: seq - kept < AT_ONCE)  # noqa: B023


if __name__ == "__main__":
    main(Path(sys.argv[1]))
