"""How much of the log of a room of ours is kept, once it has come home."""

import pytest

from lanchat.api.kept_room import kept_retention
from lanchat.storage.rooms import ABOUT, HOSTED, open_room, rooms_called


@pytest.fixture
def room(tmp_path):
    """Its id. It was opened once, with a retention."""
    with open_room(tmp_path, "Room A", keep="30d", now=0) as folder:
        return folder.about.id


def test_what_the_owner_wished_at_the_last_time_counts_and_is_remembered(tmp_path, room):
    assert kept_retention(tmp_path, room, None, "10000") == "10000"
    assert kept_retention(tmp_path, room, None, None) == "10000"
    assert rooms_called(tmp_path, "Room A")[0].keep == "10000"
    assert kept_retention(tmp_path, room, None, "") == "", "everything"
    assert kept_retention(tmp_path, room, None, None) == ""


def test_a_program_that_has_opened_the_room_remembers_it_in_its_own_folder(tmp_path, room):
    with open_room(tmp_path, "Room A", now=1) as folder:
        assert kept_retention(tmp_path, room, folder, None) == "30d"
        assert kept_retention(tmp_path, room, folder, "10000") == "10000"
        folder.save_access({}, locked=True)
    about = rooms_called(tmp_path, "Room A")[0]
    assert (about.keep, about.locked) == ("10000", True)


def test_a_room_without_a_folder_or_with_a_damaged_one_is_kept_as_it_is_wished_now(tmp_path, room):
    assert kept_retention(tmp_path, "f" * 32, None, "30d") == "30d"
    about = tmp_path / HOSTED / room / ABOUT
    about.write_text("{")
    assert kept_retention(tmp_path, room, None, "10000") == "10000"
    assert kept_retention(tmp_path, room, None, None) is None
    assert about.read_text() == "{"
