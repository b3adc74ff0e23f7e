"""`lanchat rooms`, as it writes to a pipe."""

import json
import os
from dataclasses import replace
from io import StringIO
from typing import cast

import pytest

from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Listing
from lanchat.protocol.address import Endpoint
from lanchat.terminal.rooms import _watch

ROOM = Listing("1" * 32, "Room A", "ann", 1, False, (Endpoint("10.0.0.2", 47474),), ("mdns",), "answering")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="has a pipe whose other end tells that it is gone")


class FakeFinder:
    """A network on which the list of rooms is this, and then that, and then nothing happens any more."""

    def __init__(self, *lists: tuple[Listing, ...]) -> None:
        self._lists = iter(lists)

    def wait_change(self, since: tuple[Listing, ...], timeout: float) -> tuple[Listing, ...]:
        found = next(self._lists, None)
        if found is None:
            raise KeyboardInterrupt
        return found

    def problems(self) -> tuple[str, ...]:
        return ()


def test_the_watch_ends_when_nobody_reads_it_any_more_though_no_room_comes_or_goes():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out, pytest.raises(BrokenPipeError):
        _watch(cast(Finder, FakeFinder((), ())), False, out, StringIO())


def watched(*lists: tuple[Listing, ...], as_json: bool = False) -> list[str]:
    """The lines, of which each begins with what has happened."""
    out = StringIO()
    with pytest.raises(KeyboardInterrupt):
        _watch(cast(Finder, FakeFinder(*lists)), as_json, out, StringIO())
    return out.getvalue().splitlines()


def test_a_room_that_looks_as_before_has_not_changed_for_the_reader():
    """It is found by one more source, which only JSON says."""
    lists = (ROOM,), (replace(ROOM, via=("announce", "mdns")),), (replace(ROOM, people=2),), ()
    assert [line.split()[0] for line in watched(*lists)] == ["appeared", "changed", "gone"]
    assert [json.loads(line)["change"] for line in watched(*lists, as_json=True)] == [
        *("appeared", "changed", "changed", "gone")
    ]
