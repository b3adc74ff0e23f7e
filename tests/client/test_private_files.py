"""Files for one person, from one member's disk to another's, past a host that reads none of it."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.events import PrivateFile
from lanchat.client.private_files import Recipient
from lanchat.client.running import RunningTransfer
from lanchat.client.sealed_upload import SealedSource
from lanchat.client.sources import FileChanged, open_source
from lanchat.errors import ConnectionLost, LanchatError, Refused
from lanchat.protocol.file_messages import FileGet, FileRefused, FileRemove
from lanchat.protocol.limits import FileLimits
from lanchat.protocol.messages import Joined, Said
from lanchat.protocol.sealed_file import PLAIN_PIECE, SEALED_PIECE, sealed_size
from lanchat.room.access import Access
from lanchat.server.host import Host
from lanchat.storage import history as history_module
from lanchat.storage.member_store import DiskStore
from lanchat.storage.sqlite_log import SqliteLog
from tests.support.files import SIZE, digest, file_of
from tests.support.people import PlainClient
from tests.support.transfers import Pauses, cut_transfers
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(history_module, "FLUSH_EVERY", 0.02)
    yield


def on_disk(home: Path) -> Callable[..., DiskStore]:
    home.mkdir(mode=0o700, exist_ok=True)
    return lambda card: DiskStore(home, card, lambda trouble: None)


def offered(room: JoinedRoom, state: str = "") -> PrivateFile:
    """The next thing that this person hears of a file for one person."""
    return next(
        event
        for event in room.events(timeout=PATIENCE)
        if isinstance(event, PrivateFile) and state in ("", event.state)
    )


# ---- honest people


@pytest.mark.parametrize("size", [0, 1, PLAIN_PIECE, 2 * PLAIN_PIECE + 5, SIZE])
def test_a_file_goes_to_one_person_and_nobody_else_learns_of_it(open_room, enter, tmp_path, size):
    room = open_room()
    ann, bob, eve = (enter(room, nick) for nick in ("ann", "bob", "eve"))
    source = file_of(tmp_path / "ann", "report.pdf", size)
    sent = ann.send_file(source, "bob")
    assert sent.sha256 == digest(source)
    told = offered(bob)
    assert (told.name, told.size, told.nick, told.problem) == ("report.pdf", size, "ann", "")
    for room_of in (ann, bob):
        [entry] = room_of.files
        assert (entry.name, entry.size, entry.sha256, entry.to_nick) == ("report.pdf", size, sent.sha256, "bob")
    assert eve.files == []
    path = bob.fetch("report.pdf", tmp_path / "bob")
    assert digest(path) == sent.sha256 and os.listdir(path.parent) == ["report.pdf"]
    assert digest(ann.fetch("report.pdf", tmp_path / "again")) == sent.sha256
    assert [path.stat().st_size for path in (tmp_path / "files").iterdir()] == [sealed_size(size)]


def test_who_is_not_meant_can_neither_fetch_nor_remove_it_though_they_know_its_id(open_room, enter, tmp_path):
    room = open_room()
    ann, bob, eve, hal = enter(room, "ann"), enter(room, "bob"), enter(room, "eve"), enter(room, "hal")
    sent = ann.send_file(file_of(tmp_path / "ann", "report.pdf", 10), "bob")
    for other in (eve, hal):
        questions = other._member.transfers.questions
        for question in (FileGet(sent.file), FileRemove(sent.file)):
            answer = questions.ask(question, sent.file, lambda: None)
            assert isinstance(answer, FileRefused) and answer.code == "unknown"
    answer = bob._member.transfers.questions.ask(FileRemove(sent.file), sent.file, lambda: None)
    assert isinstance(answer, FileRefused) and answer.text == "Only ann may remove this file."


def test_a_recipient_who_is_away_gets_it_later_over_a_restart_when_its_sender_is_gone(open_room, enter, tmp_path):
    room = open_room(log=SqliteLog(tmp_path / "log.db"))
    bob = enter(room, "bob")
    bob.close()
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf")
    ann.send_file(source, "bob")
    ann.close()
    room.close()
    again = open_room(log=SqliteLog(tmp_path / "log.db"), room_id=room.room_id)
    late = enter(again, "bob")
    assert offered(late).name == "report.pdf"
    assert digest(late.fetch("report.pdf", tmp_path / "bob")) == digest(source)


def test_the_offer_comes_again_until_it_was_shown_and_never_after_that(open_room, enter, tmp_path):
    room = open_room(log=SqliteLog(tmp_path / "log.db"))
    home = tmp_path / "home"
    bob = enter(room, "bob", open_store=on_disk(home))
    enter(room, "ann").send_file(file_of(tmp_path / "ann", "report.pdf", 10), "bob")
    bob.close()  # and nobody has looked
    bob = enter(room, "bob", open_store=on_disk(home))
    assert offered(bob).state == "stored"
    bob.say("here", wait=PATIENCE)
    bob.close()
    bob = enter(room, "bob", open_store=on_disk(home))
    bob.say("again", wait=PATIENCE)
    assert not [event for event in bob.events(timeout=0) if isinstance(event, PrivateFile)]
    assert [entry.name for entry in bob.files] == ["report.pdf"]


def test_all_sessions_of_both_hear_of_it(open_room, enter, tmp_path):
    room = open_room()
    ann, ann2, bob, bob2 = (enter(room, nick) for nick in ("ann", "ann", "bob", "bob"))
    source = file_of(tmp_path / "ann", "report.pdf", 1000)
    ann.send_file(source, "bob")
    for session in (ann2, bob, bob2):
        assert offered(session, "stored").name == "report.pdf"
    assert digest(bob2.fetch("report.pdf", tmp_path / "bob2")) == digest(source)


def test_a_folder_goes_to_one_person(open_room, enter, tmp_path):
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    for number in range(8):
        file_of(tmp_path / "photos", f"{number}.bin", 100_000, number)
    cut = Pauses(400_000, lambda: cut_transfers(room))
    transfer = ann.start_sending(tmp_path / "photos", cut, to=ann.recipient("bob"))
    transfer.wait(60)
    path = bob.fetch("photos.zip", tmp_path / "bob")
    assert cut.happened and digest(path) == transfer.sha256


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_transfer_whose_link_is_cut_goes_on_where_it_was(open_room, enter, tmp_path, way):
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    source = file_of(tmp_path / "ann", "report.pdf")
    done: list[int] = []

    def cut_behind_a_part() -> None:
        """What is on its way when the link is cut comes once more, so at first a part has to be there."""
        wait_until(lambda: bob.files[0].have >= SIZE // 4)
        cut_transfers(room)

    cut = Pauses(SIZE // 2, cut_behind_a_part)

    def watch(transfer: RunningTransfer) -> None:
        done.append(transfer.progress.done)
        cut(transfer)

    if way == "up":
        ann.start_sending(source, watch, to=ann.recipient("bob")).wait(60)
        path = bob.fetch("report.pdf", tmp_path)
    else:
        ann.send_file(source, "bob")
        fetching = bob.start_fetching(bob.files[0], tmp_path, watch)
        fetching.wait(60)
        path = fetching.path
    assert cut.happened and digest(path) == digest(source)
    assert all(later >= SIZE // 4 for later in done[done.index(max(d for d in done if d <= SIZE // 2)) :])


def test_it_is_fetched_while_it_is_still_being_sent_and_waits_for_its_sender(open_room, enter, tmp_path):
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    source = file_of(tmp_path / "ann", "report.pdf")
    fetching: list[RunningTransfer] = []

    def fetch() -> None:
        [entry] = wait_until(lambda: [file for file in bob.files if file.have])
        assert entry.have < entry.size and not entry.sha256
        fetching.append(bob.start_fetching(entry, tmp_path / "bob", lambda transfer: None))
        wait_until(lambda: fetching[0].progress.done > 0)

    ann.start_sending(source, Pauses(SIZE // 2, fetch), to=ann.recipient("bob")).wait(60)
    fetching[0].wait(60)
    assert digest(fetching[0].path) == digest(source)


def test_what_an_earlier_run_has_fetched_is_not_fetched_again(open_room, enter, tmp_path):
    """The part on the disk ends within a piece, as after a crash: from there on it is fetched once more."""
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    source = file_of(tmp_path / "ann", "report.pdf")
    ann.send_file(source, "bob")
    [entry] = bob.files
    (tmp_path / f".{entry.file}.part").write_bytes(source.read_bytes()[: SIZE // 2])
    moved: list[int] = []
    fetching = bob.start_fetching(entry, tmp_path, lambda transfer: moved.append(transfer.progress.done))
    fetching.wait(60)
    assert min(done for done in moved if done) >= SIZE // 2 - PLAIN_PIECE
    assert digest(fetching.path) == digest(source)


def test_what_does_not_fit_of_an_earlier_run_is_dropped(open_room, enter, tmp_path):
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    source = file_of(tmp_path / "ann", "report.pdf")
    ann.send_file(source, "bob")
    (tmp_path / f".{bob.files[0].file}.part").write_bytes(bytes(SIZE // 2))
    assert digest(bob.fetch("report.pdf", tmp_path)) == digest(source)


def leave_while_sending(ann: JoinedRoom, source: Path, room: Host) -> None:
    """Her program ends in the middle of a file for bob, who stays."""
    leave = threading.Event()
    first = ann.start_sending(source, Pauses(SIZE, leave.set), to=ann.recipient("bob"), keep=True)
    assert leave.wait(30)
    ann.close()
    with pytest.raises(ConnectionLost):
        first.wait(30)
    wait_until(lambda: len(room.links) == 1, what="the host to have read what was on its way")


@pytest.mark.full
def test_a_file_that_was_not_finished_goes_on_in_the_next_run(open_room, enter, tmp_path, own_world):
    room = open_room()
    (own_world / "seen" / room.room_id).mkdir(parents=True, mode=0o700)
    own_world.chmod(0o700)
    bob = enter(room, "bob")
    source = file_of(tmp_path / "ann", "report.pdf", 20_000_000)
    ann = enter(room, "ann")
    leave_while_sending(ann, source, room)
    again = enter(room, "ann")
    moved: list[int] = []
    [second] = again.resume_sending(lambda transfer: moved.append(transfer.progress.done))
    second.wait(60)
    assert min(done for done in moved if done) >= SIZE // 2
    [entry] = bob.files
    assert entry.sha256 == digest(source) and entry.to_nick == "bob", "it is still for bob alone"
    assert digest(bob.fetch(entry, tmp_path / "bob")) == digest(source)


def stored(folder: Path) -> int:
    """Bytes of files that the host has on its disk."""
    return sum(path.stat().st_size for path in (folder / "files").iterdir())


def test_a_file_that_has_changed_since_the_last_run_does_not_go_on(open_room, enter, tmp_path, own_world):
    """With the same key it would tell the host something of both."""
    room = open_room()
    (own_world / "seen" / room.room_id).mkdir(parents=True, mode=0o700)
    own_world.chmod(0o700)
    enter(room, "bob")
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf", 20_000_000)
    leave_while_sending(ann, source, room)
    have = stored(tmp_path)
    source.write_bytes(source.read_bytes()[:-1] + b"!")
    again = enter(room, "ann")
    [second] = again.resume_sending(lambda transfer: None)
    with pytest.raises(FileChanged):
        second.wait(60)
    assert stored(tmp_path) == have
    assert again.resume_sending(lambda transfer: None) == []


def test_it_is_taken_back(open_room, enter, tmp_path):
    room = open_room(log=SqliteLog(tmp_path / "log.db"))
    ann, bob = enter(room, "ann"), enter(room, "bob")
    sent = ann.send_file(file_of(tmp_path / "ann", "report.pdf", 10), "bob")
    ann.remove_file(sent.file)
    gone = offered(bob, "removed")
    assert (gone.name, gone.reason) == ("report.pdf", "removed")
    wait_until(lambda: os.listdir(tmp_path / "files") == [])
    for member in (ann, bob):
        member.close()
    room.close()
    again = open_room(log=SqliteLog(tmp_path / "log.db"), room_id=room.room_id)
    assert enter(again, "bob").files == []


# ---- whom it goes to


def test_a_file_for_nobody_is_refused_in_words(open_room, enter, tmp_path):
    room = open_room(plain_port=0)
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf", 10)
    with pytest.raises(Refused, match="Not sent: No one called zed has been in this room"):
        ann.send_file(source, "zed")
    with pytest.raises(ValueError, match="ann is you"):
        ann.send_file(source, "ann")
    with closing(PlainClient(room.ports["plain"]).socket) as zoe:
        zoe.sendall(b"zoe\n")
        next(event for event in ann.events(timeout=PATIENCE) if isinstance(event, Joined) and event.nick == "zoe")
        with pytest.raises(ValueError, match="~zoe is a guest without a key: a file cannot be sealed for them"):
            ann.send_file(source, "zoe")
    assert ann.files == []


def test_a_nick_whose_key_has_changed_gets_no_file_unasked(open_room, enter, tmp_path):
    """The host says that bob has left, and that another bob has come, whose key it may hold."""
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    bob.close()
    room._hub._room.access = Access()  # so that it gives the nick to another key
    enter(room, "bob", owner="mallory").say("here")
    next(event for event in ann.events(timeout=PATIENCE) if isinstance(event, Said))
    source = file_of(tmp_path / "ann", "report.pdf", 10)
    with pytest.raises(ValueError, match=r"There are two people called bob.* Nothing was sent\."):
        ann.send_file(source, "bob")
    assert ann.files == [] and ann.recipient("bob", has_rival=True).id


def test_the_largest_size_of_a_room_counts_what_is_sealed(open_room, enter, tmp_path):
    room = open_room(FileLimits(file=sealed_size(1000), spare_part=0.0, spare_bytes=0))
    ann, bob = enter(room, "ann"), enter(room, "bob")
    ann.send_file(file_of(tmp_path / "ann", "fits", 1000), "bob")
    with pytest.raises(Refused, match="this room takes files of up to"):
        ann.send_file(file_of(tmp_path / "ann", "not", 1001), "bob")
    assert [entry.name for entry in bob.files] == ["fits"]


# ---- the disk of the host, and whoever has it


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    first, second = data[:SEALED_PIECE], data[SEALED_PIECE : 2 * SEALED_PIECE]
    match how:
        case "a byte":
            data[SIZE // 2] ^= 1
        case "two pieces changed places":
            data[: 2 * SEALED_PIECE] = second + first
        case "a piece twice":
            data[: 2 * SEALED_PIECE] = first + first
        case "the end":
            data[-1] ^= 1
        case "a piece less in the middle":
            data = data[:SEALED_PIECE] + data[2 * SEALED_PIECE :] + bytes(SEALED_PIECE)
    path.write_bytes(data)


@pytest.mark.parametrize(
    "how", ["a byte", "two pieces changed places", "a piece twice", "the end", "a piece less in the middle"]
)
def test_a_host_that_changes_what_it_stores_is_found_out(open_room, enter, tmp_path, how):
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    sent = ann.send_file(file_of(tmp_path / "ann", "report.pdf"), "bob")
    damage(tmp_path / "files" / sent.file, how)
    with pytest.raises(LanchatError, match="report.pdf arrived damaged: piece [0-9]+ was changed on its way"):
        bob.fetch("report.pdf", tmp_path / "bob")
    assert [name for name in os.listdir(tmp_path / "bob") if not name.startswith(".")] == []


def test_nothing_of_it_is_on_any_other_disk(open_room, enter, tmp_path):
    """The host's log and files, and the homes of all three, are searched for the bytes and for the name."""
    (tmp_path / "hal").mkdir()
    room = open_room(log=SqliteLog(tmp_path / "hal" / "log.db"))
    ann, bob, eve = (enter(room, nick, open_store=on_disk(tmp_path / f"home-{nick}")) for nick in ("ann", "bob", "eve"))
    source = tmp_path / "outside" / "salaries-of-all.txt"
    source.parent.mkdir()
    source.write_bytes(b"a word for bob alone " * 10_000)
    ann.send_file(source, "bob")
    offered(bob)
    eve.say("hello", wait=PATIENCE)
    bob.fetch("salaries-of-all.txt", tmp_path / "outside")
    for member in (ann, bob, eve):
        member.close()
    room.close()
    searched = [path for path in tmp_path.rglob("*") if path.is_file() and "outside" not in path.parts]
    assert len(searched) >= 5, "a log, a file, and what the three keep"
    for path in searched:
        content = path.read_bytes()
        assert b"word for bob" not in content and b"salaries" not in content, path
        assert "salaries" not in path.name


