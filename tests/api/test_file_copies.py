"""A standby's computer copies the files of the room, and deletes what the room has no more."""

from pathlib import Path
from typing import Any

import pytest

from lanchat.api.file_copies import FileCopies
from lanchat.errors import LanchatError
from lanchat.protocol.file_messages import FileEntry
from tests.support.waiting import wait_until

ONE = "1" * 32


class Host:
    """A host that lists nothing. It stands for the link as well as for the transfers."""

    largest_file, connected, busy = 1, True, False

    def __init__(self, *entries: FileEntry) -> None:
        self.asked = 0
        self._entries = list(entries)

    @property
    def questions(self) -> "Host":
        return self

    def list(self, timeout: float) -> list[Any]:
        self.asked += 1
        return self._entries


@pytest.mark.parametrize("keeps", [False, True])
def test_only_a_folder_of_nothing_but_copies_loses_what_a_host_does_not_list(tmp_path: Path, keeps: bool) -> None:
    known = {ONE, f".{ONE}.part", "notes.txt"}
    for name in known:
        (tmp_path / name).write_bytes(b"x")
    host: Any = Host()
    with FileCopies(lambda: tmp_path, host, host, 0.01, lambda: keeps):
        wait_until(lambda: host.asked > 1, what="a look that is over")
    assert {path.name for path in tmp_path.iterdir()} == (known if keeps else {"notes.txt"})


class Broken:
    """A transfer of a file that the host has and cannot send."""

    def wait(self, timeout: float) -> None:
        raise LanchatError("The host cannot read it.")

    def stop(self) -> None:
        pass


def test_a_file_that_cannot_be_copied_keeps_none_of_the_others_away(tmp_path: Path) -> None:
    entries = [FileEntry(name * 32, name, size, "id", "ann", 0, sha256="5" * 64) for size, name in enumerate("12", 1)]
    tried: list[str] = []

    def fetch(copy: Any, folder: Path, report: Any) -> Any:
        tried.append(copy.file[0])
        return Broken()

    host: Any = Host(*entries)
    host.fetch = fetch
    with FileCopies(lambda: tmp_path, host, host, 0.01):
        wait_until(lambda: host.asked > 2, what="two looks that are over")
    assert tried[:4] == ["1", "2", "1", "2"], "each once in a look, the smallest first"
