"""A disk that is full, a log that is locked or damaged, a host without descriptors."""

import resource
import socket
import sqlite3
import sys
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from lanchat.protocol.timing import Timing
from tests.faults.disks import DISK, fill
from tests.faults.program import CLOCK, STALL
from tests.faults.stage import Stage
from tests.faults.talkers import Talker
from tests.support.namespaces import require_namespaces
from tests.support.waiting import PATIENCE, wait_until

DAY = 86_400  # s


@pytest.mark.netns
def test_full_disk(stage: Stage, hasty: Timing) -> None:
    """In a mount namespace of the host's own, which goes with it."""
    require_namespaces()  # who may make those may make this
    script = f'mkdir -p "$LANCHAT_HOME" && mount -t tmpfs -o size={DISK},mode=700 lanchat "$LANCHAT_HOME" && exec "$@"'
    host = stage.open("--no-limits", wrap=["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"])
    host.own_disk = True
    home = host.files_path
    ann, bob = stage.join("ann", "bob", disk=True)
    for number in range(2):
        ann.say()
        assert ann.member.delivery.wait_acked(PATIENCE)
        fill(home / "ballast")
        _talk_unstored(ann, bob, number)
        (home / "ballast").unlink()
        assert ann.member.delivery.wait_acked(PATIENCE), "it recovers by itself"
    assert list(home.glob("rooms/*/*damaged*")) == []
    stage.settle()


def test_database_locked_by_another_program(stage: Stage, hasty: Timing) -> None:
    host = stage.open("--no-limits")
    ann, bob = stage.join("ann", "bob", disk=True)
    ann.say()
    assert ann.member.delivery.wait_acked(PATIENCE)
    with closing(sqlite3.connect(host.log_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        _talk_unstored(ann, bob, 0)
        other.execute("ROLLBACK")
    assert ann.member.delivery.wait_acked(PATIENCE), "it recovers by itself"
    stage.settle()


@pytest.mark.full
@pytest.mark.parametrize("part", ["middle", "begin", "all"])
def test_damaged_database(stage: Stage, part: str) -> None:
    """The host is killed, its log is spoilt, it starts again: the room goes on, and the file is kept beside it."""
    host = stage.open("--no-limits")
    ann, bob = stage.join("ann", "bob", disk=True)
    for _ in range(100):
        ann.say(" " + "x" * 500)
    assert ann.member.delivery.wait_acked(PATIENCE)
    _talk(ann, bob)
    stage.broken()
    host.kill()
    path = host.log_path
    with closing(sqlite3.connect(path)) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    spoilt = {"begin": range(4096), "middle": range(size // 3, size // 2), "all": range(size)}[part]
    with open(path, "r+b") as file:
        file.seek(spoilt.start)
        file.write(b"\xa5" * len(spoilt))
    host.start()
    stage.mended()
    wait_until(lambda: ann.in_room and bob.in_room)
    _talk(ann, bob)
    stage.settle(damaged=True)
    assert list(host.home.glob("rooms/*/log.db.damaged-1")), "set aside, not overwritten"
    assert "The log was damaged" in host.said


def test_host_without_descriptors(stage: Stage) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux sets the limits of another process")
    host = stage.open("--no-limits")
    ann, bob = stage.join("ann", "bob")
    before = host.files
    most = before + 8
    resource.prlimit(host.pid, resource.RLIMIT_NOFILE, (most, most))
    idle = [socket.create_connection(("127.0.0.1", host.port)) for _ in range(40)]
    try:
        wait_until(lambda: host.files >= most - 1)
        _talk(ann, bob)
        assert ann.member.delivery.wait_acked(PATIENCE)
    finally:
        for sock in idle:
            sock.close()
    wait_until(lambda: host.files <= before)
    stage.join("cyd")
    _talk(ann, bob)
    stage.settle()


@pytest.mark.parametrize("rounds", [10, pytest.param(100, marks=pytest.mark.full)])
def test_a_disk_that_stalls(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    """Talk goes on and newcomers come, only nothing is acknowledged until the disk is back; nobody is sent away."""
    stalled = tmp_path / "stalled"
    monkeypatch.setenv(STALL, str(stalled))
    stage.open("--no-limits")
    ann, bob = stage.join("ann", "bob", disk=True)
    ann.say()
    assert ann.member.delivery.wait_acked(PATIENCE)
    stalled.touch()
    _talk(ann, bob)
    (cyd,) = stage.join("cyd")
    wait_until(lambda: cyd.last == bob.last, what="the newcomer to see events that are not stored yet")
    for _ in range(rounds):
        _talk(ann, bob)
        assert not ann.member.delivery.wait_acked(0.05)
    stalled.unlink()
    assert ann.member.delivery.wait_acked(PATIENCE) and bob.member.delivery.wait_acked(PATIENCE)
    stage.settle()
    assert not any(record.what in ("lost", "told") for record in stage.chronicle.records())


def test_a_clock_that_jumps(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day forth, two back, to 1970, and a start in the past: only the printed times are wrong."""
    error = tmp_path / "clock"
    monkeypatch.setenv(CLOCK, str(error))
    host = stage.open("--keep", "30d")
    ann, bob = stage.join("ann", "bob", disk=True)
    _talk(ann, bob)
    for jump in (DAY, -DAY, -int(time.time()) + 1, 0):
        error.write_text(str(jump))
        _talk(ann, bob)
        assert ann.member.delivery.wait_acked(PATIENCE)
    assert not any(record.what == "lost" for record in stage.chronicle.records())
    error.write_text(str(-DAY))
    stage.broken()
    host.kill()
    host.start()
    stage.mended()
    wait_until(lambda: ann.in_room and bob.in_room)
    _talk(ann, bob)
    stage.settle()
    days = [(second.at - first.at) // (DAY * 1000) for first, second in pairwise(event for event in host.events())]
    assert max(days) > 0 > min(days), "the clock did jump"


def _talk(ann: Talker, bob: Talker) -> None:
    for talker, other in ((ann, bob), (bob, ann)):
        text = talker.say()
        wait_until(lambda: text in other.texts)  # noqa: B023


def _talk_unstored(ann: Talker, bob: Talker, already: int) -> None:
    """Ann talks: her messages are delivered, she is told that they are not stored, and nothing is acknowledged."""
    last = [ann.say(" " + "x" * 2000) for _ in range(20)][-1]
    wait_until(lambda: last in bob.texts)
    wait_until(lambda: ann.told.count("unstored") > already, what="ann to be told")
    assert not ann.member.delivery.wait_acked(0.2)
