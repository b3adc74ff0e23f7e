"""What can be sent: the bytes of files and folders, from any offset on."""

import io
import os
import random
import sys
import zipfile
from contextlib import closing

import pytest

from lanchat.client.sources import FileChanged, FolderSource, open_source
from lanchat.errors import LanchatError


@pytest.fixture
def folder(tmp_path):
    top = tmp_path / "photos"
    (top / "b").mkdir(parents=True)
    (top / "empty").touch()
    for number, name in enumerate(("a.jpg", "b/c.jpg", "b/d ü.jpg")):
        (top / name).write_bytes(random.Random(number).randbytes(5000 * (number + 1)))
    return top


def read_all(source, portion=1000):
    data = b""
    while len(data) < source.size:
        data += source.read(len(data), portion)
    return data


def test_a_folder_is_a_zip_of_known_size(folder):
    source = FolderSource(folder)
    data = read_all(source)
    assert (source.name, len(data)) == ("photos.zip", source.size)
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        assert found.namelist() == ["photos/a.jpg", "photos/b/c.jpg", "photos/b/d ü.jpg", "photos/empty"]
        assert found.read("photos/a.jpg") == (folder / "a.jpg").read_bytes()
    source.check()
    source.close()


def test_a_resume_reads_the_same_bytes_from_any_offset(folder):
    first = FolderSource(folder)
    data = read_all(first)
    first.close()
    for at in (0, 1, 40, 5000, 12_345, len(data) - 30, len(data) - 1):
        again = FolderSource(folder)
        rest = b""
        while at + len(rest) < again.size:
            rest += again.read(at + len(rest), 777)
        assert rest == data[at:]
        again.close()


def test_links_and_special_files_are_left_out(folder):
    (folder / "link").symlink_to(folder / "a.jpg")
    os.mkfifo(folder / "pipe")
    source = FolderSource(folder)
    assert source.left_out == ["photos/link", "photos/pipe"]
    source.close()


def test_a_folder_of_too_many_files_is_refused_before_anything_is_sent(folder, monkeypatch):
    monkeypatch.setattr("lanchat.client.sources.MAX_ENTRIES", 2)
    with pytest.raises(LanchatError, match="more than 2 files") as refused:
        open_source(folder)
    assert refused.value.hint == "Send a part of it."


@pytest.mark.full
def test_ten_thousand_small_files_are_one_zip(tmp_path):
    top = tmp_path / "many"
    top.mkdir()
    for number in range(10_000):
        (top / f"{number}").write_bytes(b"%d" % number)
    source = open_source(top)
    data = read_all(source, 1 << 16)
    source.close()
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None and len(found.namelist()) == 10_000
        assert found.read("many/9999") == b"9999"


def test_what_changes_meanwhile_is_noticed(folder):
    source = FolderSource(folder)
    (folder / "a.jpg").write_bytes(b"short")
    with pytest.raises(FileChanged):
        read_all(source)
    with pytest.raises(FileChanged):
        source.check()
    source.close()


def test_what_is_neither_a_file_nor_a_folder_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LanchatError, match="neither a file nor a folder"):
        open_source(tmp_path / "pipe")
    with pytest.raises(LanchatError, match="No such file"):
        open_source(tmp_path / "missing")


@pytest.mark.skipif(sys.platform != "linux", reason="names elsewhere are Unicode")
def test_a_name_that_no_file_can_have_is_refused_in_words(tmp_path):
    with pytest.raises(LanchatError, match="There is no such file"):
        open_source(tmp_path / "a\0b")


def test_a_name_that_is_no_unicode_can_be_sent(tmp_path):
    """It ended the whole program when the message about the file was encoded."""
    odd = tmp_path / os.fsdecode(b"bad\xff.bin")
    odd.write_bytes(b"8")
    inside = tmp_path / os.fsdecode(b"dir\xfe")
    inside.mkdir()
    with closing(open_source(odd)) as file, closing(open_source(inside)) as folder:
        assert (file.name, folder.name) == ("bad\ufffd.bin", "dir\ufffd.zip")
        assert file.read(0, 10) == b"8" and folder.read(0, 1)
