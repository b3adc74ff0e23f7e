"""The system gives this process no more threads: what was just begun fails, and leaves nothing behind.

Each test checks that at its end (`leaves_nothing`). Else a program that gets the error could never end.
"""

import os
from contextlib import closing
from typing import Any

import pytest

import lanchat
from lanchat.api.joining import join_target
from lanchat.api.room import JoinedRoom
from lanchat.api.targets import Target
from lanchat.errors import LanchatError
from lanchat.protocol.address import Endpoint
from lanchat.server.host import Host
from lanchat.storage.blobs import Blobs
from lanchat.storage.rooms import open_room
from tests.support.addresses import LOOPBACK
from tests.support.commands import own_title
from tests.support.files import file_of
from tests.support.refused import NO_THREAD
from tests.support.waiting import PATIENCE

FILE = "1" * 32


def joined(room: Host, nick: str = "ann", **options: Any) -> JoinedRoom:
    return join_target(Target((Endpoint("127.0.0.1", room.port),)), nick, on=LOOPBACK, **options)


LAST = "file-copies"  # of a room that is opened or joined
OTHERS = [
    *("reader-of-parked", "host-flusher", "log", "hub", "member-flusher", "reader", "member-reader", "accept", "watch"),
    *("announce", "mdns-register", "reach", "naming"),
]
JOINED = ["history", "member-flusher", "member-reader"]


@pytest.mark.parametrize("name", [LAST, *(pytest.param(name, marks=pytest.mark.full) for name in OTHERS)])
def test_a_room_is_not_opened(no_thread, name):
    no_thread(name)
    with pytest.raises(RuntimeError, match=NO_THREAD):
        lanchat.host(own_title("Room A"), nick="hal", port=0)


@pytest.mark.parametrize("name", [LAST, *(pytest.param(name, marks=pytest.mark.full) for name in JOINED)])
def test_a_room_is_not_joined(host, no_thread, name):
    room = host()
    no_thread(name)
    with pytest.raises(RuntimeError, match=NO_THREAD):
        joined(room, standby=1)
    no_thread()
    with joined(room) as ann:
        ann.say("back", wait=PATIENCE)


def test_the_hub_goes_on_where_it_would_start_a_thread_for_the_disk(tmp_path, no_thread):
    no_thread("delete-file", "access")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / FILE).write_bytes(b"whole")
    with closing(Blobs(tmp_path / "files")) as blobs:
        blobs.compare({FILE: (5, "5" * 64)})
        blobs.remove(FILE)
    assert not os.listdir(tmp_path / "files")
    with open_room(tmp_path, "Room A", now=0) as room:
        room.save_access({"a" * 64: "ann"}, True)
    with open_room(tmp_path, "Room A", now=0) as room:
        assert room.about.locked


def test_a_transfer_ends_with_an_error_and_holds_up_no_other(host, no_thread, tmp_path):
    with closing(Blobs(None)) as blobs, closing(host(blobs=blobs)) as room, joined(room) as ann:
        no_thread("transfer")
        with pytest.raises(LanchatError, match=NO_THREAD):
            ann.send_file(file_of(tmp_path, "one.txt", 10))
        no_thread()
        assert ann.send_file(file_of(tmp_path, "other.txt", 10))
