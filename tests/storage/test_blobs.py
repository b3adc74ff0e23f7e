"""The bytes of files: on the host's disk, and under their names on the disk of who fetched them."""

import hashlib
import os
import sys

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.limits import FileLimits
from lanchat.storage.blobs import Blobs
from lanchat.storage.downloads import finish_download, missing_space, part_path
from lanchat.storage.parts import Part

ONE, OTHER = "1" * 32, "2" * 32


def test_a_part_keeps_its_hash_while_it_is_closed(tmp_path):
    part = Part(tmp_path / "part")
    for data in (b"hello ", b"world"):
        part.open()
        part.write(data)
        part.close()
    assert (part.have, part.digest) == (11, hashlib.sha256(b"hello world").hexdigest())


def test_a_part_of_an_earlier_run_is_hashed_once(tmp_path):
    (tmp_path / "part").write_bytes(b"hello")
    part = Part(tmp_path / "part")
    part.open()
    assert (part.have, part.digest) == (5, hashlib.sha256(b"hello").hexdigest())
    part.restart()
    part.write(b"x")
    part.close()
    assert (tmp_path / "part").read_bytes() == b"x"


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to begin writing")
def test_a_long_part_is_handed_to_the_disk_while_it_grows(tmp_path, monkeypatch):
    """Each byte once; so `sync` has little left to wait for, and neither has the log of the chat."""
    handed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda fd, at, size, advice: handed.append((at, size)))
    part = Part(tmp_path / "part")
    part.open()
    for _ in range(20):
        part.write(bytes(1 << 20))
    assert handed == [(0, 8 << 20), (8 << 20, 8 << 20)]
    part.restart()
    for _ in range(8):
        part.write(bytes(1 << 20))
    assert handed[2:] == [(0, 8 << 20)]
    part.close()


def test_a_part_that_lost_its_end_begins_again(tmp_path):
    part = Part(tmp_path / "part")
    part.open()
    part.write(b"hello")
    part.close()
    os.truncate(tmp_path / "part", 3)
    part.open()
    assert (part.have, part.digest) == (3, hashlib.sha256(b"hel").hexdigest())
    part.close()


def test_two_programs_do_not_receive_the_same_part(tmp_path):
    one, other = Part(tmp_path / "part"), Part(tmp_path / "part")
    one.open()
    with pytest.raises(LanchatError, match="already"):
        other.open()
    one.close()


def test_a_planted_link_leads_nowhere(tmp_path):
    (tmp_path / "part").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        Part(tmp_path / "part").open()
    assert not (tmp_path / "precious").exists()


def test_a_folder_is_compared_with_the_log(tmp_path):
    (tmp_path / ONE).write_bytes(b"whole")
    (tmp_path / "planted").write_bytes(b"x")
    blobs = Blobs(tmp_path)
    missing = "3" * 32
    assert blobs.compare({ONE: (5, "5" * 64), OTHER: (9, ""), missing: (5, "5" * 64)}) == [missing]
    assert os.listdir(tmp_path) == [ONE]
    assert (blobs.have(ONE), blobs.have(OTHER)) == (5, 0)
    blobs.close()


def test_a_removed_file_goes_from_the_disk(tmp_path):
    (tmp_path / ONE).write_bytes(b"whole")
    blobs = Blobs(tmp_path)
    blobs.compare({ONE: (5, "5" * 64)})
    blobs.remove(ONE)
    blobs.close()
    assert os.listdir(tmp_path) == []


def test_a_temporary_folder_goes_with_its_room():
    blobs = Blobs(None)
    assert blobs.folder.is_dir()
    blobs.close()
    assert not blobs.folder.exists()


def test_a_part_of_the_disk_stays_free(tmp_path):
    assert Blobs(tmp_path / "not" / "made", FileLimits(spare_part=1.0)).free() == 0
    assert Blobs(tmp_path, FileLimits(spare_part=0.0, spare_bytes=0)).free() > 0


def test_a_finished_file_has_a_safe_and_free_name(tmp_path):
    (tmp_path / "passwd").write_bytes(b"mine")
    part = part_path(tmp_path, ONE)
    part.write_bytes(b"new")
    part.chmod(0o700)
    path = finish_download(part, "../../etc/passwd")
    assert path == tmp_path / "passwd (2)"
    assert path.read_bytes() == b"new" and (tmp_path / "passwd").read_bytes() == b"mine"
    assert path.stat().st_mode & 0o111 == 0
    assert sorted(os.listdir(tmp_path)) == ["passwd", "passwd (2)"]


def test_a_disk_without_links_gives_names_as_well(tmp_path, monkeypatch):
    def refuse(*paths: object) -> None:
        raise PermissionError(1, "not here")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a.txt").write_bytes(b"mine")
    part = part_path(tmp_path, ONE)
    part.write_bytes(b"new")
    assert finish_download(part, "a.txt").name == "a (2).txt"
    assert (tmp_path / "a.txt").read_bytes() == b"mine"


def test_what_does_not_fit_is_known_before_the_first_byte(tmp_path):
    assert missing_space(tmp_path, 1000) is None
    needed, free = missing_space(tmp_path, 1 << 60) or (0, 0)
    assert needed > 1 << 60 > free
