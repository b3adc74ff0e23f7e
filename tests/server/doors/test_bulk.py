"""The host's end of a transfer, where what happens at the same moment matters. The rest is in tests/client."""

import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

import pytest

from lanchat.network.link import Link
from lanchat.protocol import messages as wire
from lanchat.protocol.file_messages import Done, FileTicket, Go, Have, Sum, Transfer
from lanchat.protocol.framing import TRANSFER, TransferLine, decode, encode
from lanchat.protocol.messages import Refused
from lanchat.room.effects import OpenTicket
from lanchat.room.files import FileWhole
from lanchat.server.doors.bulk import Bulk
from lanchat.storage.blobs import Blob, Blobs
from tests.support.links import Links, open_links
from tests.support.waiting import PATIENCE, wait_until


class JustRestarted(Blob):
    """Its sender begins again, right after a reader has seen that there is more."""

    @property
    def have(self) -> int:
        return 0


@pytest.fixture
def links(identity):
    with open_links(identity("hal")) as links:
        yield links


def test_nothing_is_read_of_a_file_whose_sender_has_just_begun_again(links, tmp_path):
    """A read of less than nothing would be one of the whole file."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    link, peer = links.alone()
    bulk = Bulk(Blobs(tmp_path), lambda whole: None)
    bulk._copy(link, JustRestarted(path, 1000, 100), 50, 1)
    assert link.over and peer.recv(1000) == b""


FILE, DATA = "f" * 32, b"what is in it"
SUM = hashlib.sha256(DATA).hexdigest()


class Sender:
    """The far end of a transfer link."""

    def __init__(self, peer: socket) -> None:
        self._lines = peer.makefile("rb")
        self._peer = peer

    def hear(self) -> TransferLine | None:
        """The next line; None: there is no other one."""
        line = self._lines.readline()
        return decode(line.rstrip(b"\n"), TRANSFER) if line else None

    def say(self, *lines: TransferLine | bytes) -> None:
        self._peer.sendall(b"".join(line if isinstance(line, bytes) else encode(line) for line in lines))

    def hang_up(self) -> None:
        self._lines.close()
        self._peer.close()


@contextmanager
def sending(links: Links, bulk: Bulk, ticket: FileTicket) -> Iterator[tuple[Link, Sender]]:
    """A link on which this ticket was used, and its sender, which hangs up at the end."""
    link, peer = links.alone()
    reading = bulk.claim(link, Transfer(wire.VERSION, ticket.ticket))
    assert reading is not None
    reader = threading.Thread(target=list, args=(reading,), name="test-reader")
    reader.start()
    sender = Sender(peer)
    yield link, sender
    sender.hang_up()
    reader.join(PATIENCE)
    assert not reader.is_alive()


@pytest.mark.parametrize("stored", [True, False], ids=["and is stored", "and its event is still on the way"])
def test_a_second_ticket_changes_nothing_once_the_file_is_whole(links, tmp_path, stored):
    """Its sender could else begin again with the first byte, and the room would offer an empty file."""
    whole: list[FileWhole] = []
    blobs = Blobs(tmp_path / "files")
    bulk = Bulk(blobs, whole.append)
    first, second = (bulk.ticket("ann", OpenTicket(FILE, len(DATA), up=True)) for _ in range(2))
    blob = blobs.blob(FILE, len(DATA))
    with sending(links, bulk, first) as (link, ann):
        have = ann.hear()
        assert isinstance(have, Have) and have.at == 0
        ann.say(Go(0), DATA, Sum(SUM))
        wait_until(lambda: whole)
        if stored:
            blob.finish(SUM)
            assert ann.hear() == Done()
        with sending(links, bulk, second) as (_, again):
            assert again.hear() == Refused("unknown", "This file has arrived already.")
            assert again.hear() is None
    blob.finish(SUM)
    assert (blob.path.read_bytes(), blob.have, blob.take) == (DATA, len(DATA), 1)


def test_a_sender_reads_that_the_disk_is_full_however_much_is_on_the_way(links, tmp_path, monkeypatch):
    """A link that is closed with unread bytes is reset, and then its last line may be lost."""
    bulk, data, write = Bulk(Blobs(tmp_path / "files"), lambda whole: None), bytes(8_000_000), os.write

    def full(fd: int, data: bytes) -> int:
        if os.readlink(f"/proc/self/fd/{fd}").startswith(str(tmp_path)):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr("lanchat.storage.parts.os.write", full)
    ticket = bulk.ticket("ann", OpenTicket(FILE, len(data), up=True))
    with sending(links, bulk, ticket) as (_, ann):
        assert isinstance(ann.hear(), Have)
        ann.say(Go(0), data)
        assert ann.hear() == Refused("disk", "The host's disk is full.")
