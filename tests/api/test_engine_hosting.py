"""What a computer stores of a room on an engine that it hosts beside the owner."""

from contextlib import closing

import pytest

from lanchat.api.engine_hosting import BesideFolder
from lanchat.api.engine_rooms import RoomAtEngine
from lanchat.errors import LanchatError
from lanchat.protocol.engine import EngineRoom

ROOM = RoomAtEngine("5" * 32, EngineRoom("Room A", "ann", bytes(32)))


def instance(home):
    with closing(BesideFolder(home, ROOM)) as folder:
        return folder.instance, folder.path


@pytest.mark.parametrize("left", [b"", b"short"])
def test_an_instance_that_a_power_cut_has_left_incomplete_is_made_again(tmp_path, left):
    first, path = instance(tmp_path)
    assert instance(tmp_path) == (first, path) and len(first) == 8
    (path / "instance").write_bytes(left)
    again, _ = instance(tmp_path)
    assert len(again) == 8 and again != first
    assert instance(tmp_path) == (again, path)


def test_a_folder_whose_instance_cannot_be_written_is_not_left_locked(tmp_path):
    _, path = instance(tmp_path)
    (path / "instance").unlink()
    (path / "instance").mkdir()
    with pytest.raises(LanchatError, match="Cannot use"):
        instance(tmp_path)
    (path / "instance").rmdir()
    assert len(instance(tmp_path)[0]) == 8
