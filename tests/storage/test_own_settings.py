"""What a person has settled for one room, on this disk."""

import os

import pytest

from lanchat.errors import LanchatError
from lanchat.storage.home import save_nick, saved_nick
from lanchat.storage.own_settings import MAX_IGNORED, OwnSettings, own_settings
from lanchat.storage.rooms import joined_folder

ROOM = "ab" * 16
CAT = "cd" * 16


def test_what_was_settled_is_there_the_next_time(tmp_path):
    joined_folder(tmp_path, ROOM, "Room A", 1)
    own = own_settings(tmp_path, ROOM)
    assert (own.nick, dict(own.ignored), own.password) == ("", {}, "")
    own.change(nick="evita", ignored={CAT: "cat"})
    own.change(password="correct horse")
    again = own_settings(tmp_path, ROOM)
    assert (again.nick, dict(again.ignored), again.password) == ("evita", {CAT: "cat"}, "correct horse")
    if os.name == "posix":
        assert (tmp_path / "seen" / ROOM / "own.json").stat().st_mode & 0o777 == 0o600
    again.change(password="")
    assert "correct horse" not in (tmp_path / "seen" / ROOM / "own.json").read_text()


@pytest.mark.parametrize("room", [None, ROOM, "../.."])
def test_a_room_that_stores_nothing_here_settles_for_this_run(tmp_path, room):
    own = own_settings(tmp_path, room)
    own.change(nick="evita")
    assert own.nick == "evita" and not [*tmp_path.iterdir()]


def test_a_nick_is_kept_for_its_room_and_for_rooms_where_none_is_settled(tmp_path):
    joined_folder(tmp_path, ROOM, "Room A", 1)
    save_nick(tmp_path, "bob")
    own = own_settings(tmp_path, ROOM)
    own.keep_nick("evita", everywhere=False)
    assert (own_settings(tmp_path, ROOM).nick, saved_nick(tmp_path)) == ("evita", "bob")
    own.keep_nick("eve")
    assert (own_settings(tmp_path, ROOM).nick, saved_nick(tmp_path)) == ("eve", "eve")


def test_the_first_nick_that_a_room_has_accepted_is_kept_for_all(tmp_path):
    OwnSettings(tmp_path).keep_nick("evita", everywhere=False)
    assert saved_nick(tmp_path) == "evita"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"nick": 7}',
        b'{"nick": "two words"}',
        b'{"ignored": []}',
        b'{"password": ["x"]}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_counts_as_none(tmp_path, damaged):
    folder = joined_folder(tmp_path, ROOM, "Room A", 1)
    (folder / "own.json").write_bytes(damaged)
    own = own_settings(tmp_path, ROOM)
    assert (own.nick, dict(own.ignored), own.password) == ("", {}, "")
    own.change(nick="evita")
    assert own_settings(tmp_path, ROOM).nick == "evita"


def test_what_is_no_member_id_is_not_ignored(tmp_path):
    folder = joined_folder(tmp_path, ROOM, "Room A", 1)
    (folder / "own.json").write_text(f'{{"ignored": {{"x": "eve", "{CAT}": "cat"}}}}')
    assert dict(own_settings(tmp_path, ROOM).ignored) == {CAT: "cat"}


def test_the_one_ignored_first_is_forgotten_when_they_are_too_many():
    own = OwnSettings()
    own.change(ignored={f"{number:032x}": "cat" for number in range(MAX_IGNORED + 1)})
    assert len(own.ignored) == MAX_IGNORED and f"{0:032x}" not in own.ignored


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    folder = joined_folder(tmp_path, ROOM, "Room A", 1)
    folder.chmod(0o500)
    with pytest.raises(LanchatError):
        own_settings(tmp_path, ROOM).change(nick="evita")
