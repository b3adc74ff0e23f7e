"""Known hosts: remembered once, compared each time, forgotten on request."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import HostKeyChanged, LanchatError
from lanchat.protocol.ids import fingerprint
from lanchat.storage.identity import load_identity
from lanchat.storage.known_hosts import FILE, KeyStatus, KnownHost, KnownHosts
from lanchat.storage.rooms import joined_folder, open_room

ROOM, OTHER = "5" * 32, "6" * 32
KEY, ANOTHER = "a" * 64, "b" * 64


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def known(home) -> KnownHosts:
    return KnownHosts(home)


def join(known: KnownHosts, room: str, key: str, title: str) -> KeyStatus:
    key_status = known.check(room, key, title)
    known.remember(room, key, title)
    return key_status


def test_a_new_host_is_remembered_and_known_from_then_on(known, home):
    assert known.key_status(ROOM, KEY) == "new"
    assert join(known, ROOM, KEY, "Room A") == "new"
    assert known.check(ROOM, KEY, "Room A") == "known"
    assert KnownHosts(home).all() == [KnownHost(ROOM, KEY, "Room A")]


def test_a_changed_key_is_refused_with_a_text_and_the_old_one_stays(known):
    join(known, ROOM, KEY, "Room A")
    with pytest.raises(HostKeyChanged, match='The key of "Room A" has changed.* Was aaaa .*, is now bbbb ') as caught:
        known.check(ROOM, ANOTHER, "Room A")
    assert caught.value.exit_code == 5 and caught.value.hint.endswith(f"lanchat trust --forget {ROOM}")
    assert known.key_status(ROOM, ANOTHER) == "changed" and known.key_status(ROOM, KEY) == "known"


def test_a_shortened_fingerprint_is_compared_as_a_prefix(known):
    join(known, ROOM, KEY, "Room A")
    assert known.key_status(ROOM, KEY[:32]) == "known"
    assert known.key_status(ROOM, ANOTHER[:32]) == known.key_status(ROOM, "") == "changed"


def test_another_room_with_the_same_title_is_another_room(known):
    join(known, ROOM, KEY, "Room A")
    assert known.check(OTHER, ANOTHER, "Room A") == "new"
    assert known.key_status(ROOM, KEY) == "known"


def test_a_key_with_which_anybody_can_sign_is_never_known(known, home):
    neutral = fingerprint((1).to_bytes(32, "little"))
    home.mkdir()
    (home / FILE).write_text(f"{ROOM} {neutral} Room A\n")
    assert known.key_status(ROOM, neutral) == known.key_status(ROOM, neutral[:32]) == "changed"


def test_a_room_that_is_hosted_here_has_our_own_key_whatever_a_line_says(known, home):
    own = fingerprint(load_identity(home).public)
    with open_room(home, "Board", now=1) as room:
        id = room.about.id
    assert known.key_status(id, own) == known.check(id, own, "Board") == "known"
    assert known.key_status(OTHER, own) == "new"
    (home / FILE).write_text(f"{id} {KEY} Free pizza\n")
    with pytest.raises(HostKeyChanged, match='"Free pizza" claims to be a room that you host') as caught:
        known.check(id, KEY, "Free pizza")
    assert "trust --forget" not in caught.value.hint and str(room.path) in caught.value.hint
    assert known.key_status(id, own) == "known"


def test_to_look_at_a_room_that_is_hosted_here_makes_no_identity(known, home):
    with open_room(home, "Board", now=1) as room:
        id = room.about.id
    assert known.key_status(id, KEY) == known.key_status(id, KEY[:32]) == known.key_status(id, "") == "changed"
    assert "identity.key" not in os.listdir(home), "whatever key the room shows is not ours"
    own = fingerprint(load_identity(home).public)
    (home / "identity.crt").unlink()
    assert known.key_status(id, own) == "known" and "identity.crt" not in os.listdir(home)


def test_another_key_is_not_remembered_where_another_program_was_first(known):
    assert known.check(ROOM, KEY, "Room A") == known.check(ROOM, ANOTHER, "Room A") == "new"
    known.remember(ROOM, KEY, "Room A")
    with pytest.raises(HostKeyChanged):
        known.remember(ROOM, ANOTHER, "Room A")


def test_titles_of_known_and_of_hosted_rooms_are_known(known, home):
    join(known, ROOM, KEY, "Room A")
    open_room(home, "Board", now=1).close()
    joined_folder(home, OTHER, "Only seen", now=1)
    assert [known.knows_title(title) for title in ("Room A", "room a", "Board", "BOARD")] == [True] * 4
    assert not known.knows_title("Only seen") and not known.knows_title("Room")


def test_a_room_is_forgotten_by_id_or_by_title(known):
    join(known, ROOM, KEY, "Room A")
    join(known, OTHER, KEY, "Room B")
    assert [gone.room for gone in known.forget(ROOM)] == [ROOM]
    assert join(known, ROOM, ANOTHER, "Room A") == "new"
    assert [gone.title for gone in known.forget("Room B")] == ["Room B"]
    assert known.forget("Room B") == [] and [left.room for left in known.all()] == [ROOM]
    join(known, OTHER, KEY, "❤\ufe0f lunch")
    assert [gone.room for gone in known.forget("❤ lunch")] == [OTHER], "typed without what is not seen"


def test_titles_are_found_however_they_are_spelled(known):
    join(known, ROOM, KEY, "Café")
    assert known.knows_title("cafe") and known.knows_title("Cafe\u0301")
    assert [gone.room for gone in known.forget("CAFÉ")] == [ROOM]


def test_an_exact_title_is_forgotten_alone(known):
    join(known, ROOM, KEY, "Café")
    join(known, OTHER, KEY, "café")
    assert [gone.room for gone in known.forget("café")] == [OTHER]


def test_the_first_line_of_a_room_counts(known, home):
    home.mkdir()
    (home / FILE).write_text(f"{ROOM} {KEY} a\n{ROOM} {ANOTHER} a\n")
    assert known.key_status(ROOM, ANOTHER) == "changed"


@pytest.mark.parametrize("title", ["", " ", "a\nb", f"x\n{OTHER} {ANOTHER} y", "\u2028", "\x85", "\ud800", "é" * 300])
def test_any_title_makes_one_line(known, home, title):
    join(known, ROOM, KEY, title)
    assert known.check(ROOM, KEY, title) == "known"
    assert known.key_status(OTHER, ANOTHER) == "new"
    assert (home / FILE).read_text().count("\n") == 1


lines = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=120)


@given(st.lists(lines, max_size=8), st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b"")))
def test_lines_of_other_programs_stay_as_they_are(tmp_path_factory, others, strange):
    home = tmp_path_factory.mktemp("trust")
    before = [*(line.encode() for line in others), strange, b"# a comment"]
    (home / FILE).write_bytes(b"".join(line + b"\n" for line in before))
    known = KnownHosts(home)
    join(known, ROOM, KEY, "Room A")
    assert known.key_status(ROOM, KEY) == "known"
    known.forget(ROOM)
    assert (home / FILE).read_bytes() == b"".join(line + b"\n" for line in before)


@given(st.binary(max_size=400))
def test_any_file_can_be_read(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("trust")
    (home / FILE).write_bytes(data)
    known = KnownHosts(home)
    for host in known.all():
        assert len(host.room) == 32 and len(host.fingerprint) == 64
    assert known.key_status("7" * 32, KEY) == "new" or b"7" * 32 in data


def test_checking_a_key_remembers_nothing(known, home):
    assert known.check(ROOM, KEY, "Room A") == "new"
    assert not home.exists() and known.check(ROOM, ANOTHER, "Room A") == "new"


def test_a_crash_while_writing_costs_no_line_but_its_own(known, home, monkeypatch):
    join(known, ROOM, KEY, "Room A")
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr("lanchat.storage.known_hosts.os.write", lambda fd, data: write(fd, data[:40]))
        known.remember("7" * 32, KEY, "Room C")
    assert [host.room for host in known.all()] == [ROOM]
    join(known, OTHER, KEY, "Room B")
    assert [host.room for host in known.all()] == [ROOM, OTHER]


def test_a_crash_while_forgetting_leaves_the_old_file(known, home, monkeypatch):
    join(known, ROOM, KEY, "Room A")

    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(LanchatError, match="No space left"):
        known.forget(ROOM)
    assert [host.room for host in known.all()] == [ROOM]
    assert os.listdir(home) == [FILE], "no draft stays behind"


def test_programs_that_join_at_once_lose_none_of_their_rooms(home):
    start = threading.Barrier(8)

    def join_many(number: int) -> None:
        known = KnownHosts(home)
        start.wait()
        for round in range(20):
            join(known, f"{number:016x}{round:016x}", KEY, "Room")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(join_many, range(8)))
    lines = [line for line in (home / FILE).read_text().splitlines() if line]  # an empty one harms nobody
    assert len(lines) == len(KnownHosts(home).all()) == 160


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LanchatError, match="Cannot use"):
        KnownHosts(tmp_path / "file").remember(ROOM, KEY, "Room A")
