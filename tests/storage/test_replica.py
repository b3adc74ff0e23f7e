"""A standby's copy of a room, on a real disk."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Event, Joined, Said, Told
from lanchat.protocol.standby import CopyPosition, Owned
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from lanchat.storage import replica as module
from lanchat.storage.copies import UNUSED, drop_unused, open_replica
from lanchat.storage.reader import LogReader
from lanchat.storage.replica import Replica
from lanchat.storage.sqlite_log import SqliteLog
from tests.support.waiting import PATIENCE, ended, wait_until

ROOM = "5" * 32
ANN, BOB = "a" * 64, "b" * 64
FIRST, SECOND, MINE = make_epoch(1, 0), make_epoch(2, 0), make_epoch(3, 2)

ON_FIRST = Timeline(FIRST)


def said(epoch: int, n: int, text: str = "") -> Said:
    return Said(make_seq(epoch, n), 0, ANN, "ann", f"{epoch}-{n}", text or f"text {n} of {epoch}")


def told(id: str, number: int, box: bytes = b"psst") -> Told:
    return Told(id, 9_000_000_000_000, ANN, "ann", BOB, "bob", box, number=number)


class Copy:
    """A replica that follows a host, and what it has reported."""

    def __init__(self, replica: Replica, timeline: Timeline) -> None:
        self.replica = replica
        self.begun = replica.follow(timeline)
        self.stored: list[CopyPosition] = []
        self.troubles: list[str] = []
        replica.start(self.stored.append, self.troubles.append)

    def keep(self, *records: Event | Told, **values: bytes) -> None:
        self.replica.append(records, (), values)


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Callable[..., Copy]]:
    """`copy(timeline)`: the copy of the room on this computer; closed after the test."""
    made: list[Replica] = []

    def make(timeline: Timeline = ON_FIRST) -> Copy:
        replica = open_replica(tmp_path, ROOM)
        assert replica is not None
        made.append(replica)
        return Copy(replica, timeline)

    yield make
    for one in made:
        one.close()


def path_in(home: Path) -> Path:
    return home / "standby" / ROOM / "log.db"


def test_what_a_host_sends_is_on_the_disk_when_it_says_so(copy, tmp_path):
    one = copy()
    assert one.begun == CopyPosition()
    one.keep(said(FIRST, 1), told("p", 1), said(FIRST, 2), rules=b"{}", rev=b"4", count=b"7")
    wait_until(lambda: one.stored, what="the first commit")
    assert one.stored[-1] == CopyPosition(make_seq(FIRST, 2), 1, 4, 7) == one.replica.held
    reader = LogReader(path_in(tmp_path))
    assert reader.events_after(-1, 10) == [said(FIRST, 1), said(FIRST, 2)] and len(reader.private_after(0, 9)) == 1


def test_a_copy_goes_on_where_it_ended(copy):
    one = copy()
    one.keep(said(FIRST, 1), told("p", 3), rev=b"2", private=b"5")
    instance = one.replica.instance
    one.replica.close()
    again = copy(Timeline(SECOND, ((FIRST, 1),)))
    assert again.begun == CopyPosition(make_seq(SECOND, 0), 5, 2, 0) and again.replica.instance == instance


def test_what_the_room_goes_on_without_is_set_aside(copy, tmp_path):
    one = copy(Timeline(SECOND, ((FIRST, 1),)))
    one.keep(said(FIRST, 1), said(SECOND, 1, "nobody followed"))
    assert one.replica.wait(CopyPosition(make_seq(SECOND, 1)), PATIENCE)
    assert one.replica.follow(Timeline(MINE, ((FIRST, 1),))).seq == make_seq(MINE, 0)
    one.keep(said(MINE, 1))
    assert one.replica.wait(CopyPosition(make_seq(MINE, 1)), PATIENCE)
    assert LogReader(path_in(tmp_path)).events_after(-1, 10) == [said(FIRST, 1), said(MINE, 1)]


def test_two_lanchats_of_one_computer_keep_one_copy(copy, tmp_path):
    copy()
    assert open_replica(tmp_path, ROOM) is None


def test_owners_of_nicks_of_whom_the_log_knows_nothing_are_kept_with_their_keys(copy, tmp_path):
    one = copy()
    one.replica.append((), [Owned("ann", ANN, b"k" * 32, 5)], {"rev": b"1"})
    assert one.replica.wait(CopyPosition(-1, 0, 1), PATIENCE)
    one.keep(Joined(make_seq(FIRST, 9), 0, BOB, "ann"))
    assert one.replica.wait(CopyPosition(make_seq(FIRST, 9)), PATIENCE)
    assert LogReader(path_in(tmp_path)).owners_after(0, 9) == [Owned("ann", ANN, b"k" * 32, 5)]


def test_a_host_opens_the_log_of_a_copy_and_begins_a_term_of_its_own(copy, tmp_path):
    one = copy(Timeline(SECOND, ((FIRST, 1),)))
    one.keep(said(FIRST, 1), said(SECOND, 1), rules=b"{}")
    one.replica.finish()
    log = SqliteLog(path_in(tmp_path), term=3, index=2, new_term=True)
    opened = log.open()
    log.close()
    assert opened.timeline == Timeline(MINE, ((FIRST, 1), (SECOND, 1)))
    assert opened.past == (said(FIRST, 1), said(SECOND, 1)) and opened.state["rules"] == b"{}"
    one.replica.close()
    assert copy(Timeline(make_epoch(4, 0), ((FIRST, 1), (SECOND, 1)))).begun.seq == make_seq(make_epoch(4, 0), 0)


def test_a_copy_is_checked_when_it_is_opened_so_that_its_host_need_not_wait_for_that(copy, tmp_path):
    one = copy()
    one.keep(said(FIRST, 1))
    one.replica.close()
    with closing(sqlite3.connect(path_in(tmp_path))) as db, db:
        db.execute("UPDATE event SET at = 'soon'")
    assert copy().replica.is_sound
    assert path_in(tmp_path).with_name("log.db.damaged-1").exists()


def test_a_message_whose_sender_uses_an_id_twice_is_kept_as_the_host_keeps_it(copy, tmp_path):
    one = copy()
    one.keep(said(FIRST, 1), Said(make_seq(FIRST, 2), 0, ANN, "ann", f"{FIRST}-1", "other words"))
    assert one.replica.wait(CopyPosition(make_seq(FIRST, 2)), PATIENCE)
    kept = LogReader(path_in(tmp_path)).events_after(-1, 10)
    assert [(event.id, event.text) for event in kept if isinstance(event, Said)][1] == ("", "other words")


def test_a_room_that_is_too_large_is_given_up(copy, monkeypatch):
    monkeypatch.setattr(module, "MAX_SIZE", 100)
    with pytest.raises(LanchatError, match="The room is too large to keep a copy"):
        copy()


def test_a_full_disk_is_left_alone(copy, monkeypatch):
    monkeypatch.setattr(module, "SPARE", 1 << 62)
    with pytest.raises(LanchatError, match="too full to keep a copy"):
        copy()


def test_a_disk_that_takes_nothing_does_not_fill_the_memory(copy, monkeypatch):
    monkeypatch.setattr(module, "WAITING_LIMIT", 1000)
    one = copy()
    one.keep(*(said(FIRST, n) for n in range(1, 20)))
    wait_until(lambda: one.troubles, what="the trouble")
    assert "too slow" in one.troubles[0]
    assert not ended(lambda: one.replica.wait(CopyPosition(make_seq(FIRST, 1)), 100 * PATIENCE)), (
        "who waits is told at once"
    )


def test_what_comes_while_the_disk_stands_still_does_not_fill_the_memory(copy, monkeypatch):
    """Owners of nicks count as well as messages, and so does what comes after the copy was given up."""
    monkeypatch.setattr(module, "WAITING_LIMIT", 10_000)
    one = copy()
    with one.replica._writing:  # as while the disk takes its time
        for n in range(1, 200):
            one.replica.append((), [Owned(f"nick{n}", ANN, b"", n)], {})
        assert len(one.replica._owned) < 100
    wait_until(lambda: one.troubles, what="the trouble")
    one.keep(said(FIRST, 1))
    assert one.replica.is_over and not one.replica._records


def test_owners_of_nicks_count_as_a_part_of_the_copy(copy, monkeypatch):
    monkeypatch.setattr(module, "_CHECK_EVERY", 1000)
    one = copy()
    one.keep(said(FIRST, 1))
    wait_until(lambda: one.stored, what="the first commit")
    monkeypatch.setattr(module, "SPARE", 1 << 62)
    one.replica.append((), [Owned(f"nick{n}", ANN, b"", n) for n in range(9)], {})
    wait_until(lambda: one.troubles, what="the trouble")
    assert "too full" in one.troubles[0]


def test_a_room_without_an_id_gets_no_folder(tmp_path):
    with pytest.raises(LanchatError, match="invalid id"):
        open_replica(tmp_path, "../../etc")


def test_a_copy_that_nobody_uses_is_deleted_after_a_while(copy, tmp_path):
    copy().replica.close()
    folder = path_in(tmp_path).parent
    os.utime(folder, (1000, 1000))
    drop_unused(tmp_path, 1000 + UNUSED - 1)
    assert folder.is_dir()
    one = copy()
    os.utime(folder, (1000, 1000))
    drop_unused(tmp_path, 1001 + UNUSED)
    assert folder.is_dir(), "it is in use"
    one.replica.close()
    os.utime(folder, (1000, 1000))
    drop_unused(tmp_path, 1001 + UNUSED)
    assert not folder.exists()