# ---- the key


def test_no_number_ever_seals_two_different_pieces(tmp_path):
    """A host that says it has lost what was sent gets the same bytes again, or none."""
    path = file_of(tmp_path, "report.pdf", 3 * PLAIN_PIECE)
    source = SealedSource(open_source(path), bytes(32))
    first, second = (source.read(at, SEALED_PIECE) for at in (0, SEALED_PIECE))
    assert source.read(0, SEALED_PIECE) == first != second
    file_of(tmp_path, "report.pdf", 3 * PLAIN_PIECE, seed=1)
    with pytest.raises(FileChanged):
        source.read(SEALED_PIECE, SEALED_PIECE)
    source.close()


def test_each_file_has_a_key_of_its_own(open_room, enter, tmp_path):
    room = open_room()
    ann = enter(room, "ann")
    enter(room, "bob")
    source = file_of(tmp_path / "ann", "report.pdf", 1000)
    for _ in range(2):
        ann.send_file(source, "bob")
    first, second = ((tmp_path / "files" / entry.file).read_bytes() for entry in ann.files)
    assert first != second


def test_a_recipient_of_whom_only_the_nick_is_known_gets_it(open_room, enter, tmp_path):
    """Ann has never seen bob, so the host names his key, and she is told which it is."""
    room = open_room()
    enter(room, "bob").close()
    ann = enter(room, "ann")
    assert ann.recipient("bob") == Recipient("bob")
    source = file_of(tmp_path / "ann", "report.pdf", 10)
    ann.send_file(source, "bob")
    bob = enter(room, "bob")
    assert digest(bob.fetch("report.pdf", tmp_path / "bob")) == digest(source)
