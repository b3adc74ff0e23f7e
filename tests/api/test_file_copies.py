"""A standby's computer copies the files of the room, and deletes what the room has no more."""

from pathlib import Path
from typing import Any

import pytest

from lanchat.api.file_copies import FileCopies
from tests.support.waiting import wait_until

ONE = "1" * 32


class Host:
    """A host that lists nothing. It stands for the link as well as for the transfers."""

    largest_file, connected, busy = 1, True, False

    def __init__(self) -> None:
        self.asked = 0

    @property
    def questions(self) -> "Host":
        return self

    def list(self, timeout: float) -> list[Any]:
        self.asked += 1
        return []


@pytest.mark.parametrize("keeps", [False, True])
def test_only_a_folder_of_nothing_but_copies_loses_what_a_host_does_not_list(tmp_path: Path, keeps: bool) -> None:
    known = {ONE, f".{ONE}.part", "notes.txt"}
    for name in known:
        (tmp_path / name).write_bytes(b"x")
    host: Any = Host()
    with FileCopies(lambda: tmp_path, host, host, 0.01, lambda: keeps):
        wait_until(lambda: host.asked > 1, what="a look that is over")
    assert {path.name for path in tmp_path.iterdir()} == (known if keeps else {"notes.txt"})
