"""`lanchat rooms`, as it writes to a pipe."""

import os
from io import StringIO
from typing import cast

import pytest

from lanchat.discovery.finder import Finder
from lanchat.terminal.rooms import _watch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="has a pipe whose other end tells that it is gone")


class QuietFinder:
    """A network on which nothing happens."""

    def wait_change(self, since: tuple[object, ...], timeout: float) -> tuple[object, ...]:
        return since

    def problems(self) -> tuple[str, ...]:
        return ()


def test_the_watch_ends_when_nobody_reads_it_any_more_though_no_room_comes_or_goes():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out, pytest.raises(BrokenPipeError):
        _watch(cast(Finder, QuietFinder()), False, out, StringIO())
