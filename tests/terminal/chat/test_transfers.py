"""Files in the chat, as two people use them."""

from pathlib import Path

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.limits import FileLimits
from lanchat.protocol.messages import Said
from lanchat.storage.blobs import Blobs
from lanchat.storage.repair import open_store
from lanchat.storage.rooms import joined_folder
from lanchat.threads import now_ms
from tests.support.chat import TAB
from tests.support.files import SIZE, file_of
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def room(host, tmp_path):
    blobs = Blobs(tmp_path / "files", FileLimits(spare_part=0.0, spare_bytes=0))
    yield host(blobs=blobs)
    blobs.close()


def test_a_file_is_sent_listed_fetched_and_removed(room, talk, enter, tmp_path, monkeypatch):
    monkeypatch.setenv("LANCHAT_DOWNLOADS", str(tmp_path / "downloads"))
    source = tmp_path / "my report.pdf"
    source.write_bytes(b"of the year")
    bob = enter(room, "bob")
    with talk(room) as ann:
        ann.press(f"/send {source}\r")
        ann.shows("-- you are sending my report.pdf (11 bytes)")
        ann.shows("-- my report.pdf is stored; everybody can fetch it until ")
        bob.send_file(source)
        ann.shows("bob is sending my report.pdf (11 bytes)   /get 2")
        ann.press("/files\r")
        ann.shows("2  my report.pdf  11 bytes  bob")
        ann.press("/get 2\r")
        ann.shows("-- Saved")
        assert (tmp_path / "downloads" / "Room A" / "my report.pdf").read_bytes() == b"of the year"
        ann.press("/remove 1\r")
        ann.shows("you removed my report.pdf")
        ann.press("/remove 2\r")
        ann.shows("Only bob and the host may remove my report.pdf.")


def test_a_folder_that_is_not_there_is_not_made_unasked(room, talk, enter, tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"x")
    enter(room, "bob").send_file(tmp_path / "report.pdf")
    with talk(room) as ann:
        ann.shows("-- 1 file is here.")
        ann.press("/files\r")
        ann.shows("1  report.pdf")
        ann.press(f"/get 1 {tmp_path}/no/such\r")
        ann.shows("There is no folder")
        ann.has_typed(f"/get 1 {tmp_path}/no/such")
        assert not (tmp_path / "no").exists()
        (tmp_path / "no" / "such").mkdir(parents=True)
        ann.press("\r")
        ann.shows("-- Saved")
        assert (tmp_path / "no" / "such" / "report.pdf").read_bytes() == b"x"


def test_who_comes_later_is_told_that_there_are_files(room, talk, enter, tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"of the year")
    enter(room, "bob").send_file(tmp_path / "report.pdf")
    with talk(room) as ann:
        ann.shows("-- 1 file is here. /files shows it.")


def test_what_cannot_be_sent_stays_in_the_line(room, talk, tmp_path):
    missing: Path = tmp_path / "missing.pdf"
    with talk(room) as ann:
        ann.press(f"/send {missing}\r")
        ann.shows("No such file")
        ann.has_typed(f"/send {missing}")


def test_a_path_that_no_system_takes_is_told_and_the_chat_goes_on(room, talk, enter, tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"x")
    enter(room, "bob").send_file(tmp_path / "report.pdf")
    with talk(room) as ann:
        ann.press("/files\r")
        ann.shows("1  report.pdf")
        ann.press(f"/get 1 {'x' * 300}\r")
        ann.shows("There is no folder")
        ann.press(f"\x15/send {'x' * 300} bob\r")
        ann.shows("File name too long")


def test_a_path_is_completed_and_so_is_a_number(room, talk, enter, tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"x")
    with talk(room) as ann:
        ann.press(f"/send {tmp_path}/rep{TAB}")
        ann.has_typed(f"/send {tmp_path}/report.pdf")
        ann.press("\r")
        ann.shows("is stored")
        ann.press(f"/remove {TAB}")
        ann.has_typed("/remove 1")


def test_a_room_without_files_says_so(host, talk, tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"x")
    with talk(host()) as ann:
        ann.press(f"/send {tmp_path / 'report.pdf'}\r")
        ann.shows("this room takes no files")
        ann.press("\x15/files\r")
        ann.shows("This room takes no files.")


