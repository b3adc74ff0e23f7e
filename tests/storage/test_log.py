"""The log on disk: real SQLite, real files, real kills."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.limits import MAILBOX_AGE, RECENT, RECENT_SIZE, memory_of
from lanchat.protocol.messages import Event, Joined, Left, Moved, Record, Renamed, Said, Told
from lanchat.protocol.timeline import Timeline, epoch_of, make_epoch, make_seq, term_of
from lanchat.protocol.timing import Timing
from lanchat.protocol.topic import Topic
from lanchat.storage import migrations, prepare, pruning, readonly, sqlite_log, store, waiting
from lanchat.storage import repair as mend
from lanchat.storage.log import Log, NoLog, Opened
from lanchat.storage.reader import LogReader
from lanchat.storage.repair import open_store, readable
from lanchat.storage.retention import EVERYTHING, Retention
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.storage.store import Store
from tests.support.waiting import PATIENCE, wait_until

TOP = Path(__file__).parents[2]
ANN, BOB = "a" * 64, "b" * 64
NEXT_TERM = make_seq(make_epoch(1, OWNER_INDEX), 0)  # above every number of the first term
DAY = 86_400_000
IMPATIENT = Timing(log_retry=0.05)
NOW = 1_800_000_000_000


def said(seq: int, text: str = "hi", *, by: str = ANN, id: str = "", at: int = NOW) -> Said:
    return Said(seq, at, by, "ann", id or f"id-{seq}", text)


def told(id: str, box: str = "psst", *, by: str = ANN, at: int = NOW) -> Told:
    """Sealed, as far as a log knows; with "" it is over."""
    return Told(id, at, by, "ann", BOB, "bob", box.encode())


def put(log: Log, *records: Record) -> int:
    """Have these records stored soon. Returns their ticket."""
    ticket = log.append(records)
    log.commit()
    return ticket


class Keeper:
    """A log, and what it has reported."""

    def __init__(self, path: Path, **options: object) -> None:
        self.path = path
        self.damage: list[str] = []
        self.troubles: list[str] = []
        self.stored_seq = 0
        self.tickets = [0]
        self.log = SqliteLog(path, on_damage=self.damage.append, wall=lambda: NOW, **options)  # type: ignore[arg-type]

    def open(self) -> tuple[Event, ...]:
        self.opened = self.log.open()
        self.log.start(self._on_stored, self.troubles.append)
        return self.opened.past

    def keep(self, *records: Record) -> None:
        """Waits until they are stored."""
        ticket = put(self.log, *records)
        wait_until(lambda: self.tickets[-1] >= ticket, what="the records to be stored")

    def _on_stored(self, ticket: int, seq: int) -> None:
        assert ticket > self.tickets[-1] and seq >= self.stored_seq
        self.tickets.append(ticket)
        self.stored_seq = seq


def begin(path: Path, **options: object) -> SqliteLog:
    """An open log whose reports are ignored."""
    log = SqliteLog(path, **options)  # type: ignore[arg-type]
    log.open()
    log.start(lambda ticket, seq: None)
    return log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def keeper(path: Path) -> Iterator[Callable[..., Keeper]]:
    """`keeper()`: an open log; closed after the test."""
    made: list[Keeper] = []

    def make(**options: object) -> Keeper:
        made.append(Keeper(path, **options))
        made[-1].past = made[-1].open()  # type: ignore[attr-defined]
        return made[-1]

    yield make
    for one in made:
        one.log.close()


EVERY_KIND = [
    Joined(1, NOW, ANN, "ann", host=True),
    Said(2, NOW, ANN, "ann", "1", "hi\nthere \x00 \U0001f600", action=True),
    Renamed(3, NOW, ANN, "ann", "anna"),
    Left(4, NOW, ANN, "anna", "went to bed"),
    Moved(5, NOW, BOB, "bob", 65, "anna", "handover"),
    Said(6, NOW, BOB, "bob", "2", "hello again", late=True),
    Topic(7, NOW, BOB, "bob", "deploy at 5"),
]


def test_stored_events_are_there_after_a_restart(keeper):
    first = keeper()
    assert first.past == () and first.opened.seq == 0
    first.keep(*EVERY_KIND)
    first.log.close()
    second = keeper()
    assert list(second.past) == EVERY_KIND
    assert second.opened.seq == 7 and second.opened.topic == "deploy at 5"
    assert second.opened.owners == (("ann", ANN), ("anna", ANN))
    assert second.damage == []


def test_what_was_appended_is_read_at_once_and_stored_after_commit(keeper, path):
    one = keeper()
    one.log.append([said(1), said(2)])
    assert [event.seq for event in one.log.read(0, 10)] == [1, 2]
    one.log.commit()
    wait_until(lambda: one.tickets[-1] == 2, what="the records to be stored")
    assert [event.seq for event in LogReader(path).events_after(0, 10)] == [1, 2]


def test_close_stores_waiting_records(keeper, path):
    log = keeper().log
    put(log, *(said(seq) for seq in range(1, 5001)))
    log.close()
    log.close()
    assert len(LogReader(path).events_after(0, 10_000)) == 5000


def test_a_resend_is_stored_once(keeper, path):
    keeper().keep(said(1, id="x"), said(2, id="y"), said(3, id="x"), said(4, by=BOB, id="x"))
    assert [event.seq for event in LogReader(path).events_after(0, 10)] == [1, 2, 4]


REUSED = [(2, "other words"), (3, "and others")]


def test_an_id_that_is_used_for_something_else_costs_no_message(keeper, path):
    """What everybody heard, and what was acknowledged, is in the log, whatever its sender calls it."""
    first = keeper()
    first.keep(said(1, "hi", id="x"), said(2, "other words", id="x"), said(3, "and others", id="x"), said(4))
    reused = [said(1, "hi", id="x"), *(Said(n, NOW, ANN, "ann", "", text) for n, text in REUSED), said(4)]
    assert LogReader(path).events_after(0, 10) == reused
    assert [event.seq for event in first.log.find(ANN, {"x"})] == [1]
    assert first.log._upkeep._entries == 4
    first.keep(said(5, "other words", id="x"))
    first.log.close()
    again = keeper()
    assert [event.seq for event in again.past] == [1, 2, 3, 4, 5] and again.damage == []


def test_the_store_counts_new_events(path):
    log, _ = open_store(path, durable=True)
    assert log.add([said(1), said(2), Joined(3, NOW, BOB, "bob")]) == 3
    assert log.add([said(2), said(3), said(4, id="id-1"), said(5)]) == 1
    assert log.pruning.entries == 4
    log.close()


def test_a_message_is_found_by_its_id_stored_or_waiting(keeper, monkeypatch):
    one = keeper()
    one.keep(said(1, id="x"), said(2, by=BOB, id="x"), said(3, id="y"), said(4, by="~1f", id="x"))
    assert [event.seq for event in one.log.find(ANN, {"x", "z"})] == [1]
    many = {f"no-{number}" for number in range(2000)} | {"x", "y"}
    assert sorted(event.seq for event in one.log.find(ANN, many)) == [1, 3]
    assert one.log.find("~1f", {"x"}) == []
    monkeypatch.setattr(one.log, "_write", lambda transaction: False)  # the disk takes nothing
    put(one.log, said(5, id="w"), said(6, by=BOB, id="v"))
    assert [event.seq for event in one.log.find(ANN, {"v", "w", "x"})] == [5, 1]


def test_guests_may_reuse_message_ids(keeper, path):
    keeper().keep(said(1, by="~1f", id="1"), said(2, by="~1f", id="1"))
    assert [event.seq for event in LogReader(path).events_after(0, 10)] == [1, 2]


def test_a_nick_keeps_its_owner_after_the_entry_was_pruned(keeper):
    first = keeper(keep=Retention(entries=1))
    first.keep(Joined(1, NOW, ANN, "ann"), Joined(2, NOW, BOB, "ann"), Joined(3, NOW, "~77", "pat"), said(4))
    first.log.close()
    assert keeper().opened.owners == (("ann", ANN),)


def test_reading_joins_stored_and_waiting_events(keeper, path):
    one = keeper()
    one.keep(said(1), said(2))
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    put(one.log, said(3), said(4))
    assert [event.seq for event in one.log.read(1, 10)] == [2, 3, 4]
    assert [event.seq for event in one.log.read(0, 3)] == [1, 2, 3]
    blocker.execute("ROLLBACK")
    blocker.close()


def test_a_log_without_a_disk_gives_the_events_in_memory():
    stored: list[tuple[int, int]] = []
    log = NoLog()
    assert log.open() == Opened() and log.stores_at_once
    log.start(lambda ticket, seq: stored.append((ticket, seq)))
    assert log.append([said(1), said(2), said(3)]) == 3
    log.commit()
    assert not stored, "the hub knows it from the beginning"
    assert [event.seq for event in log.read(1, 1)] == [2]
    log.close()


LONG = "\U0001f600" + "x" * 4092  # 4,096 bytes on the wire, four times as much in memory


@pytest.mark.full
def test_no_more_is_at_hand_than_may_be_in_memory(keeper):
    first = keeper()
    first.keep(*(said(seq, LONG) for seq in range(1, 1501)))
    first.log.close()
    past = keeper().past
    assert sum(memory_of(event.text) for event in past) <= RECENT_SIZE
    assert [event.seq for event in past] == list(range(1501 - RECENT_SIZE // memory_of(LONG), 1501))


def test_without_a_log_no_more_is_at_hand_than_may_be_in_memory():
    log = NoLog()
    log.start(lambda ticket, seq: None)
    for seq in range(1, 1501):
        put(log, said(seq, LONG))
    assert len(log.read(0, 10_000)) == RECENT_SIZE // memory_of(LONG)
    put(log, *(said(seq) for seq in range(1501, 1501 + 2 * RECENT)))
    assert len(log.read(0, 3 * RECENT)) == RECENT


# ---- trouble


def test_records_wait_while_another_program_holds_the_file(keeper, path, monkeypatch):
    monkeypatch.setattr(store, "BUSY_LIMIT", 0.05)
    one = keeper(timing=IMPATIENT)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    put(one.log, said(1))
    wait_until(lambda: one.troubles)
    assert one.troubles == ["another program holds the file"] and one.stored_seq == 0
    put(one.log, said(2))
    blocker.execute("ROLLBACK")
    blocker.close()
    # The first may be stored alone, if that was just being tried.
    wait_until(lambda: one.stored_seq == 2 and one.troubles[-1] == "")
    assert one.troubles == ["another program holds the file", ""]


def test_the_log_is_full_when_too_much_waits(keeper, path, monkeypatch):
    monkeypatch.setattr(store, "BUSY_LIMIT", 0.05)
    monkeypatch.setattr(waiting, "WAITING_LIMIT", 10_000)
    one = keeper(timing=IMPATIENT)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    put(one.log, *(said(seq) for seq in range(1, 10)))
    assert not one.log.full
    put(one.log, *(said(seq) for seq in range(10, 40)))
    assert one.log.full
    blocker.execute("ROLLBACK")
    blocker.close()
    wait_until(lambda: one.stored_seq == 39)
    assert not one.log.full


def test_a_log_that_cannot_be_closed_cleanly_is_closed_all_the_same(keeper, path, monkeypatch, caplog):
    monkeypatch.setattr(store, "BUSY_LIMIT", 0.05)
    monkeypatch.setattr(sqlite_log, "CLOSE_LIMIT", 0.2)
    one = keeper(timing=IMPATIENT)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    put(one.log, said(1))
    one.log.close()
    blocker.close()
    assert one.stored_seq == 0 and "1 events could not be stored" in caplog.text
    assert keeper().opened.seq == NEXT_TERM


FULL_DISK = """
import json, os, sys, threading
from pathlib import Path
from lanchat.protocol.messages import Said
from lanchat.storage.sqlite_log import SqliteLog

