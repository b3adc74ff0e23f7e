"""What the tests of a member share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lanchat.protocol.limits import FileLimits
from lanchat.server.host import Host
from lanchat.storage.blobs import Blobs
from tests.support.transfers import LIMITS


@pytest.fixture
def open_room(host: Callable[..., Host], tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """A room that takes files; their bytes are in `tmp_path/files`."""
    opened: list[Blobs] = []

    def open_room(limits: FileLimits = LIMITS, **options: Any) -> Host:
        opened.append(Blobs(tmp_path / "files", limits))
        return host("Room A", blobs=opened[-1], **options)

    yield open_room
    for blobs in opened:
        blobs.close()
