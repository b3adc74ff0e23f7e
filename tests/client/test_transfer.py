"""Files of a room, from one member's disk to another's, over real links."""

import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from lanchat.client.download import Download
from lanchat.client.running import RunningTransfer, TransferState
from lanchat.client.sources import FileChanged
from lanchat.errors import ConnectionLost, LanchatError, Refused
from lanchat.protocol.file_messages import FileGet, FileRemoved, FileSend, FileStored, FileTicket, Go, Transfer
from lanchat.protocol.framing import TransferLine, encode
from lanchat.protocol.limits import FileLimits
from lanchat.protocol.messages import VERSION, Card
from lanchat.protocol.timing import Timing
from lanchat.server.host import Host
from lanchat.storage.downloads import part_path
from lanchat.storage.sqlite_log import SqliteLog
from tests.support.files import SIZE, digest, file_of
from tests.support.strangers import Stranger
from tests.support.transfers import Pauses, cut_transfers
from tests.support.waiting import PATIENCE, wait_until


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, SIZE])
def test_a_file_goes_from_one_member_to_another(open_room, enter, tmp_path, size):
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    source = file_of(tmp_path / "ann", "report.pdf", size)
    sent = ann.send_file(source)
    assert sent.sha256 == digest(source)
    [entry] = bob.files
    assert (entry.name, entry.size, entry.nick, entry.sha256) == ("report.pdf", size, "ann", sent.sha256)
    path = bob.fetch(entry, tmp_path / "bob")
    assert path == tmp_path / "bob" / "report.pdf"
    assert digest(path) == sent.sha256
    assert os.listdir(path.parent) == ["report.pdf"]
    assert path.stat().st_mode & 0o111 == 0


def test_who_comes_later_fetches_it_when_its_sender_is_gone(open_room, enter, tmp_path):
    room = open_room()
    source = file_of(tmp_path / "ann", "report.pdf")
    ann = enter(room, "ann")
    ann.send_file(source)
    ann.close()
    assert digest(enter(room, "bob").fetch("report.pdf", tmp_path)) == digest(source)