folder = Path(sys.argv[1])
os.system(f"mount -t tmpfs -o size=1m none {folder}") == 0 or sys.exit("no mount")
change = threading.Condition()
stored, troubles = [0], []
def on_stored(ticket, seq):
    with change: stored.append(seq); change.notify()
def on_trouble(text):
    with change: troubles.append(text); change.notify()
log = SqliteLog(folder / "log.db")
log.open()
log.start(on_stored, on_trouble)
seq = 0
with change:
    while not troubles:
        seq += 1
        log.append([Said(seq, 0, "a" * 64, "ann", str(seq), f"{seq} " * 200)])
        log.commit()
        assert change.wait_for(lambda: stored[-1] == seq or troubles, 20)
    kept = stored[-1]
    for _ in range(50):
        seq += 1
        log.append([Said(seq, 0, "a" * 64, "ann", str(seq), "waits")])
        log.commit()
readable = len(log.read(0, 100000))
# now there is more room
os.system(f"mount -o remount,size=8m {folder}") == 0 or sys.exit("no remount")
with change:
    assert change.wait_for(lambda: stored[-1] == seq and troubles[-1] == "", 20)
log.close()
import sqlite3
db = sqlite3.connect(folder / "log.db")
print(json.dumps({"kept": kept, "said": seq, "readable": readable, "troubles": troubles,
    "rows": db.execute("select count(*), max(seq) from event").fetchone(),
    "check": db.execute("pragma quick_check").fetchone()[0]}))
