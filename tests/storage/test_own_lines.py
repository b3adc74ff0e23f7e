"""What one member has said, as it stands in a log, with what was set aside there."""

from contextlib import closing

from lanchat.protocol.messages import Card, Joined, Said
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from lanchat.storage import own_lines
from lanchat.storage.member_store import DiskStore, PrivateStore
from lanchat.storage.own_lines import lines_of
from lanchat.storage.rooms import HOSTED, LOG, joined_folder
from lanchat.storage.store import Store

FIRST, RIVAL, SECOND = make_epoch(1, 0), make_epoch(2, 1), make_epoch(3, 2)
ANN, BOB, ROOM = "a" * 32, "b" * 32, "0a" * 16


def said(epoch: int, n: int, by: str = ANN, at: int = 5) -> Said:
    return Said(make_seq(epoch, n), at, by, "ann", f"{epoch}-{n}", "hi")


ALL = ((-1, make_seq(make_epoch(9, 0), 0)),)


def found(path, since=0, gaps=ALL) -> list[Said]:
    return [*lines_of(path, ANN, since, gaps)]


def test_the_newest_lines_of_one_member_are_found(tmp_path, monkeypatch):
    path = tmp_path / LOG
    with closing(Store(path, durable=False)) as store:
        store.add(
            [said(FIRST, 1, at=3), said(FIRST, 2, BOB), Joined(make_seq(FIRST, 3), 5, ANN, "ann"), said(FIRST, 4)]
        )
        store.add([said(FIRST, 5)])
    assert found(path) == [said(FIRST, 5), said(FIRST, 4), said(FIRST, 1, at=3)]
    assert found(path, since=4) == [said(FIRST, 5), said(FIRST, 4)]
    assert found(path, gaps=((-1, make_seq(FIRST, 5)),)) == [said(FIRST, 4), said(FIRST, 1, at=3)]
    two = ((make_seq(FIRST, 4), make_seq(SECOND, 0)), (0, make_seq(FIRST, 4)))
    assert found(path, gaps=two) == [said(FIRST, 5), said(FIRST, 1, at=3)]
    assert found(path, gaps=Timeline(SECOND, ((FIRST, 5),)).gaps) == [], "the host has all"
    monkeypatch.setattr(own_lines, "SAID_AGAIN", 1)
    assert found(path) == [said(FIRST, 5)]


def test_what_was_set_aside_is_found_until_it_is_said_again(tmp_path):
    path = tmp_path / LOG
    with closing(Store(path, durable=False)) as store:
        store.moving.follow(Timeline(RIVAL, ((FIRST, 1),)))
        store.add([said(FIRST, 1), said(RIVAL, 1), said(RIVAL, 2)])
        store.moving.follow(Timeline(SECOND, ((FIRST, 1),)))
        assert found(path) == [said(FIRST, 1), said(RIVAL, 2), said(RIVAL, 1)]
        store.add([Said(make_seq(SECOND, 4), 5, ANN, "ann", f"{RIVAL}-2", "hi", late=True)])
    assert said(RIVAL, 2) not in found(path) and said(RIVAL, 1) in found(path)


def test_of_a_log_that_cannot_be_read_there_are_none(tmp_path):
    (tmp_path / LOG).write_bytes(b"no log" * 100)
    assert found(tmp_path / LOG) == found(tmp_path / "none") == []


def test_who_hosted_the_room_finds_its_lines_in_the_rooms_log(tmp_path):
    card = Card(1, ROOM, "Room A", "ann", 1, False, bytes(32))
    folder = tmp_path / HOSTED / ROOM
    folder.mkdir(parents=True)
    with closing(Store(folder / LOG, durable=True)) as store:
        store.add([said(FIRST, 1)])
    with closing(PrivateStore(tmp_path, card, print)) as ours:
        assert ours.own_lines(ANN, 0, ALL) == [said(FIRST, 1)]


def test_a_message_that_is_said_again_moves_to_its_new_place_in_a_history(tmp_path):
    card = Card(1, ROOM, "Room A", "ann", 1, False, bytes(32))
    late = Said(make_seq(SECOND, 7), 5, ANN, "ann", f"{RIVAL}-1", "hi", late=True)
    forged = Said(make_seq(SECOND, 8), 5, ANN, "ann", f"{FIRST}-1", "what nobody said", late=True)
    with closing(DiskStore(tmp_path, card, print)) as store:
        store.add_history([said(FIRST, 1), said(RIVAL, 1), said(SECOND, 3)])
        store.add_history([late, forged])
    path = joined_folder(tmp_path, ROOM, "Room A", 1) / LOG
    assert found(path) == [late, said(SECOND, 3), said(FIRST, 1)], "a host changes no words that are stored"
    with closing(DiskStore(tmp_path, card, print)) as store:
        store.add_history([Said(make_seq(SECOND, 9), 99, ANN, "ann", f"{RIVAL}-1", "hi", late=True), said(RIVAL, 1)])
    assert found(path)[0] == Said(make_seq(SECOND, 9), 5, ANN, "ann", f"{RIVAL}-1", "hi", late=True), "nor their time"
