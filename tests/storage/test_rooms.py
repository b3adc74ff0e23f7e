"""The folders of rooms: one process each, the same room again, and room.json survives versions and damage."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lanchat.errors import LanchatError, ProtocolError
from lanchat.storage.rooms import (
    ABOUT,
    HOSTED,
    JOINED,
    About,
    joined_folder,
    known_rooms,
    log_paths,
    open_room,
    rooms_called,
)

TOP = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from lanchat.storage.rooms import open_room
open_room(Path(sys.argv[1]), "Room A", now=5)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(own_world: Path) -> Path:
    return own_world / "not made yet"


def test_a_title_opens_the_same_room_again(home):
    with open_room(home, "Room A", now=1) as first:
        assert len(first.about.id) == 32 and first.log_path.parent == first.path
    with open_room(home, "Room B", now=2) as other:
        assert other.about.id != first.about.id
    with open_room(home, "Room A", now=3) as again:
        assert again.about == About(first.about.id, "Room A", created=1, used=3)


def test_of_two_rooms_with_one_title_the_last_used_is_opened(home):
    with open_room(home, "Room A", now=1) as old, open_room(home, "Room A", new=True, now=2) as new:
        assert old.about.id != new.about.id
    with open_room(home, "Room A", now=3) as again:
        assert again.about.id == new.about.id


def test_the_retention_stays_until_it_is_changed(home):
    with open_room(home, "Room A", keep="30d", now=1):
        pass
    with open_room(home, "Room A", now=2) as room:
        assert room.about.keep == "30d"
    with open_room(home, "Room A", keep="", now=3) as room:
        assert room.about.keep == ""


def test_bans_and_the_lock_survive_a_restart(home):
    with open_room(home, "Room A", now=1) as room:
        room.save_access({"a" * 64: "ann"}, False)
        room.save_access({"a" * 64: "ann", "b" * 64: "bob"}, True)
    room.close()
    with open_room(home, "Room A", now=2) as again:
        assert again.about.bans == {"a" * 64: "ann", "b" * 64: "bob"} and again.about.locked


def test_fields_of_a_later_version_stay_in_room_json(home):
    with open_room(home, "Room A", now=1) as room:
        path = room.path / "room.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "topic": {"text": "tea"}}))
    with open_room(home, "Room A", now=2):
        pass
    assert json.loads(path.read_text())["topic"] == {"text": "tea"}
    assert [file.name for file in room.path.iterdir() if file.name.startswith("room.json")] == ["room.json"]


def test_a_room_is_open_once_at_a_time(home):
    with open_room(home, "Room A", now=1):
        with pytest.raises(LanchatError, match='hosts "Room A" already') as caught:
            open_room(home, "Room A", now=2)
        assert 'lanchat join "Room A"' in caught.value.hint and '--new "Room A"' in caught.value.hint
        with open_room(home, "Room A", new=True, now=3):
            pass


def test_a_killed_process_releases_its_room(home):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TOP
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(LanchatError, match="already"):
            open_room(home, "Room A", now=6)
        other.kill()
        other.wait()
        with open_room(home, "Room A", now=7) as room:
            assert room.about.created == 5


def test_a_folder_that_cannot_be_written_is_an_error_with_advice(home):
    home.mkdir(parents=True)
    (home / HOSTED).write_text("in the way")
    with pytest.raises(LanchatError, match="Cannot use") as caught:
        open_room(home, "Room A", now=1)
    assert "LANCHAT_HOME" in caught.value.hint


@pytest.mark.parametrize("id", ["", "..", "../" * 10 + "etc", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", "/tmp/x"])
def test_an_id_from_the_network_that_could_be_a_path_is_refused(home, id):
    with pytest.raises(ProtocolError):
        joined_folder(home, id, "Room A", 1)
    assert not home.exists()


def test_rooms_are_found_by_title_and_id_the_last_used_first(home):
    for number, title in enumerate(["Room A", "room a", "Room A", "Tea"], 1):
        joined_folder(home, f"{number:032x}", title, number)
    assert [about.created for about in rooms_called(home, "Room A")] == [3, 1]
    assert [about.created for about in rooms_called(home, "ROOM A")] == [3, 2, 1]
    assert [about.title for about in rooms_called(home, f"{4:032x}")] == ["Tea"]
    assert rooms_called(home, "Tea", HOSTED) == []
    joined_folder(home, f"{1:032x}", "Room A", 9)
    assert [about.created for about in rooms_called(home, "Room A")] == [1, 3]


@pytest.mark.parametrize("name", ["Cafe", "CAFÉ", "Cafe\u0301", "ＣＡＦＥ"])
def test_a_title_is_found_however_it_is_spelled(home, name):
    joined_folder(home, "5" * 32, "Café", 1)
    assert [about.title for about in rooms_called(home, name)] == ["Café"]
    with open_room(home, name, now=2) as room:
        assert room.about.title == name, "the one that is there is another person's"


def test_a_clock_that_was_wrong_makes_no_room_the_last_one_for_ever(home):
    with open_room(home, "Room A", now=10**12) as old, open_room(home, "Room A", new=True, now=20) as new:
        assert [about.id for about in known_rooms(home)] == [new.about.id, old.about.id]
    joined_folder(home, "5" * 32, "Room A", 30)
    assert [about.id for about in known_rooms(home)] == ["5" * 32, new.about.id, old.about.id]


DAMAGE = [b"", b"[1]", b"{", b'{"title": 5}', b'{"bans": []}', b'{"locked": 1}', b"\xff", b"\0\0\0"]


@pytest.mark.parametrize("content", DAMAGE)
def test_a_damaged_title_never_makes_another_room_in_silence(home, content):
    """The advice is followed here."""
    with open_room(home, "Room A", now=1) as room:
        pass
    about = room.path / ABOUT
    about.write_bytes(content)
    with pytest.raises(LanchatError, match=f"{about} is damaged") as caught:
        open_room(home, "Room A", now=2)
    assert about.read_bytes() == content
    write, _, new = caught.value.hint.partition("   If not:  ")
    about.write_text(write.removeprefix("If it is, write into that file:  "))
    with open_room(home, "Room A", now=3) as again:
        assert again.about.id == room.about.id
    about.write_bytes(content)
    assert new == 'lanchat host --new "Room A"'
    with open_room(home, "Room A", new=True, now=4) as other:
        assert other.about.id != room.about.id
    with open_room(home, "Room A", now=5) as other_again:
        assert other_again.about.id == other.about.id, "a title that is found is no reason to ask"


@pytest.mark.parametrize("content", [None, *DAMAGE])
def test_a_room_whose_title_is_damaged_is_found_by_its_id_and_repaired_by_joining(home, content, caplog):
    folder = joined_folder(home, "5" * 32, "Room A", 1)
    (folder / "log.db").touch()
    (folder / ABOUT).unlink() if content is None else (folder / ABOUT).write_bytes(content)
    assert [about.title for about in rooms_called(home, "5" * 32)] == [""] and "cannot read" in caplog.text
    assert rooms_called(home, "Room A") == []
    joined_folder(home, "5" * 32, "Room A", 2)
    assert [about.title for about in rooms_called(home, "Room A")] == ["Room A"]


def test_rooms_that_are_hosted_here_come_before_those_of_others(home):
    with open_room(home, "Board", now=1) as room:
        pass
    joined_folder(home, "5" * 32, "Board", now=2)
    assert [about.id for about in rooms_called(home, "Board")] == [room.about.id, "5" * 32]


def test_a_room_that_is_hosted_here_keeps_its_title(home):
    with open_room(home, "Board", now=1) as room:
        pass
    joined_folder(home, room.about.id, "Free pizza", now=2)
    assert [(about.title, about.used) for about in known_rooms(home)] == [("Board", 2)]


def test_titles_that_differ_by_invisible_characters_are_one_title(home):
    """The host of a twin cannot hide it behind a title that looks the same."""
    for number, title in enumerate(["❤ lunch", "❤\ufe0f lunch", "❤ lunch\U000e0100"], 1):
        joined_folder(home, f"{number:032x}", title, number)
    assert [about.created for about in rooms_called(home, "❤ lunch")] == [3, 2, 1]


def test_a_room_both_hosted_and_joined_is_one_room(home):
    with open_room(home, "Room A", now=1) as room:
        room.log_path.touch()
    seen = joined_folder(home, room.about.id, "Room A", 2)
    (seen / "log.db").touch()
    assert [about.used for about in known_rooms(home)] == [2]
    assert log_paths(home, room.about.id) == [room.log_path, home / JOINED / room.about.id / "log.db"]