db.close()
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root")
def test_a_full_disk_delays_acks_and_loses_nothing(tmp_path):
    """The room goes on, senders are warned, and the log recovers by itself."""
    run = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", FULL_DISK, str(tmp_path)],
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=50,
    )
    if "no mount" in run.stderr or "unshare failed" in run.stderr:
        pytest.skip("this system lets us make no disk of our own")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["troubles"] == ["the disk is full", ""]
    assert 0 < found["kept"] < found["said"] == found["readable"]
    assert found["rows"] == [found["said"], found["said"]] and found["check"] == "ok"


# ---- a process that dies


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=[pytest.mark.full, pytest.mark.timeout(300)])])
def test_kill_9_under_load(path, rounds):
    """No acknowledged event is lost, there is no gap, and no number is given out twice."""
    acknowledged: set[int] = set()
    runs: list[int] = []
    for _ in range(rounds):
        first, acked = _write_until_killed(path)
        assert first not in runs and first >= max(acknowledged, default=0)
        runs.append(first)
        acknowledged |= set(range(first + 1, acked + 1))
        kept = [
            event.seq for event in LogReader(path).events_after(first, 1_000_000)
        ]  # as it was left, before anybody mends it
        assert kept == list(range(first + 1, first + 1 + len(kept))) and kept[-1] >= acked
    last = SqliteLog(path)
    last.open()
    last.close()
    kept_now = {event.seq: event for event in LogReader(path).events_after(-1, 1_000_000)}
    assert acknowledged <= kept_now.keys()
    assert all(event.text == f"text {seq}" for seq, event in kept_now.items() if isinstance(event, Said))
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
    db.close()
    print(f"{rounds} kills, {len(acknowledged)} events acknowledged, 0 lost")


