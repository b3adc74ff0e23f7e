"""What only the log of a room that moves has: numbers of private messages, rules and papers, and what is set aside."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lanchat.protocol.messages import Event, Joined, Moved, Said, Told
from lanchat.protocol.standby import Owned
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from lanchat.storage.reader import LogReader
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.storage.store import Store
from tests.support.waiting import wait_until

ANN, BOB = "a" * 64, "b" * 64
FIRST, SECOND, RIVAL = make_epoch(1, 0), make_epoch(2, 1), make_epoch(2, 2)


def said(epoch: int, n: int) -> Said:
    return Said(make_seq(epoch, n), 0, ANN, "ann", f"{epoch}-{n}", f"text {n} of {epoch}")


def told(id: str, number: int, box: bytes = b"psst") -> Told:
    return Told(id, 0, ANN, "ann", BOB, "bob", box, number=number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(Store(path, durable=True)) as opened:
        yield opened


@pytest.fixture
def log(path: Path) -> Iterator[Callable[..., SqliteLog]]:
    """`log()`: one that is open and running; closed after the test."""
    made: list[SqliteLog] = []

    def make(**options: object) -> SqliteLog:
        made.append(one := SqliteLog(path, **options))  # type: ignore[arg-type]
        one.opened = one.open()  # type: ignore[attr-defined]
        one.start(lambda ticket, seq: None)
        return one

    yield make
    for one in made:
        one.close()


def events_of(path: Path) -> list[Event]:
    return LogReader(path).events_after(-1, 100)


def test_a_private_message_that_is_finished_takes_its_new_number(store, path):
    store.add([told("1", 1), told("2", 2), told("1", 3, box=b"")])
    assert LogReader(path).private_after(0, 10) == [told("2", 2), told("1", 3, box=b"")]
    assert LogReader(path).private_after(2, 10) == [told("1", 3, box=b"")], "all that a standby lacks which has two"
    assert store.moving.private_number() == 3


def test_a_private_message_that_comes_again_changes_nothing(store, path):
    store.add([told("1", 1), told("1", 2)])
    assert LogReader(path).private_after(0, 10) == [told("1", 1)]


def test_those_of_a_member_are_numbered_by_the_file(store, path):
    store.add([told("1", 0), told("2", 0)])
    assert [one.number for one in LogReader(path).private_after(0, 10)] == [1, 2]


def test_a_standby_reads_on_while_private_messages_wait_for_the_disk(log, monkeypatch):
    one = log()
    one.append([told("1", 1)])
    wait_until(lambda: one.private_after(0, 10), what="the first to be stored")
    monkeypatch.setattr(one, "_write", lambda transaction: False)
    one.append([told("2", 2), told("1", 3, box=b"")])
    assert one.private_after(0, 10) == [told("1", 1), told("2", 2), told("1", 3, box=b"")]
    assert one.private_after(0, 1) == [told("1", 1)]


def test_two_hosts_give_no_two_private_messages_one_number(log, path):
    one = log()
    one.append([told("1", 1)])
    one.close()
    assert log(term=2, index=1).opened.private_number == make_seq(make_epoch(2, 1), 0)


def test_owners_of_nicks_come_with_their_keys_the_first_one_first(store, path):
    key = b"k" * 32
    store.add([Joined(5, 0, BOB, "bob", key=key), Joined(9, 0, ANN, "ann")])
    assert LogReader(path).owners_after(0, 10) == [Owned("bob", BOB, key, 5), Owned("ann", ANN, b"", 9)]
    assert LogReader(path).owners_after(5, 10) == [Owned("ann", ANN, b"", 9)]
    assert LogReader(path).owners_after(0, 1) == [Owned("bob", BOB, key, 5)]


def test_rules_and_papers_are_there_after_a_restart(log):
    one = log()
    one.set_state({"rules": b"{}", "delegation": b"old"})
    one.set_state({"delegation": b"new"})
    one.close()
    assert log().opened.state == {"rules": b"{}", "delegation": b"new"}


def test_a_log_of_a_room_with_standbys_begins_a_term_at_each_start(log):
    log().close()
    assert log(new_term=True).opened.timeline == Timeline(FIRST)


def test_a_copy_that_is_on_the_timeline_keeps_everything(store, path):
    store.add([said(FIRST, 1), said(FIRST, 2)])
    after, number = store.moving.follow(Timeline(SECOND, ((FIRST, 2),)))
    assert (after, number) == (make_seq(SECOND, 0), 0)
    store.add([said(SECOND, 1)])
    assert store.moving.positions() == {FIRST: 2, SECOND: 1}


def test_events_that_the_room_goes_on_without_are_set_aside(store, path):
    store.moving.follow(Timeline(RIVAL, ((FIRST, 2),)))
    store.add([said(FIRST, 1), said(FIRST, 2), said(RIVAL, 1)])
    after, number = store.moving.follow(Timeline(SECOND, ((FIRST, 1),)))
    assert (after, number) == (make_seq(FIRST, 1), 2)
    assert events_of(path) == [said(FIRST, 1)]
    again = Said(make_seq(SECOND, 1), 0, ANN, "ann", f"{FIRST}-2", "said again")
    assert store.add([again]) == 1, "its sender and id are free again"


def test_a_copy_that_shares_nothing_with_the_timeline_begins_from_nothing(store, path):
    store.add([said(FIRST, 1)])
    long = Timeline(make_epoch(100, 0), tuple((make_epoch(term, 1), 5) for term in range(10, 74)))
    assert store.moving.follow(long) == (-1, 1)
    assert events_of(path) == []


def test_a_term_that_begins_while_its_host_runs_is_on_the_timeline(store):
    store.add([said(FIRST, 1), said(FIRST, 2)])
    store.add([said(FIRST, 3), Moved(make_seq(SECOND, 1), 0, ANN, "ann", SECOND, "", "merge"), said(SECOND, 2)])
    assert store.moving.positions() == {FIRST: 3, SECOND: 2}
    assert store.begin(make_seq(make_epoch(5, 0), 0)) == Timeline(make_epoch(5, 0), ((FIRST, 3), (SECOND, 2)))


def test_a_copy_that_ended_in_the_middle_has_no_later_term(store):
    """The host's timeline is stored before its events, and says nothing about what is here."""
    store.moving.follow(Timeline(make_epoch(9, 0), ((FIRST, 20), (SECOND, 30))))
    assert store.moving.positions() == {}
    store.add([said(FIRST, n) for n in range(1, 8)])
    assert store.moving.positions() == {FIRST: 7}
