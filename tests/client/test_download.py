"""The fetching end of a transfer, against names, folders and peers that are hostile."""

import os
import threading
from contextlib import closing
from dataclasses import dataclass

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.file_messages import FileGet, FileSend, FileTicket, Go, Transfer
from lanchat.protocol.framing import encode
from lanchat.protocol.messages import VERSION, Card
from lanchat.protocol.timing import Timing
from lanchat.storage.downloads import part_path
from tests.support.filenames import HOSTILE
from tests.support.files import digest, file_of
from tests.support.strangers import Stranger
from tests.support.waiting import PATIENCE, wait_until

STALLS = Timing(transfer_stall=1.0, sweep=0.05)


@dataclass(frozen=True)
class Offered:
    """A file as a hostile host lists it."""

    file: str
    name: str
    size: int


def test_every_hostile_name_becomes_one_new_file_in_the_folder(open_room, enter, tmp_path):
    """Where each of them would go stands a link that leads elsewhere; one really fetches into that folder."""
    room = open_room()
    ann = enter(room, "ann")
    source = file_of(tmp_path / "ann", "report.pdf", 10)
    sent = ann.send_file(source)
    elsewhere = tmp_path / "elsewhere"
    for number, (name, harmless) in enumerate(HOSTILE.items()):
        folder = tmp_path / "in" / str(number)
        folder.mkdir(parents=True)
        (folder / harmless).symlink_to(elsewhere)
        fetching = ann.start_fetching(Offered(sent.file, name, 10), folder, lambda transfer: None)
        fetching.wait(60)
        assert fetching.path.parent == folder and not fetching.path.is_symlink()
        assert digest(fetching.path) == digest(source) and fetching.path.stat().st_mode & 0o111 == 0
        assert len(os.listdir(folder)) == 2, "the link, and the new file"
    assert not elsewhere.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ann", "files", "in"], "and nothing outside of it"


@pytest.mark.skipif(os.name != "posix", reason="opens links as POSIX does")
def test_a_link_that_is_planted_where_the_part_goes_is_not_followed(open_room, enter, tmp_path):
    room = open_room()
    ann = enter(room, "ann")
    sent = ann.send_file(file_of(tmp_path / "ann", "report.pdf", 10))
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    (tmp_path / "in").mkdir()
    part_path(tmp_path / "in", sent.file).symlink_to(precious)
    with pytest.raises(LanchatError):
        ann.fetch("report.pdf", tmp_path / "in")
    assert precious.read_bytes() == b"mine" and not (tmp_path / "in" / "report.pdf").exists()


# ---- peers of the host that stand still


def ticket_for(member, question, key: str) -> bytes:
    ticket = member._member.transfers.questions.ask(question, key, lambda: None)
    assert isinstance(ticket, FileTicket)
    return ticket.ticket


def test_a_sender_that_drips_is_hung_up_on_and_its_place_is_free(open_room, enter, tmp_path):
    """A byte now and then is no progress."""
    room = open_room(timing=STALLS)
    ann = enter(room, "ann")
    ended = threading.Event()
    with closing(Stranger(room.port, "127.0.0.1")) as eve:
        eve.tls()
        assert eve.hear(Card)
        eve.send(encode(Transfer(VERSION, ticket_for(ann, FileSend("1", "a", 1 << 20), "1"))))
        assert b'"t":"have"' in eve.line()

        def drip() -> None:
            data = encode(Go(0))
            while not ended.wait(0.02):
                try:
                    eve.send(data)
                except OSError:
                    return
                data = b"x"

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            eve.gone()
        finally:
            ended.set()
            dripping.join()
    ann.send_file(file_of(tmp_path / "ann", "b.pdf", 10))
    assert [entry.name for entry in ann.files if entry.sha256] == ["b.pdf"]


def test_who_fetches_and_never_reads_is_hung_up_on_and_the_chat_goes_on(open_room, enter, tmp_path):
    room = open_room(timing=STALLS)
    ann = enter(room, "ann")
    sent = ann.send_file(file_of(tmp_path / "ann", "large", 24 << 20))
    wait_until(lambda: len(room.links) == 1, what="the end of what ann has sent over")
    with closing(Stranger(room.port, "127.0.0.1")) as eve:
        eve.tls()
        assert eve.hear(Card)
        wait_until(lambda: len(room.links) == 2)
        eve.send(encode(Transfer(VERSION, ticket_for(ann, FileGet(sent.file), sent.file))))
        wait_until(lambda: len(room.links) == 1)
        ann.say("still here", wait=PATIENCE)
