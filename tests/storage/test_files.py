"""Atomic writes: the whole file or nothing, whatever goes wrong and whoever else writes."""

import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lanchat.errors import LanchatError
from lanchat.storage import files
from lanchat.storage.files import (
    SET_HOME,
    SET_LOCAL,
    check_no_link,
    check_own,
    file_errors,
    lock_file,
    make_folder,
    write_file,
)

posix = pytest.mark.skipif(os.name != "posix", reason="file modes, owners and links are POSIX")


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


@pytest.fixture(params=["hard links", "no hard links", "neither links nor locks"])
def kind_of_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system with this, as exFAT and some of FUSE, SMB and Android are. Linux, macOS and others differ in the
    error."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if request.param != "hard links":
        monkeypatch.setattr(os, "link", refuse)
    if request.param == "neither links nor locks":
        if os.name != "posix":
            pytest.skip("Windows needs no lock for this")
        monkeypatch.setattr("fcntl.flock", refuse)


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_as_a_whole(path, durable):
    for content in (b"a long first content", b"second", b""):
        write_file(path, content, durable=durable)
        assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def test_a_new_file_does_not_replace_an_older_one(path, kind_of_disk):
    write_file(path, b"first", durable=True, replace=False)
    write_file(path, b"second", durable=True, replace=False)
    assert path.read_bytes() == b"first" and os.listdir(path.parent) == [path.name]


@posix
def test_files_and_all_folders_of_a_path_are_for_their_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        make_folder(tmp_path / "home" / "rooms" / "one")
        make_folder(tmp_path / "home" / "rooms" / "one")
        write_file(tmp_path / "home" / "file", b"", durable=False)
    finally:
        os.umask(before)
    for folder in ("home", "home/rooms", "home/rooms/one"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / "file").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(OSError):
            make_folder(path)


@posix
@pytest.mark.parametrize("mode", [0o770, 0o702, 0o1777])
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, mode):
    home = tmp_path / "home"
    check_own(home)  # nobody's yet
    home.mkdir(0o755)
    check_own(home)
    home.chmod(mode)
    with pytest.raises(LanchatError, match="Others may write to .*home") as caught:
        check_own(home)
    assert caught.value.hint == f"Make it your own: chmod go-w {home}"


@posix
def test_a_folder_of_another_user_is_not_used_but_one_of_root_is(tmp_path, monkeypatch):
    tmp_path.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    if os.getuid() == 0:
        check_own(tmp_path)
        os.chown(tmp_path, 65534, -1)
    with pytest.raises(LanchatError, match="belongs to another user") as caught:
        check_own(tmp_path)
    assert "LANCHAT_HOME" in caught.value.hint


@posix
@pytest.mark.parametrize("exists", [True, False], ids=["to a file", "to nothing"])
def test_nothing_is_written_through_a_link(tmp_path, path, exists):
    precious = tmp_path / "precious"
    if exists:
        precious.write_bytes(b"words")
    path.symlink_to(precious)
    with pytest.raises(LanchatError, match="it is a symbolic link"), file_errors(path):
        lock_file(path)
    with pytest.raises(LanchatError, match="it is a symbolic link"), file_errors(path):
        check_no_link(path)
    write_file(path, b"new", durable=False)
    assert not path.is_symlink() and path.read_bytes() == b"new", "a whole file takes the place of the link"
    assert precious.exists() == exists and (not exists or precious.read_bytes() == b"words")


@pytest.mark.skipif(os.name != "posix", reason="only POSIX syncs folders")
def test_a_durable_write_syncs_the_content_before_the_name(path, fsyncs, monkeypatch):
    true = os.replace
    monkeypatch.setattr(os, "replace", lambda *names: (fsyncs.append("name"), true(*names)))
    write_file(path, b"content", durable=True)
    assert fsyncs == ["file", "name", "folder"]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX syncs folders")
def test_a_file_system_that_cannot_sync_folders_is_good_enough(path, monkeypatch):
    def sync(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", sync)
    write_file(path, b"content", durable=True)
    assert path.read_bytes() == b"content"


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
    write_by_many(path, replace=replace)


def test_without_hard_links_the_first_of_many_writers_wins_whole(path, monkeypatch):
    """And stays, so that all programs that start at once have the same key."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    seen: set[bytes] = set()
    write_by_many(path, replace=False, then=lambda: seen.add(path.read_bytes()))
    assert seen == {path.read_bytes()}


def write_by_many(path: Path, *, replace: bool, then: Callable[[], object] = lambda: None) -> None:
    start = threading.Barrier(8)
    errors: list[BaseException] = []

    def write(content: bytes) -> None:
        start.wait()
        try:
            for _ in range(20):
                write_file(path, content, durable=False, replace=replace)
                then()
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


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_that_lacks_something_is_named_as_the_cause(path, number):
    with pytest.raises(LanchatError) as caught, file_errors(path):
        raise OSError(number, os.strerror(number))
    assert caught.value.hint == SET_LOCAL


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


@pytest.mark.parametrize("refusals", [0, 1, 5])
def test_what_the_system_refuses_for_a_moment_is_tried_again(refusals, monkeypatch):
    monkeypatch.setattr(files, "_PAUSES", (0.0,) * 5)
    tries: list[int] = []

    def step() -> None:
        tries.append(len(tries))
        if len(tries) <= refusals:
            raise PermissionError

    files.patiently(step)
    assert len(tries) == refusals + 1


def test_what_the_system_refuses_all_the_time_is_an_error(monkeypatch):
    monkeypatch.setattr(files, "_PAUSES", (0.0,) * 5)

    def step() -> None:
        raise PermissionError("in use")

    with pytest.raises(PermissionError, match="in use"):
        files.patiently(step)
