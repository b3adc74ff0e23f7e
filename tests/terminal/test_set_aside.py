"""`lanchat history --set-aside`."""

import io
import json
from contextlib import closing
from pathlib import Path

import pytest

from lanchat.errors import LanchatError, NoSuchRoom
from lanchat.protocol.messages import Said
from lanchat.protocol.standby import CopyPosition
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from lanchat.storage.copies import open_replica
from lanchat.storage.rooms import joined_folder
from lanchat.storage.set_aside import set_aside_in
from lanchat.storage.store import Store
from lanchat.terminal.set_aside import show_set_aside
from tests.support.waiting import PATIENCE

ROOM = "5" * 32
FIRST, RIVAL, SECOND = make_epoch(1, 0), make_epoch(2, 2), make_epoch(3, 1)


def said(epoch: int, n: int, text: str) -> Said:
    return Said(make_seq(epoch, n), 0, "a" * 64, "ann", f"{epoch}-{n}", text)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Of somebody whose copy had a line that the room went on without."""
    folder = joined_folder(tmp_path, ROOM, "Room A", 0)
    with closing(Store(folder / "log.db", durable=False)) as history:
        history.add([said(FIRST, 1, "one")])
    replica = open_replica(tmp_path, ROOM)
    assert replica is not None
    with closing(replica):
        replica.follow(Timeline(RIVAL, ((FIRST, 1),)))
        replica.start(lambda held: None, lambda trouble: None)
        replica.append([said(FIRST, 1, "one"), said(RIVAL, 1, "nobody followed")], (), {})
        assert replica.wait(CopyPosition(make_seq(RIVAL, 1)), PATIENCE)
        replica.follow(Timeline(SECOND, ((FIRST, 1),)))
    return tmp_path


def shown(home: Path, room: str = "Room A", *, as_json: bool = False) -> tuple[str, str]:
    out, talk = io.StringIO(), io.StringIO()
    assert show_set_aside(home, room, as_json=as_json, out=out, talk=talk) == 0
    return out.getvalue(), talk.getvalue()


def test_what_the_room_went_on_without_is_shown(home):
    out, talk = shown(home)
    assert out.endswith("nobody followed\n")
    assert "one" not in out.split() and talk == ""
    out, _ = shown(home, as_json=True)
    assert out.count("\n") == 1 and json.loads(out)["text"] == "nobody followed"


def test_where_nothing_was_removed_that_is_said(tmp_path):
    joined_folder(tmp_path, ROOM, "Room A", 0)
    with closing(Store(tmp_path / "seen" / ROOM / "log.db", durable=False)):
        pass
    assert shown(tmp_path) == ("", 'Nothing of "Room A" was set aside on this computer.\n')
    with pytest.raises(NoSuchRoom):
        shown(tmp_path, "Room B")


def test_a_file_that_is_no_log_is_an_error(tmp_path):
    (tmp_path / "log.db").write_bytes(b"no database" * 100)
    with pytest.raises(LanchatError, match="Cannot read"):
        set_aside_in(tmp_path / "log.db")
