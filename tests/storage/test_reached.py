"""How far a member's history reaches, by what the last run has noted in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lanchat.protocol.messages import Card, Said
from lanchat.protocol.timeline import make_epoch, make_seq
from lanchat.storage.member_store import DiskStore
from lanchat.storage.reached import Reached, write_positions
from lanchat.storage.rooms import joined_folder

ROOM, ANN = "0a" * 16, "a" * 32
CARD = Card(1, ROOM, "Room A", "ann", 1, False, bytes(32))
FIRST, SECOND = make_epoch(1, 0), make_epoch(2, 1)


def said(epoch: int, n: int) -> Said:
    return Said(make_seq(epoch, n), 1000 + n, ANN, "ann", f"{epoch}-{n}", "hi")


def never(trouble: str) -> None:
    raise AssertionError(trouble)


def reached(home: Path) -> Reached:
    """What the next run knows."""
    with closing(DiskStore(home, CARD, never)) as store:
        return store.reached


def test_a_history_whose_numbers_went_down_reaches_as_far_as_it_was_told(tmp_path: Path):
    """Its last host had begun before the one that has yielded to it."""
    with closing(DiskStore(tmp_path, CARD, never)) as store:
        store.add_history([said(FIRST, 1), said(FIRST, 2), said(SECOND, 7)], {FIRST: 2, SECOND: 7})
        store.add_history([said(FIRST, 3)], {FIRST: 3})
    assert reached(tmp_path) == Reached({FIRST: 3}, said(FIRST, 3))


def test_nothing_is_noted_by_what_says_nothing_of_it(tmp_path: Path):
    with closing(DiskStore(tmp_path, CARD, never)) as store:
        store.add_history([said(FIRST, 1)], {FIRST: 1})
    with closing(DiskStore(tmp_path, CARD, never)) as store:
        store.add_history([said(FIRST, 2)])
    assert reached(tmp_path).positions == {FIRST: 1}


def test_of_two_programs_with_the_same_host_the_one_that_is_further_counts():
    noted = write_positions({FIRST: 9, SECOND: 5}, {})
    assert write_positions({FIRST: 9, SECOND: 3}, noted) == noted
    assert write_positions({FIRST: 9, SECOND: 6}, noted) != noted
    assert write_positions({FIRST: 3}, noted) == {"reached": f"{FIRST}:3".encode()}, "with another host, the later one"


@pytest.mark.parametrize("value", [b"", b"what", b"1:2:3", b"-1:5", b"64:-5", b"64:99999999999", b"9999999:1", "text"])
def test_a_note_that_cannot_be_read_leaves_the_last_event(tmp_path: Path, value: object):
    with closing(DiskStore(tmp_path, CARD, never)) as store:
        store.add_history([said(FIRST, 2)], {FIRST: 2})
    with closing(sqlite3.connect(joined_folder(tmp_path, ROOM, "Room A", 1) / "log.db")) as db, db:
        db.execute("UPDATE state SET value = ? WHERE name = 'reached'", (value,))
    assert reached(tmp_path) == Reached({FIRST: 2}, said(FIRST, 2))
