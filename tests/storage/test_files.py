"""Atomic writes: the whole file or nothing, whatever goes wrong and whoever else writes."""

import os
import stat
import threading
from pathlib import Path

import pytest

from lanchat.errors import LanchatError
from lanchat.storage import files
from lanchat.storage.files import SET_HOME, file_errors, lock_file, make_folder, write_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
def fsyncs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced: files and folders, in order."""
    found: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda fd: found.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
    )
    return found


def full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_as_a_whole(path, durable):
    for content in (b"a long first content", b"second", b""):
        write_file(path, content, durable=durable)
        assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def test_a_new_file_does_not_replace_an_older_one(path):
    write_file(path, b"first", durable=True, replace=False)
    write_file(path, b"second", durable=True, replace=False)
    assert path.read_bytes() == b"first" and os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_files_and_folders_are_for_their_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        make_folder(tmp_path / "home")
        write_file(tmp_path / "home" / "file", b"", durable=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / "file").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="only POSIX syncs folders")
def test_a_durable_write_syncs_the_content_before_the_name(path, fsyncs, monkeypatch):
    true = os.replace
    monkeypatch.setattr(os, "replace", lambda *names: (fsyncs.append("name"), true(*names)))
    write_file(path, b"content", durable=True)
    assert fsyncs == ["file", "name", "folder"]


def test_a_write_that_need_not_be_durable_syncs_nothing(path, fsyncs):
    write_file(path, b"content", durable=False)
    assert fsyncs == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_no_draft(path, monkeypatch, step):
    path.write_bytes(b"old")
    monkeypatch.setattr(os, step, full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_file(path, b"new", durable=True)
    assert path.read_bytes() == b"old" and os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("replace", [True, False])
def test_of_many_writers_at_once_one_wins_whole(path, replace):
    start = threading.Barrier(8)
    errors: list[BaseException] = []

    def write(content: bytes) -> None:
        start.wait()
        try:
            for _ in range(20):
                write_file(path, content, durable=False, replace=replace)
        except BaseException as error:
            errors.append(error)

    contents = [bytes([number]) * 10_000 for number in range(8)]
    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert errors == [] and path.read_bytes() in contents
    assert os.listdir(path.parent) == [path.name]


def test_an_error_names_the_path_the_reason_and_what_to_do(path):
    with pytest.raises(LanchatError) as caught, file_errors(path):
        full_disk()
    assert str(caught.value) == f"Cannot use {path}: No space left on device" and caught.value.hint == SET_HOME


def test_an_error_of_another_kind_passes(path):
    with pytest.raises(ValueError), file_errors(path):
        raise ValueError


def test_a_lock_excludes_others_until_it_is_released(path):
    lock = lock_file(path)
    assert lock is not None and lock_file(path) is None
    lock.close()
    lock.close()
    again = lock_file(path)
    assert again is not None
    again.close()


def test_a_lock_that_fails_leaves_no_descriptor_open(path, monkeypatch):
    monkeypatch.setattr(files, "_lock", full_disk)
    with pytest.raises(OSError, match="No space left"):
        lock_file(path)
