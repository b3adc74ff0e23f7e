"""A member's history, written by several processes at once."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.limits import memory_of
from lanchat.protocol.messages import Card, Got, Joined, Said, Told
from lanchat.storage import history, history_bounds
from lanchat.storage.files import lock_file
from lanchat.storage.history import MAX_WAITING_SIZE, HistoryWriter
from lanchat.storage.member_store import DiskStore
from lanchat.storage.reached import Reached
from lanchat.storage.reader import LogReader
from lanchat.storage.retention import Amount
from lanchat.storage.rooms import LOCK, LOG
from lanchat.storage.schema import EVENTS
from tests.support.waiting import PATIENCE, wait_until

TOP = Path(__file__).parents[2]
ANN, BOB = "a" * 64, "b" * 64
WRITE = """
import sys, time
from pathlib import Path
from lanchat.protocol.messages import Said
from lanchat.storage import history
history.FLUSH_EVERY = 0.01
copy = history.HistoryWriter(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    copy.add([Said(seq, 0, "a" * 64, "ann", str(seq), "word") for seq in range(number * 10 + 1, number * 10 + 16)])
    print(number, flush=True)
    while copy._waiting:
        time.sleep(0.001)
copy.close()
"""


def private(number: int) -> Told:
    return Told(str(number), 0, ANN, "ann", BOB, "bob", bytes(64), number=number + 1)


def said(seq: int, id: str = "") -> Said:
    return Said(seq, 0, ANN, "ann", id or str(seq), "a word")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FLUSH_EVERY", 0.02)


def test_nothing_is_stored_twice(tmp_path):
    copy = HistoryWriter(tmp_path)
    copy.add([Joined(1, 0, ANN, "ann"), said(2), said(3)])
    copy.add([said(2), said(3), said(4), said(1_000_002, id="3")])
    copy.close()
    copy.close()
    again = HistoryWriter(tmp_path)
    again.add([said(4), said(5)])
    again.add([said(0)])  # an older page, fetched later
    again.close()
    seqs = [event.seq for event in LogReader(tmp_path / LOG).events_after(-1, 100)]
    assert seqs == [0, 1, 2, 4, 5, 1_000_002], "the host has given one of them another number"
    assert len(list(LogReader(tmp_path / LOG).events(search="word"))) == 5


@pytest.mark.full
def test_two_processes_of_one_person_write_one_history(tmp_path):
    runs = [subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), "40"], cwd=TOP, stdout=-3) for _ in range(2)]
    assert [run.wait(40) for run in runs] == [0, 0]
    assert [event.seq for event in LogReader(tmp_path / LOG).events_after(-1, 1000)] == list(range(1, 406))
    with closing(sqlite3.connect(tmp_path / LOG)) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=[pytest.mark.full, pytest.mark.timeout(200)])])
def test_kill_9_during_a_write_does_not_damage_the_history(tmp_path, rounds):
    for number in range(rounds):
        with subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path), "100000"], cwd=TOP, stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            for _ in range(10 + number):
                writer.stdout.readline()
            wait_until((tmp_path / LOG).exists)
            os.kill(writer.pid, signal.SIGKILL)
        copy = HistoryWriter(tmp_path)
        copy.add([said(900_000 + number)])
        copy.close()
        seqs = [event.seq for event in LogReader(tmp_path / LOG).events_after(-1, 1_000_000)]
        assert seqs[-1] == 900_000 + number and not list(tmp_path.glob("*damaged*"))


def test_events_wait_while_another_process_holds_the_lock(tmp_path):
    lock = lock_file(tmp_path / LOCK)
    assert lock is not None
    copy = HistoryWriter(tmp_path)
    copy.add([said(1)])
    closer = threading.Thread(target=copy.close)
    closer.start()
    lock.close()
    closer.join()
    assert len(LogReader(tmp_path / LOG).events_after(-1, 100)) == 1


def test_closing_does_not_wait_for_ever(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(history, "CLOSE_LIMIT", 0.1)
    lock = lock_file(tmp_path / LOCK)
    assert lock is not None
    copy = HistoryWriter(tmp_path)
    copy.add([said(1)])
    copy.close()
    lock.close()
    assert "1 records were not stored" in caplog.text


def test_a_damaged_history_is_repaired_and_reported(tmp_path):
    (tmp_path / LOG).write_bytes(b"notes" * 1000)
    troubles: list[str] = []
    copy = HistoryWriter(tmp_path, troubles.append)
    copy.add([said(1)])
    copy.close()
    assert len(troubles) == 1 and "damaged-1" in troubles[0]
    assert len(LogReader(tmp_path / LOG).events_after(-1, 100)) == 1


def test_trouble_is_reported_once_and_nothing_is_lost_when_it_ends(tmp_path):
    troubles: list[str] = []
    (tmp_path / LOG).mkdir()
    copy = HistoryWriter(tmp_path, troubles.append)
    copy.add([said(1)])
    wait_until(lambda: troubles)
    copy.add([said(2)])
    (tmp_path / LOG).rmdir()
    wait_until(lambda: (tmp_path / LOG).exists())
    copy.close()
    assert len(troubles) == 1 and "is not stored" in troubles[0]
    assert len(LogReader(tmp_path / LOG).events_after(-1, 100)) == 2


def test_a_thousand_confirmations_share_a_commit(tmp_path, monkeypatch):
    """Each is told once it is in the file, and not before."""
    writes: list[int] = []
    told: list[int] = []
    stored: list[int] = []  # when each was told
    write = HistoryWriter._write_locked

    def counted(copy, batch, reached):
        write(copy, batch, reached)
        writes.append(len(batch))

    def tell(number):
        told.append(number)
        stored.append(sum(writes))

    monkeypatch.setattr(HistoryWriter, "_write_locked", counted)
    lock = lock_file(tmp_path / LOCK)
    assert lock is not None
    with closing(lock), ExitStack() as later:
        copy = later.enter_context(closing(HistoryWriter(tmp_path)))
        for number in range(1000):
            copy.add([private(number)])
            copy.add([Got(ANN, str(number))], then=partial(tell, number))
        copy.settle(0.0)  # another process has the lock, so this changes nothing
        assert not told and not writes
        later.pop_all()
    copy.settle(PATIENCE)
    assert (sum(writes), told) == (2000, list(range(1000)))
    assert len(writes) <= 2, "one may have been on its way to the lock when that was released"
    assert all(count >= 2 * number + 2 for number, count in enumerate(stored))
    assert len(LogReader(tmp_path / LOG).shown_private(2000)) == 1000
    copy.close()


def test_who_waits_for_a_disk_that_takes_nothing_is_told_after_the_person(tmp_path):
    told: list[str] = []
    (tmp_path / LOG).mkdir()
    with closing(HistoryWriter(tmp_path, told.append)) as copy:
        copy.add([Got(ANN, "1")], then=lambda: told.append("then"))
        copy.settle(PATIENCE)
        assert len(told) == 2 and "is not stored" in told[0]
        (tmp_path / LOG).rmdir()


def test_events_that_wait_for_the_disk_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "MAX_WAITING", 100)
    monkeypatch.setattr(history, "CLOSE_LIMIT", 0.0)
    lock = lock_file(tmp_path / LOCK)
    assert lock is not None
    copy = HistoryWriter(tmp_path)
    for seq in range(1, 1001):
        copy.add([said(seq)])
        assert len(copy._waiting) <= 100
    copy.close()
    lock.close()


def stored(folder: Path) -> list[int]:
    """What is there; nothing, while the file is being made."""
    try:
        return [event.seq for event in LogReader(folder / LOG).events_after(-1, 100_000)]
    except LanchatError:
        return []


@pytest.mark.full
def test_no_more_waits_in_memory_than_its_bound_however_long_the_messages(tmp_path):
    lock = lock_file(tmp_path / LOCK)
    assert lock is not None
    copy = HistoryWriter(tmp_path)
    page = "\U0001f600" + "x" * 4092  # 4,096 bytes on the wire, four times as much in memory
    for seq in range(1, 3001):
        copy.add([Said(seq, 0, ANN, "ann", str(seq), page)])
    assert len(copy._waiting) * memory_of(page) <= MAX_WAITING_SIZE
    lock.close()
    copy.close()
    assert stored(tmp_path)[-1] == 3000, "what is lost are the oldest"


def test_a_history_is_pruned_while_it_grows(tmp_path, small):
    """What a host can make of a member's disk does not depend on how long the member stays."""
    with closing(HistoryWriter(tmp_path)) as copy:
        for last in range(50, 1000, 50):
            copy.add([said(seq) for seq in range(last - 49, last + 1)])
            wait_until(lambda last=last: stored(tmp_path)[-1:] == [last])  # type: ignore[misc]
            assert len(stored(tmp_path)) <= 100 + 50


def test_a_history_that_cannot_be_pruned_in_time_takes_no_more_records(tmp_path, small, monkeypatch, caplog):
    for round in range(3):
        monkeypatch.setattr(history, "CLOSE_LIMIT", PATIENCE if round == 0 else -1.0)
        copy = HistoryWriter(tmp_path)
        copy.add([said(seq) for seq in range(1000 * round, 1000 * round + 150)])
        copy.close()
    assert stored(tmp_path) == list(range(150))
    assert "150 records were not stored: there was no time" in caplog.text


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(history_bounds.BOUNDS, EVENTS, Amount(entries=100, size=1_000_000))


def test_a_member_store_knows_the_last_event_of_an_earlier_run(tmp_path):
    card = Card(1, "1" * 32, "Room A", "hal", 1, False, bytes(32))
    first = DiskStore(tmp_path, card, print)
    first.add_history([Said(1, 1000, "b" * 32, "bob", "x", "one"), Said(2, 2000, "b" * 32, "bob", "y", "two")])
    first.close()
    second = DiskStore(tmp_path, card, print)
    second.close()
    last = second.reached.event
    assert first.reached == Reached() and last is not None and (last.seq, last.at) == (2, 2000)