def test_no_file_is_overwritten(open_room, enter, tmp_path):
    room = open_room()
    ann = enter(room, "ann")
    ann.send_file(file_of(tmp_path / "ann", "report.pdf"))
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "report.pdf").symlink_to(tmp_path / "elsewhere")
    names = [ann.fetch("report.pdf", tmp_path / "bob").name for _ in range(2)]
    assert names == ["report (2).pdf", "report (3).pdf"]
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_is_fetched_while_it_is_still_being_sent(open_room, enter, tmp_path):
    """The sender waits in the middle until half of the file has come to the one who fetches."""
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    source = file_of(tmp_path / "ann", "report.pdf")
    fetching: list[RunningTransfer] = []

    def fetch() -> None:
        [entry] = wait_until(lambda: [file for file in bob.files if file.have])
        assert entry.have < entry.size and not entry.sha256
        fetching.append(bob.start_fetching(entry, tmp_path / "bob", lambda transfer: None))
        wait_until(lambda: fetching[0].progress.done > 0)

    ann.start_sending(source, Pauses(SIZE // 2, fetch)).wait(60)
    fetching[0].wait(60)
    assert digest(fetching[0].path) == digest(source)


def test_who_fetches_a_file_waits_until_its_sender_is_back(open_room, enter, tmp_path):
    """However long that takes: more often than a link that is only lost would be tried again."""
    room = open_room()
    ann = enter(room, "ann")
    bob = enter(room, "bob", timing=Timing(transfer_stall=0.25, place_every=0.01, sweep=0.02))
    source = file_of(tmp_path / "ann", "report.pdf")
    first = ann.start_sending(source, lambda transfer: transfer.progress.done > SIZE // 2 and transfer.stop())
    with pytest.raises(LanchatError, match="cancelled"):
        first.wait(60)
    remarks: list[str] = []
    [entry] = bob.files
    fetching = bob.start_fetching(entry, tmp_path, lambda transfer: remarks.append(transfer.progress.remark))
    wait_until(lambda: remarks.count("It waits for its sender.") > 13, timeout=2 * PATIENCE)
    second = RunningTransfer(ann._member.transfers.open(source), lambda transfer: None, first.id)
    ann._member.transfers._start(second)
    second.wait(60)
    fetching.wait(60)
    assert digest(fetching.path) == digest(source)


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_transfer_whose_link_is_cut_goes_on_where_it_was(open_room, enter, tmp_path, way):
    room = open_room()
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf")
    done: list[int] = []

    def cut_behind_a_part() -> None:
        """What is on its way when the link is cut comes once more, so at first a part has to be there."""
        wait_until(lambda: ann.files[0].have >= SIZE // 4)
        cut_transfers(room)

    cut = Pauses(SIZE // 2, cut_behind_a_part)

    def watch(transfer: RunningTransfer) -> None:
        done.append(transfer.progress.done)
        cut(transfer)

    if way == "up":
        ann.start_sending(source, watch).wait(60)
        path = ann.fetch("report.pdf", tmp_path)
    else:
        ann.send_file(source)
        fetching = ann.start_fetching(ann.files[0], tmp_path, watch)
        fetching.wait(60)
        path = fetching.path
    assert cut.happened and digest(path) == digest(source)
    assert all(later >= SIZE // 4 for later in done[done.index(max(d for d in done if d <= SIZE // 2)) :])


def test_a_sender_that_ends_and_begins_again_sends_only_the_rest(open_room, enter, tmp_path):
    """Another run with the same id, as after a crash. The host has a part, whose hash proves that it fits."""
    room = open_room()
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf")
    first = ann.start_sending(source, lambda transfer: transfer.progress.done > SIZE // 2 and transfer.stop())
    with pytest.raises(LanchatError, match="cancelled"):
        first.wait(60)
    have = wait_until(lambda: ann.files[0].have)
    moved: list[int] = []
    second = RunningTransfer(ann._member.transfers.open(source), lambda transfer: moved.append(transfer.progress.done))
    second.id = first.id
    ann._member.transfers._start(second)
    second.wait(60)
    assert min(done for done in moved if done) >= have
    assert ann.files[0].sha256 == digest(source)


def test_a_file_that_was_not_finished_goes_on_in_the_next_run(open_room, enter, tmp_path, own_world):
    room = open_room()
    (own_world / "seen" / room.room_id).mkdir(parents=True, mode=0o700)
    own_world.chmod(0o700)
    source = file_of(tmp_path / "ann", "report.pdf", 20_000_000)
    ann = enter(room, "ann")
    leave = threading.Event()
    first = ann.start_sending(source, Pauses(SIZE, leave.set), keep=True)
    assert leave.wait(30)
    ann.close()
    with pytest.raises(ConnectionLost):
        first.wait(30)
    wait_until(lambda: not room.links, what="the host to have read what was on its way")
    again = enter(room, "ann")
    moved: list[int] = []
    [second] = again.resume_sending(lambda transfer: moved.append(transfer.progress.done))
    second.wait(60)
    assert min(done for done in moved if done) >= SIZE // 2
    assert [entry.sha256 for entry in again.files] == [digest(source)]
    assert again.resume_sending(lambda transfer: None) == []


def test_what_an_earlier_run_has_fetched_is_not_fetched_again(open_room, enter, tmp_path):
    room = open_room()
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf")
    ann.send_file(source)
    [entry] = ann.files
    first = ann.start_fetching(
        entry, tmp_path, lambda transfer: transfer.progress.done > SIZE // 2 and transfer.cancel()
    )
    with pytest.raises(LanchatError, match="cancelled"):
        first.wait(60)
    moved: list[int] = []
    second = ann.start_fetching(entry, tmp_path, lambda transfer: moved.append(transfer.progress.done))
    second.wait(60)
    assert min(done for done in moved if done) >= SIZE // 2
    assert digest(second.path) == digest(source)


def test_what_an_earlier_run_has_fetched_is_dropped_where_it_does_not_fit(open_room, enter, tmp_path):
    ann = enter(open_room(), "ann")
    source = file_of(tmp_path / "ann", "report.pdf")
    sent = ann.send_file(source)
    part_path(tmp_path, sent.file).write_bytes(b"x" * 1000)
    assert digest(ann.fetch("report.pdf", tmp_path)) == digest(source)


def test_a_part_whose_content_does_not_fit_any_more_is_sent_from_the_start(open_room, enter, tmp_path):
    room = open_room()
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf")
    first = ann.start_sending(source, lambda transfer: transfer.progress.done > SIZE // 2 and transfer.stop())
    with pytest.raises(LanchatError, match="cancelled"):
        first.wait(60)
    file_of(tmp_path / "ann", "report.pdf", seed=1)
    second = RunningTransfer(ann._member.transfers.open(source), lambda transfer: None)
    second.id = first.id
    ann._member.transfers._start(second)
    second.wait(60)
    assert digest(ann.fetch("report.pdf", tmp_path)) == digest(source)


def test_a_folder_is_sent_as_a_zip_and_a_cut_costs_nothing(open_room, enter, tmp_path):
    room = open_room()
    ann = enter(room, "ann")
    contents = {f"{n}.bin": file_of(tmp_path / "photos" / "in", f"{n}.bin", 400_000, n).read_bytes() for n in range(8)}
    (tmp_path / "photos" / "link").symlink_to(tmp_path / "elsewhere")
    cut = Pauses(SIZE // 2, lambda: cut_transfers(room))
    transfer = ann.start_sending(tmp_path / "photos", cut)
    transfer.wait(60)
    assert cut.happened and transfer.left_out == ["photos/link"]
    with zipfile.ZipFile(ann.fetch("photos.zip", tmp_path / "got")) as found:
        assert found.testzip() is None
        assert {name: found.read(f"photos/in/{name}") for name in contents} == contents


def test_a_file_that_changes_while_it_is_sent_is_not_stored(open_room, enter, tmp_path):
    room = open_room()
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf")

    def change() -> None:
        source.write_bytes(b"something else")

    with pytest.raises(FileChanged):
        ann.start_sending(source, Pauses(SIZE // 2, change)).wait(60)
    assert not any(entry.sha256 for entry in ann.files)


def test_files_survive_a_restart_of_the_host(open_room, enter, tmp_path):
    room = open_room(log=SqliteLog(tmp_path / "log.db"))
    source = file_of(tmp_path / "ann", "report.pdf")
    ann = enter(room, "ann")
    ann.send_file(source)
    ann.close()
    room.close()
    (tmp_path / "files" / "planted").write_bytes(b"of nobody")
    again = open_room(log=SqliteLog(tmp_path / "log.db"), room_id=room.room_id)
    assert not (tmp_path / "files" / "planted").exists()
    assert digest(enter(again, "bob").fetch("report.pdf", tmp_path)) == digest(source)


def test_a_stored_file_that_is_missing_on_the_disk_is_given_up(open_room, enter, tmp_path):
    room = open_room(log=SqliteLog(tmp_path / "log.db"))
    ann = enter(room, "ann")
    sent = ann.send_file(file_of(tmp_path / "ann", "report.pdf"))
    ann.close()
    room.close()
    (tmp_path / "files" / sent.file).unlink()
    again = open_room(log=SqliteLog(tmp_path / "log.db"), room_id=room.room_id)
    bob = enter(again, "bob")
    gone = next(event for event in bob.events(timeout=PATIENCE) if isinstance(event, FileRemoved))
    assert (gone.file, gone.reason) == (sent.file, "lost")
    assert bob.files == []


def test_who_sent_a_file_takes_it_back(open_room, enter, tmp_path):
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    sent = ann.send_file(file_of(tmp_path / "ann", "report.pdf"))
    delivery = ann._member.delivery
    delivery.pause()
    with pytest.raises(ConnectionLost, match="not connected"):
        ann.remove_file(sent.file)
    delivery.begin(delivery.host.key, delivery.host.largest_file)
    ann.remove_file(sent.file)
    kinds = []
    for event in bob.events(timeout=PATIENCE):
        kinds.append(type(event))
        if isinstance(event, FileRemoved):
            break
    assert kinds.index(FileStored) < kinds.index(FileRemoved)
    wait_until(lambda: os.listdir(tmp_path / "files") == [])
    with pytest.raises(Refused, match="No file called"):
        bob.fetch("report.pdf", tmp_path)


def test_a_room_without_files_says_so(host, enter, tmp_path):
    ann = enter(host("Room A"), "ann")
    assert ann.files == []
    with pytest.raises(Refused, match="takes no files"):
        ann.send_file(file_of(tmp_path, "report.pdf"))


def test_a_file_that_is_too_large_is_refused_in_words(open_room, enter, tmp_path):
    ann = enter(open_room(FileLimits(file=2_000_000)), "ann")
    with pytest.raises(Refused, match=r"2\.9 MB, and this room takes files of up to 1\.9 MB"):
        ann.send_file(file_of(tmp_path, "report.pdf"))


def test_two_transfers_of_a_member_run_at_once_and_the_others_after_them(open_room, enter, tmp_path):
    """They run in pairs here, because each waits at its first byte for another one."""
    ann = enter(open_room(), "ann")
    sources = [file_of(tmp_path / "ann", f"{number}.bin", 200_000, number) for number in range(6)]
    pair = threading.Barrier(2, timeout=PATIENCE)
    began: list[str] = []
    running: set[str] = set()
    most = 0

    def follow(transfer: RunningTransfer) -> None:
        nonlocal most
        progress = transfer.progress
        name = progress.name
        if progress.done == progress.size:
            running.discard(name)
        elif progress.state is TransferState.RUNNING and name not in began:
            began.append(name)
            running.add(name)
            pair.wait()
            most = max(most, len(running))

    transfers = [ann.start_sending(source, follow) for source in sources]
    for transfer, source in zip(transfers, sources, strict=True):
        transfer.wait(60)
        assert transfer.sha256 == digest(source)
    assert [set(began[:2]), set(began[2:4]), set(began[4:])] == [{f"{n}.bin", f"{n + 1}.bin"} for n in (0, 2, 4)]
    assert most == 2 and len(ann.files) == 6


def test_a_host_whose_disk_is_full_is_tried_again(open_room, enter, tmp_path, monkeypatch):
    """The rest of the file follows once there is room."""
    room = open_room()
    ann = enter(room, "ann", timing=Timing(disk_retry=0.05, first_retry=0.02))
    source = file_of(tmp_path / "ann", "report.pdf")
    refusals = iter([True, True])
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if len(data) > 10_000 and os.readlink(f"/proc/self/fd/{fd}").startswith(str(tmp_path / "files")):
            if os.fstat(fd).st_size > SIZE // 2 and next(refusals, False):
                raise OSError(28, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr("lanchat.storage.parts.os.write", full)
    remarks: list[str] = []
    ann.start_sending(source, lambda transfer: remarks.append(transfer.progress.remark)).wait(60)
    assert any("disk is full" in remark for remark in remarks)
    assert ann.files[0].sha256 == digest(source)


def test_a_disk_of_ours_that_is_full_is_looked_at_again(open_room, enter, tmp_path, monkeypatch):
    """Before the first byte, and when it fills up meanwhile; what has come stays."""
    room = open_room()
    ann = enter(room, "ann")
    bob = enter(room, "bob", timing=Timing(place_every=0.02, first_retry=0.02))
    source = file_of(tmp_path / "ann", "report.pdf")
    ann.send_file(source)
    missing = iter([(SIZE, 10), (SIZE, 10)])
    monkeypatch.setattr("lanchat.client.download.missing_space", lambda folder, needed: next(missing, None))
    write, refusals, written = os.write, iter([True]), []

    def full(fd: int, data: bytes) -> int:
        if len(data) > 10_000 and os.readlink(f"/proc/self/fd/{fd}").startswith(str(tmp_path / "bob")):
            if os.fstat(fd).st_size > SIZE // 2 and next(refusals, False):
                raise OSError(28, "No space left on device")
            written.append(len(data))
        return write(fd, data)

    monkeypatch.setattr("lanchat.storage.parts.os.write", full)
    remarks: list[str] = []
    fetching = bob.start_fetching(
        bob.files[0], tmp_path / "bob", lambda transfer: remarks.append(transfer.progress.remark)
    )
    fetching.wait(60)
    told = list(dict.fromkeys(remark for remark in remarks if "more than this disk has" in remark))
    assert len(told) == 2 and all(remark.endswith("It continues when there is room.") for remark in told)
    assert digest(fetching.path) == digest(source) and sum(written) <= SIZE


# ---- hostile peers


@pytest.fixture
def stranger() -> Iterator[Callable[..., bytes]]:
    """`stranger(room, first, *rest)`: says the first line on a link of its own, waits for an answer, and says the rest.

    Gives all that comes until the host hangs up.
    """
    with ExitStack() as stack:

        def say(room: Host, first: TransferLine, *rest: TransferLine | bytes) -> bytes:
            eve = stack.enter_context(closing(Stranger(room.port, "127.0.0.1"))).tls()
            assert eve.hear(Card)
            eve.send(encode(first))
            answer = eve.line()
            eve.send(*(line if isinstance(line, bytes) else encode(line) for line in rest))
            return answer + eve.gone()

        yield say


def ticket_for(member: Any, question: FileSend | FileGet, key: str) -> FileTicket:
    ticket = member._member.transfers.questions.ask(question, key, lambda: None)
    assert isinstance(ticket, FileTicket)
    return ticket


def test_a_ticket_is_good_once_and_one_that_was_guessed_never(open_room, enter, tmp_path, stranger):
    room = open_room()
    ann = enter(room, "ann")
    sent = ann.send_file(file_of(tmp_path / "ann", "report.pdf", 1000))
    ticket = ticket_for(ann, FileGet(sent.file), sent.file).ticket
    assert b"no longer valid" in stranger(room, Transfer(VERSION, bytes(32)))
    assert b'"t":"sum"' in stranger(room, Transfer(VERSION, ticket))
    assert b"no longer valid" in stranger(room, Transfer(VERSION, ticket))


def test_an_old_ticket_is_not_good(open_room, enter, tmp_path, stranger):
    room = open_room(timing=Timing(ticket=-1.0))
    ann = enter(room, "ann")
    ticket = ticket_for(ann, FileSend("1", "a", 10), "1").ticket
    assert b"no longer valid" in stranger(room, Transfer(VERSION, ticket))


@pytest.mark.parametrize("question", [FileSend("1", "a", 10), FileGet("")])
def test_a_ticket_is_not_good_once_its_file_is_removed(open_room, enter, tmp_path, question, stranger):
    """Else its bytes would be outside the quota, and stay."""
    room = open_room()
    ann = enter(room, "ann")
    ticket = ticket_for(ann, FileSend("1", "a", 10), "1")
    if isinstance(question, FileGet):
        ticket = ticket_for(ann, FileGet(ticket.file), ticket.file)
    ann.remove_file(ticket.file)
    wait_until(lambda: not ann.files)
    assert b"no longer valid" in stranger(room, Transfer(VERSION, ticket.ticket))
    assert not (tmp_path / "files").exists()


def test_a_ticket_for_fetching_writes_nothing(open_room, enter, tmp_path, stranger):
    room = open_room()
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf", 1000)
    sent = ann.send_file(source)
    ticket = ticket_for(ann, FileGet(sent.file), sent.file).ticket
    stranger(room, Transfer(VERSION, ticket), Go(0), b"x" * 1000)
    assert digest(tmp_path / "files" / sent.file) == digest(source)


def test_a_sender_that_sends_more_than_it_said_is_hung_up_on(open_room, enter, stranger):
    room = open_room()
    ann = enter(room, "ann")
    ticket = ticket_for(ann, FileSend("1", "a", 10), "1").ticket
    assert b'"t":"closing"' in stranger(room, Transfer(VERSION, ticket), Go(0), b"x" * 5000)
    assert ann.files[0].have <= 10 and not ann.files[0].sha256


def test_a_sender_whose_sum_does_not_fit_stores_nothing(open_room, enter, stranger):
    room = open_room()
    ann = enter(room, "ann")
    ticket = ticket_for(ann, FileSend("1", "a", 3), "1").ticket
    wrong = b'{"t":"sum","sha256":"' + b"0" * 64 + b'"}\n'
    assert b"damaged" in stranger(room, Transfer(VERSION, ticket), Go(0), b"abc", wrong)
    assert ann.files[0].have == 0 and not ann.files[0].sha256


def test_who_is_sent_away_takes_no_more_part_in_transfers(open_room, enter, tmp_path):
    room = open_room()
    hal, ann = enter(room, "hal"), enter(room, "ann")

    def ban() -> None:
        """The rest of the file is not there before the host has done it."""
        hal.moderate("ban", "ann")
        wait_until(lambda: room.people == 1)

    banned = Pauses(SIZE // 2, ban)
    with pytest.raises(LanchatError):
        ann.start_sending(file_of(tmp_path / "ann", "report.pdf"), banned).wait(60)
    assert not any(entry.sha256 for entry in hal.files)


@pytest.mark.parametrize("up", [True, False], ids=["to send", "to fetch"])
def test_a_ticket_of_somebody_who_was_sent_away_meanwhile_is_not_good(open_room, enter, tmp_path, up, stranger):
    room = open_room()
    hal, ann = enter(room, "hal"), enter(room, "ann")
    sent = hal.send_file(file_of(tmp_path / "hal", "report.pdf", 1000))
    question, key = (FileSend("1", "a", 10), "1") if up else (FileGet(sent.file), sent.file)
    ticket = ticket_for(ann, question, key).ticket
    hal.moderate("ban", "ann")
    wait_until(lambda: not ann.connected, what="ann to be sent away")
    assert b"no longer valid" in stranger(room, Transfer(VERSION, ticket))


@pytest.mark.parametrize("who", ["host", "member"])
def test_nobody_waits_for_a_file_that_does_not_come(open_room, enter, tmp_path, who):
    """The host closes, or the member leaves and its place is free again, long before the transfer has stalled."""
    room = open_room(FileLimits(spare_part=0.0, spare_bytes=0, places_of_member=1), timing=Timing(transfer_stall=600))
    ann, bob = enter(room, "ann"), enter(room, "bob")
    first = ann.start_sending(
        file_of(tmp_path / "ann", "a.pdf"), lambda transfer: transfer.progress.done > SIZE // 2 and transfer.stop()
    )
    with pytest.raises(LanchatError, match="cancelled"):
        first.wait(60)
    fetching = bob.start_fetching(bob.files[0], tmp_path, lambda transfer: None)
    wait_until(lambda: fetching.progress.done == bob.files[0].have > 0)  # the host has nothing more to send
    if who == "host":
        room.close()
    else:
        fetching.cancel()
        ann.send_file(file_of(tmp_path / "ann", "b.pdf", 10))
        assert bob.fetch("b.pdf", tmp_path).read_bytes() == (tmp_path / "ann" / "b.pdf").read_bytes()


def test_leaving_ends_the_transfers(open_room, enter, tmp_path):
    room = open_room()
    ann = enter(room, "ann")
    reached: list[RunningTransfer] = []
    transfer = ann.start_sending(file_of(tmp_path / "ann", "report.pdf", 50_000_000), reached.append)
    wait_until(lambda: reached)
    ann.close()
    with pytest.raises(ConnectionLost, match="You have left"):
        transfer.wait(60)


def test_what_a_person_cancels_is_taken_back_and_what_they_fetch_stays_for_another_time(open_room, enter, tmp_path):
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")

    def cancel(transfer: RunningTransfer) -> None:
        if transfer.progress.done >= SIZE // 2:
            transfer.cancel()

    cancelled = ann.start_sending(file_of(tmp_path / "ann", "a.pdf"), cancel)
    with pytest.raises(LanchatError, match="cancelled"):
        cancelled.wait(60)
    gone = next(event for event in bob.events(timeout=PATIENCE) if isinstance(event, FileRemoved))
    assert (gone.file, gone.reason, bob.files) == (cancelled.file, "removed", [])
    ann.send_file(file_of(tmp_path / "ann", "b.pdf"))
    fetching = bob.start_fetching(bob.files[0], tmp_path / "bob", cancel)
    with pytest.raises(LanchatError, match="cancelled"):
        fetching.wait(60)
    assert part_path(tmp_path / "bob", fetching.file).stat().st_size >= SIZE // 2
    assert [entry.name for entry in bob.files] == ["b.pdf"]


def test_what_is_cancelled_before_the_host_has_answered_is_taken_back_as_well(open_room, enter, tmp_path, monkeypatch):
    room = open_room()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    transfers, receive = ann._member.transfers, ann._member.transfers.receive
    answers: list[FileTicket] = []

    def hold_back(reply: Any) -> Any:
        answers.append(reply)
        return []

    monkeypatch.setattr(transfers, "receive", hold_back)
    transfer = ann.start_sending(file_of(tmp_path / "ann", "a.pdf", 10), lambda transfer: None)
    wait_until(lambda: answers)
    transfer.cancel()
    with pytest.raises(LanchatError, match="cancelled"):
        transfer.wait(60)
    receive(answers[0])
    next(event for event in bob.events(timeout=PATIENCE) if isinstance(event, FileRemoved))


def test_a_host_that_starts_again_while_a_later_take_is_fetched_goes_on_with_it(open_room, enter, tmp_path):
    """The sender had begun again, so the bytes are of take 2, and to the new run of the host all is take 1."""
    room = open_room(log=SqliteLog(tmp_path / "log.db"))
    ann, bob = enter(room, "ann"), enter(room, "bob")
    source = file_of(tmp_path / "ann", "report.pdf")
    sent = ann.send_file(source)
    part = part_path(tmp_path / "bob", sent.file)
    part.parent.mkdir()
    part.write_bytes(source.read_bytes()[: SIZE // 2])
    moved: list[int] = []
    download = Download(sent.file, "report.pdf", SIZE, part.parent, Timing())
    download._take = 2
    fetching = RunningTransfer(download, lambda transfer: moved.append(transfer.progress.done))
    bob._member.transfers._start(fetching)
    fetching.wait(60)
    assert min(done for done in moved if done) >= SIZE // 2 and digest(fetching.path) == digest(source)
