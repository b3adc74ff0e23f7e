"""Where a file that was fetched ends up."""

import os
import stat
from pathlib import Path

import pytest

from lanchat.storage.downloads import finish_download, part_path


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = part_path(tmp_path, "f" * 32)
    path.write_bytes(b"content")
    return path


def test_it_gets_its_name_and_replaces_nothing(part, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    path = finish_download(part, "notes.txt")
    assert path.name == "notes (2).txt" and path.read_bytes() == b"content"
    assert (tmp_path / "notes.txt").read_text() == "mine" and not part.exists()


def test_what_a_killed_program_has_left_is_in_nobodys_way(part):
    part.with_suffix(".mode").write_text("")
    assert finish_download(part, "notes.txt").read_bytes() == b"content"
    assert not part.with_suffix(".mode").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX systems")
def test_others_may_read_it_as_any_new_file_and_nobody_may_run_it(part, tmp_path):
    usual = tmp_path / "usual"
    usual.write_text("")
    path = finish_download(part, "tool.sh")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode) & 0o644
