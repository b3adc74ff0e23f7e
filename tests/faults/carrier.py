"""A member that moves a file and can be killed. LANCHAT_HOME is its own.

python -m tests.faults.carrier send PORT PATH      what an earlier life began goes on; prints the SHA-256
python -m tests.faults.carrier get PORT NAME DIR   waits until it is offered; prints the new path
"""

import json
import os
import sys
from pathlib import Path

import lanchat
from lanchat.protocol.timing import Timing
from tests.faults.program import TIMING, count_bytes
from tests.support.waiting import wait_until


def send(room: lanchat.JoinedRoom, path: Path) -> str:
    for transfer in room.resume_sending(lambda transfer: None):
        transfer.wait()
    if not any(entry.sha256 for entry in _called(room, path.name)):  # it was killed before it had begun
        room.start_sending(path, lambda transfer: None, keep=True).wait()
    return _called(room, path.name)[-1].sha256


def get(room: lanchat.JoinedRoom, name: str, folder: Path) -> Path:
    return room.fetch(wait_until(lambda: _called(room, name))[0], folder)


def _join(port: str, nick: str, timing: Timing) -> list[lanchat.JoinedRoom]:
    try:
        return [lanchat.join(f"127.0.0.1:{port}", nick=nick, patience=None, timing=timing)]
    except (lanchat.NoSuchRoom, lanchat.ConnectionLost):  # it has been killed just now
        return []


def _called(room: lanchat.JoinedRoom, name: str) -> list[lanchat.FileEntry]:
    return [entry for entry in room.files if entry.name == name]


def main(what: str, port: str, *rest: str) -> None:
    count_bytes()
    timing = Timing(**json.loads(os.environ.get(TIMING, "{}")))
    joined = wait_until(lambda: _join(port, what, timing), what="a host")
    with joined[0] as room:
        print(send(room, Path(rest[0])) if what == "send" else get(room, rest[0], Path(rest[1])), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