def test_a_file_for_one_person(room, talk, enter, tmp_path, monkeypatch):
    monkeypatch.setenv("LANCHAT_DOWNLOADS", str(tmp_path / "downloads"))
    source = tmp_path / "my report.pdf"
    source.write_bytes(b"of the year")
    bob, eve = enter(room, "bob"), enter(room, "eve")
    with talk(room) as ann:
        ann.press(f"/send {source} bob\r")
        ann.shows("-- you are sending my report.pdf (11 bytes) to bob alone")
        ann.shows("-- my report.pdf is stored. Only bob can open it.")
        bob.send_file(source, "ann")
        ann.shows("bob is sending my report.pdf (11 bytes) to you alone   /get 2")
        ann.press("/files\r")
        ann.shows("stored, private")
        ann.press("/get 2\r")
        ann.shows("-- Saved")
        assert (tmp_path / "downloads" / "Room A" / "my report.pdf").read_bytes() == b"of the year"
        assert eve.files == []
        ann.press(f"/send {source} zed\r")
        ann.shows("Not sent: No one called zed has been in this room.")


def test_a_nick_behind_a_path_is_completed(room, talk, enter, tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"x")
    enter(room, "bobby")
    with talk(room) as ann:
        ann.shows("bobby")
        ann.press(f"/send {tmp_path}/report.pdf bo{TAB}")
        ann.has_typed(f"/send {tmp_path}/report.pdf bobby")


def test_a_fetch_that_is_cancelled_says_how_it_goes_on(room, talk, enter, tmp_path, monkeypatch):
    """Its sender has sent a half, and stays away."""
    monkeypatch.setenv("LANCHAT_DOWNLOADS", str(tmp_path / "downloads"))
    bob = enter(room, "bob")
    source = file_of(tmp_path / "bob", "report.pdf")
    half = bob.start_sending(source, lambda transfer: transfer.progress.done > SIZE // 2 and transfer.stop())
    with pytest.raises(LanchatError):
        half.wait(60)
    with talk(room) as ann:
        ann.press("/files\r")
        ann.shows("sending, ")
        ann.press("/get 1\r")
        wait_until(lambda: [part for part in (tmp_path / "downloads").rglob("*.part") if part.stat().st_size])
        ann.press("/cancel 1\r")
        ann.shows("report.pdf was cancelled. What has arrived is kept: /get 1 goes on with it.")


DAY = 86_400_000  # ms


def test_small_files_of_those_who_are_known_come_unasked_if_the_person_has_said_so(
    room, talk, enter, tmp_path, monkeypatch, own_world, identity
):
    """Bob has said something here yesterday, by ann's own history, and eve today."""
    monkeypatch.setenv("LANCHAT_DOWNLOADS", str(tmp_path / "downloads"))
    now = now_ms()
    folder = joined_folder(own_world, room.room_id, "Room A", now)
    store, _ = open_store(folder / "log.db", durable=False)
    store.add(
        [
            Said(1, now - 2 * DAY, identity("bob").id, "bob", "1", "hi"),
            Said(2, now, identity("eve").id, "eve", "1", "hi"),
        ]
    )
    store.close()
    bob, eve = enter(room, "bob"), enter(room, "eve")
    with talk(room, accept=1000) as ann:
        eve.send_file(file_of(tmp_path / "eve", "of-eve", 10))
        bob.send_file(file_of(tmp_path / "bob", "large", 1001))
        ann.shows("bob is sending large")
        bob.send_file(file_of(tmp_path / "bob", "small", 1000))
        ann.shows("Fetching small automatically, as --accept says.")
        ann.shows("-- Saved")
        bob.send_file(file_of(tmp_path / "bob", "for-ann", 900), "ann")
        ann.shows("Fetching for-ann automatically")
        wait_until(lambda: (tmp_path / "downloads" / "Room A" / "for-ann").exists())
    assert sorted(path.name for path in (tmp_path / "downloads" / "Room A").iterdir()) == ["for-ann", "small"]


def test_nothing_comes_unasked_by_default(room, talk, enter, tmp_path, own_world, identity):
    folder = joined_folder(own_world, room.room_id, "Room A", 0)
    store, _ = open_store(folder / "log.db", durable=False)
    store.add([Said(1, 5, identity("bob").id, "bob", "1", "hi")])
    store.close()
    bob = enter(room, "bob")
    with talk(room) as ann:
        bob.send_file(file_of(tmp_path / "bob", "empty", 0))
        ann.shows("bob is sending empty")
        bob.say("the end", wait=PATIENCE)
        ann.shows("the end")
        assert "Fetching" not in ann.text