def _write_until_killed(path: Path) -> tuple[int, int]:
    """Returns: the seq it began after, the last seq it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.writer", str(path)], stdout=subprocess.PIPE, cwd=TOP, text=True
    ) as writer:
        assert writer.stdout is not None
        opened = writer.stdout.readline()
        while int(writer.stdout.readline()) < int(opened.split()[1]) + 300:
            pass
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split("\n")
    return int(opened.split()[1]), int(rest[-2]) if len(rest) > 1 else int(opened.split()[1]) + 300


def test_after_a_crash_no_number_is_given_out_again(keeper, path):
    """Members may have seen events that the disk had not taken yet."""
    one = keeper()
    one.keep(said(1), said(2))
    shutil.copy(path, path.with_name("snapshot"))  # as a kill leaves it
    shutil.copy(f"{path}-wal", path.with_name("snapshot-wal"))
    one.log.close()
    for crash in (1, 2, 3):  # also when nothing was kept in between
        again = SqliteLog(path.with_name("snapshot"))
        opened = again.open()
        assert [event.seq for event in opened.past] == [1, 2]
        assert opened.seq == make_seq(make_epoch(crash, OWNER_INDEX), 0)
        assert opened.timeline == Timeline(make_epoch(crash, OWNER_INDEX), ((0, 2),))
        again.close()  # never started, so it is not closed in order either


# ---- a damaged file


def filled(path: Path, number: int = 2000) -> None:
    log = begin(path)
    put(log, *(said(seq, f"{seq} " + "lorem ipsum " * 5) for seq in range(1, number + 1)))
    log.close()


def flip(path: Path, *places: int) -> None:
    data = bytearray(path.read_bytes())
    for place in places:
        data[place : place + 64] = bytes(byte ^ 0xFF for byte in data[place : place + 64])
    path.write_bytes(data)


def page_of(path: Path, text: bytes) -> int:
    """Where the last page of a file begins in which this stands."""
    return path.read_bytes().rindex(text) // 4096 * 4096


def test_damage_in_the_middle_is_found_and_all_readable_events_are_copied(keeper, path):
    filled(path)
    damaged_bytes = path.stat().st_size
    flip(path, 4096 * 30, 4096 * 31, 4096 * 60)
    words = keeper().damage[0]
    aside = path.with_name("log.db.damaged-1")
    assert "The log was damaged" in words and str(aside) in words
    assert aside.stat().st_size == damaged_bytes
    rescued = LogReader(path).events_after(-1, 10_000)
    assert 1500 < len(rescued) < 2000
    assert all(isinstance(event, Said) and event.text.startswith(f"{event.seq} ") for event in rescued)


def test_behind_damaged_pages_the_later_terms_of_a_room_are_found(path):
    """Between the last number of a term and the first one of the next there are billions."""
    seqs = [make_seq(make_epoch(term, 0), n) for term in (1, 2, 3, 7) for n in range(1, 200)]
    log = begin(path)
    put(log, *(said(seq, f"{seq} " + "lorem ipsum " * 50) for seq in seqs))
    log.close()
    flip(path, *(4096 * page for page in range(10, path.stat().st_size // 4096, 2)))
    found = [event.seq for records in readable(path) for event in records if isinstance(event, Said)]
    assert found == sorted(set(found) & set(seqs)) and len(found) > len(seqs) // 4
    assert {term_of(epoch_of(seq)) for seq in found} == {1, 2, 3, 7}


def test_behind_damage_in_its_last_page_a_log_is_read_to_its_end_in_few_steps(path, monkeypatch):
    """Nothing tells whether later terms have ever been. To try all numbers of them takes a second or more."""
    log = begin(path)
    log.append([said(number, f"{number} " + "lorem ipsum " * 50) for number in range(2, 100)])
    log.close()
    flip(path, page_of(path, b"99 lorem"))
    tried: list[int] = []
    seek = mend._Steps._seek

    def try_at(steps: mend._Steps, number: int) -> int:
        tried.append(number)
        return seek(steps, number)

    monkeypatch.setattr(mend._Steps, "_seek", try_at)
    found = [event.seq for records in readable(path) for event in records if isinstance(event, Event)]
    assert found == [*range(2, len(found) + 2)] and len(found) > 80
    assert len(tried) < 2000


def bookmarks(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE bookmark (x)")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"this is no database, but somebody's notes\n" * 200),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: flip(path, 0),
        lambda path: flip(path, 100),
        lambda path: bookmarks(path),
    ],
    ids=["empty", "notes", "beginning", "half", "header", "first page", "another program's"],
)
def test_a_file_that_is_no_log_is_renamed(monkeypatch, keeper, path, spoil):
    monkeypatch.setattr(readonly, "CREATED", 10 * PATIENCE)  # nobody waits for the tables of a damaged file
    filled(path)
    spoil(path)
    left = path.read_bytes()
    one = keeper()
    assert len(one.damage) == 1 and "damaged-1" in one.damage[0]
    assert path.with_name("log.db.damaged-1").read_bytes()[100:] == left[100:]
    assert one.opened.seq == NEXT_TERM  # above all numbers that were ever given
    one.keep(said(one.opened.seq + 1, "life goes on"))
    one.log.close()
    spoil_again = path.write_bytes(b"")
    assert spoil_again == 0 and keeper().damage and path.with_name("log.db.damaged-2").exists()


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET text = x'00ff' WHERE seq = 7",
        "UPDATE event SET at = 'soon' WHERE seq = 7",
        "UPDATE event SET at = 9223372036854775807 WHERE seq = 7",
        "UPDATE event SET seq = 9223372036854775807 WHERE seq = 7",
        "UPDATE event SET seq = -9223372036854775808 WHERE seq = 7",
        "UPDATE fact SET value = 'x'",
        "UPDATE fact SET value = 9223372036854775807",
        "UPDATE owner SET nick = x'ff'",
        "UPDATE owner SET seq = 'a', by = 5.5",
        "INSERT INTO private (id, at, by, nick, whom, whom_nick, text) VALUES ('q', 'x', 5, 'ann', 'b', 'c', x'00')",
    ],
)
def test_a_log_with_values_of_a_wrong_type_is_repaired(keeper, path, statement):
    filled(path, 20)
    with closing(Store(path, durable=True)) as store:
        store.add([Joined(21, NOW, ANN, "ann"), told("1")])
    change(path, statement)
    one = keeper()
    assert len(one.damage) == 1 and "damaged-1" in one.damage[0]
    assert len(one.past) == (20 if "WHERE" in statement else 21) and one.past[-1].seq == 21
    assert one.opened.seq == NEXT_TERM and one.opened.owners == (("ann", ANN),) and one.opened.private == (told("1"),)
    one.keep(said(one.opened.seq + 1))


def test_of_a_large_log_damaged_values_are_left_out_and_it_is_pruned_all_the_same(keeper, path, monkeypatch):
    """A large file is not checked at each start."""
    monkeypatch.setattr(mend, "CHECK_LIMIT", 0)
    filled(path, 20)
    change(path, "UPDATE event SET at = 'soon' WHERE seq <= 5", "UPDATE event SET seq = 1 << 60 WHERE seq = 7")
    change(path, "INSERT INTO owner VALUES ('x', x'ff', 'y', 0)", "UPDATE event SET at = 0 WHERE seq < 15")
    change(path, "UPDATE event SET at = 'soon' WHERE seq <= 5")
    one = keeper(keep=Retention(age=DAY))
    assert one.damage == [] and [event.seq for event in one.past] == [6, *range(8, 21)]
    assert one.opened.seq == 20 and one.opened.owners == ()
    wait_until(lambda: [e.seq for e in LogReader(path).events_after(-1, 99)] == list(range(15, 21)), what="a pruning")


def test_a_log_that_this_program_has_checked_is_not_checked_again(keeper, path):
    """Everybody waits while a standby opens the log that it alone has written."""
    filled(path, 20)
    change(path, "UPDATE event SET at = 'soon' WHERE seq = 5")
    assert keeper(checked=True).damage == []
    [later] = keeper().damage
    assert "damaged-1" in later


def test_a_log_whose_numbers_are_used_up_is_an_error(path):
    with closing(Store(path, durable=True)) as store:
        store.add([said(MAX_NUMBER)])
    with pytest.raises(LanchatError, match="no numbers left") as caught:
        SqliteLog(path).open()
    assert "--new" in caught.value.hint


def test_damage_while_the_room_is_open_is_repaired(keeper, path, monkeypatch):
    """Waiting records are not lost: they go into the new file."""
    filled(path)
    one = keeper(timing=IMPATIENT)
    hits: list[str] = []
    real = Store.add

    def broken(self: Store, events: list[Event]) -> int:
        if not hits:
            hits.append("now")
            flip(path, 4096 * 30, 4096 * 31)
            self._db.execute("SELECT * FROM nothing_like_that")
        return real(self, events)

    monkeypatch.setattr(Store, "add", broken)
    one.keep(said(2001, "said meanwhile"))
    assert len(one.damage) == 1 and "damaged-1" in one.damage[0]
    assert LogReader(path).events_after(2000, 10) == [said(2001, "said meanwhile")]
    assert len(LogReader(path).events_after(-1, 10_000)) > 1800


def test_a_replaced_file_is_noticed_while_the_room_is_open(keeper, path, monkeypatch):
    one = keeper(timing=IMPATIENT)
    one.keep(said(1), said(2))
    hits: list[str] = []
    real = Store.add

    def broken(self: Store, events: list[Event]) -> int:
        if not hits:
            hits.append("now")
            for tail in ("", "-wal", "-shm"):
                Path(f"{path}{tail}").unlink()
            self._db.execute("SELECT * FROM nothing_like_that")
        return real(self, events)

    monkeypatch.setattr(Store, "add", broken)
    one.keep(said(3))
    assert one.damage == ["The log's file was replaced. Everything that was stored in it up to now is gone."]
    assert LogReader(path).events_after(-1, 10_000) == [said(3)]


@pytest.mark.parametrize("when", ["copying", "renaming"])
def test_a_repair_that_is_cut_short_begins_again(keeper, path, monkeypatch, when):
    """After a kill or a full disk in the middle nothing is lost, no number is given out twice, and it is reported."""
    filled(path)
    flip(path, 4096 * 30, 4096 * 31)

    def fail(*_: object) -> Iterator[list[Event]]:
        raise OSError(28, "No space left on device")

    def part(path: Path) -> Iterator[list[Event]]:
        yield [said(1)]
        yield from fail()

    with monkeypatch.context() as patch:
        if when == "copying":
            patch.setattr(mend, "readable", part)
        else:
            patch.setattr(os, "replace", fail)
        with pytest.raises((LanchatError, OSError)):
            keeper()
    again = keeper()
    assert len(again.past) > 1500 and len(again.damage) == 1
    assert again.opened.seq == NEXT_TERM, "above all that was ever given"


def test_more_than_a_transaction_holds_is_stored_in_several_in_order(path, monkeypatch):
    monkeypatch.setattr(waiting, "TRANSACTION", 10)
    tickets = []
    log = SqliteLog(path)
    log.open()
    for first, number in ((1, 8), (9, 2), (11, 25)):  # what the hub gives at once stays together, if it can
        log.append([said(seq) for seq in range(first, first + number)])
    assert [event.seq for event in log.read(0, 99)] == [*range(1, 36)]
    log.start(lambda ticket, seq: tickets.append((ticket, seq)))
    log.close()
    assert tickets == [(10, 10), (20, 20), (30, 30), (35, 35)]
    assert [event.seq for event in log.read(0, 99)] == [*range(1, 36)] and not log._waiting.records


def test_a_damaged_index_is_rebuilt(keeper, path):
    filled(path, 300)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE words_data SET block = x'00112233' WHERE id > 10")
    db.close()
    opened, words = open_store(path, durable=True, suspect=True)
    opened.close()
    assert words == "" and len(list(LogReader(path).events(search="lorem"))) == 300


def test_a_log_of_a_later_version_is_left_alone(path):
    filled(path, 1)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(LanchatError, match="A later version"):
        SqliteLog(path).open()
    assert path.read_bytes() == before and not list(path.parent.glob("*damaged*"))


def test_a_log_of_version_1_is_migrated(keeper, path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "SCHEMA", migrations.SCHEMA[:1])
        old, _ = open_store(path, durable=True)
        old.add([said(1, "an old word"), Left(2, NOW, BOB, "bob")])
        old.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO owner VALUES ('bob', ?, 1)", [BOB])
    one = keeper()
    assert [event.seq for event in one.past] == [1, 2] and one.damage == [] and one.opened.owners == (("bob", BOB),)
    assert [event.seq for event in list(LogReader(path).events(search="old"))] == [1]
    one.keep(said(3, "a new word"))
    assert [event.seq for event in list(LogReader(path).events(search="word"))] == [1, 3]


def test_a_log_of_version_2_gets_the_table_of_private_messages(keeper, path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "SCHEMA", migrations.SCHEMA[:2])
        old, _ = open_store(path, durable=True)
        old.add([said(1, "an old word")])
        old.close()
    assert list(LogReader(path).private()) == [], "an old copy that nobody has opened since"
    one = keeper()
    assert [event.seq for event in one.past] == [1] and one.damage == [] and one.opened.private == ()
    one.keep(told("1"))
    assert [event.seq for event in list(LogReader(path).events(search="old"))] == [1] and list(
        LogReader(path).private()
    ) == [told("1")]


# ---- keys of those who own a nick


def test_the_keys_of_owners_are_there_at_the_next_start(keeper):
    first = keeper()
    first.keep(Joined(1, NOW, ANN, "ann", key=b"a" * 32), Joined(2, NOW, BOB, "bob"), Joined(3, NOW, "~1f", "pat"))
    first.keep(Renamed(4, NOW, ANN, "ann", "anna"), Joined(5, NOW, BOB, "rob", key=b"b" * 32))
    first.log.close()
    second = keeper()
    assert second.opened.keys == {ANN: b"a" * 32, BOB: b"b" * 32}
    assert second.past[0] == Joined(1, NOW, ANN, "ann"), "an event of the past needs none"


def test_an_owner_of_an_older_log_shows_the_key_on_return(keeper):
    first = keeper()
    first.keep(Joined(1, NOW, ANN, "ann"))
    first.log.close()
    second = keeper()
    assert second.opened.owners == (("ann", ANN),) and second.opened.keys == {}
    second.keep(Joined(2, NOW, ANN, "ann", key=b"a" * 32), Joined(3, NOW, ANN, "ann", key=b"another"))
    second.log.close()
    assert keeper().opened.keys == {ANN: b"a" * 32}


def test_a_members_history_holds_no_keys(path):
    history, _ = open_store(path, durable=False)
    history.add([Joined(1, NOW, ANN, "ann", key=b"a" * 32)])
    assert history.state().keys == {} and history.state().owners == (("ann", ANN),)
    history.close()


# ---- private messages


def test_waiting_private_messages_are_there_after_a_restart(keeper):
    first = keeper()
    first.keep(said(1))
    first.keep(told("1"), told("2", "two\nlines"), told("1", by=BOB), told("3"))
    first.keep(told("3", ""))
    first.log.close()
    again = keeper()
    assert again.opened.private == (told("1"), told("2", "two\nlines"), told("1", by=BOB), told("3", ""))
    assert list(again.past) == [said(1)] and again.opened.seq == 1


def test_the_box_of_a_finished_private_message_is_deleted(keeper, path):
    one = keeper()
    one.keep(told("1", "a secret"))
    one.keep(told("1", ""))
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT box, text FROM private").fetchall() == [(b"", "")]


def test_no_page_or_search_contains_private_messages(keeper, path):
    one = keeper()
    one.keep(said(1, "a word"))
    one.keep(told("1", "a word"))
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    put(one.log, told("2", "a word"))
    assert one.log.read(0, 10) == [said(1, "a word")], "nor while they wait for the disk"
    blocker.execute("COMMIT")
    blocker.close()
    one.log.close()
    assert (
        LogReader(path).events_after(0, 10)
        == list(LogReader(path).events())
        == list(LogReader(path).events(search="word"))
        == [said(1, "a word")]
    )
    assert list(keeper().past) == [said(1, "a word")]


def test_events_and_private_messages_share_the_tickets(keeper):
    one = keeper()
    tickets = [put(one.log, said(seq), told(str(seq))) for seq in range(1, 51)]
    assert tickets == list(range(2, 101, 2))
    one.log.close()
    assert one.tickets[-1] == 100 and one.stored_seq == 50
    assert keeper(keep=Retention(entries=99)).log._upkeep._entries == 50, "private messages are no entries of the log"


def test_private_messages_expire(keeper):
    first = keeper()
    first.keep(told("old", at=NOW - MAILBOX_AGE - 1), told("young", at=NOW - MAILBOX_AGE + 60_000))
    first.log.close()
    assert [told.id for told in keeper().opened.private] == ["young"]


def test_finished_private_messages_are_pruned_and_waiting_ones_are_not(path):
    log, _ = open_store(path, durable=True)
    log.add([told("waits"), *(told(str(number), "") for number in range(10))])
    log.pruning.drop_delivered(3, before=0)
    assert [told.id for told in log.private()] == ["waits", "7", "8", "9"]
    log.close()


def test_a_full_disk_delays_private_messages_too(monkeypatch, keeper, path):
    monkeypatch.setattr(store, "BUSY_LIMIT", 0.05)  # s
    one = keeper(timing=IMPATIENT)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    ticket = put(one.log, told("1"))
    wait_until(lambda: one.troubles)
    assert one.tickets == [0]
    blocker.execute("COMMIT")
    blocker.close()
    wait_until(lambda: one.tickets[-1] == ticket)


def test_private_messages_are_recovered_from_a_damaged_file(keeper, path):
    first = keeper()
    first.keep(*(said(seq, "x" * 500) for seq in range(1, 2001)))
    first.keep(told("1"), told("2"))
    first.log.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(4096 * 4))
    again = keeper()
    assert again.damage and set(again.opened.private) <= {told("1"), told("2")}
    assert set(again.opened.private), "they stand elsewhere in this file"


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(LanchatError, match="Cannot use"):
        SqliteLog(tmp_path / "nowhere" / "log.db").open()


# ---- bounds


def pruned(path: Path, keep: Retention) -> list[int]:
    """The entries that are left after a log was open with this retention."""
    log = begin(path, keep=keep, wall=lambda: NOW)
    wait_until(lambda: log._upkeep._prune_at > time.monotonic(), what="a look at what is too old")
    log.close()
    return [event.seq for event in LogReader(path).events_after(-1, 100_000)]


def test_surplus_entries_are_pruned(path):
    filled(path, 2500)
    assert pruned(path, Retention(entries=700)) == list(range(1801, 2501))
    assert list(LogReader(path).events(search="12")) == [] and len(list(LogReader(path).events(search="2400"))) == 1


def test_old_entries_are_pruned(keeper, path):
    one = keeper()
    one.keep(*(said(seq, at=NOW - (10 - seq) * DAY) for seq in range(1, 10)))
    one.log.close()
    assert pruned(path, EVERYTHING) == list(range(1, 10))
    assert pruned(path, Retention(age=3 * DAY + DAY // 2)) == [7, 8, 9]


def test_a_clock_that_was_wrong_keeps_nothing_behind_it(keeper, path):
    """What was said while it was ahead is as old as what came next; while it was behind, as what came before."""
    one = keeper()
    wrong, old = NOW + 1500 * DAY, NOW - 60 * DAY
    one.keep(*(said(seq, at=wrong) for seq in range(1, 1200)), *(said(seq, at=old) for seq in range(1200, 1300)))
    one.keep(said(1300, at=wrong), said(1301, at=NOW - DAY), said(1302, at=0), said(1303), said(1304, at=wrong))
    one.log.close()
    assert pruned(path, Retention(age=30 * DAY)) == [1300, 1301, 1302, 1303, 1304]


def test_old_entries_are_looked_for_in_small_steps(keeper, path, monkeypatch):
    monkeypatch.setattr(pruning, "STEP", 10)
    one = keeper()
    ahead, old = NOW + 1500 * DAY, NOW - 40 * DAY
    one.keep(*(said(seq, at=ahead) for seq in range(1, 36)), *(said(seq, at=old) for seq in range(36, 52)))
    one.keep(*(said(seq) for seq in range(52, 55)), *(said(seq, at=old) for seq in range(55, 60)))
    one.log.close()
    assert pruned(path, Retention(age=30 * DAY)) == list(range(52, 60))


def test_a_clock_that_jumps_makes_no_entry_old(path):
    """Neither does a message from a time when the clock was wrong."""
    clock = iter([NOW, NOW + 1000 * DAY, NOW + 2000 * DAY])
    log = begin(path, keep=Retention(age=DAY), wall=lambda: next(clock))
    put(log, said(1), said(2, at=NOW + 1000 * DAY), said(3))
    wait_until(lambda: len(LogReader(path).events_after(0, 10)) == 3)
    log._upkeep._prune_at = 0.0
    put(log, said(4))
    wait_until(lambda: log._upkeep._prune_at > time.monotonic(), what="a look at what is too old")
    log.close()
    assert len(LogReader(path).events_after(0, 10)) == 4


def test_a_reader_sees_a_log_that_is_written_at_the_same_time(keeper, path):
    one = keeper()
    stop = threading.Event()
    problems: list[str] = []

    def read() -> None:
        while not stop.is_set():
            seqs = [event.seq for event in LogReader(path).events_after(0, 100_000)]
            if seqs != list(range(1, len(seqs) + 1)):
                problems.append(f"a gap in {seqs[-5:]}")

    one.keep(said(1))
    reader = threading.Thread(target=read)
    reader.start()
    for seq in range(2, 400):
        put(one.log, said(seq))
    wait_until(lambda: one.stored_seq == 399)
    stop.set()
    reader.join()
    assert problems == []
