"""Files that were being sent when a program ended."""

import errno
import os
from pathlib import Path

import pytest

from lanchat.storage.files import lock_file
from lanchat.storage.unfinished import MOST, remember, take_over


def test_what_one_run_leaves_the_next_one_takes_over(tmp_path):
    first = remember(tmp_path, "1", Path("/a b/ü.pdf"))
    assert first is not None
    assert take_over(tmp_path) == []  # it is still being sent
    first.finish(keep=True)
    [found] = take_over(tmp_path)
    assert (found.id, found.path) == ("1", Path("/a b/ü.pdf"))
    found.finish(keep=False)
    assert take_over(tmp_path) == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [0, 1, 100, None])
def test_a_crash_while_it_is_noted_how_a_file_is_sealed_leaves_what_was_known_before(tmp_path, cut):
    first = remember(tmp_path, "1", Path("/a.pdf"), nick="bob")
    assert first is not None
    before = (tmp_path / "sending-1").stat().st_size
    first.note_sealed("b" * 64, b"k" * 32, b"s" * 32, "5" * 64)
    first.finish(keep=True)
    if cut is not None:
        os.truncate(tmp_path / "sending-1", before + cut)
    [found] = take_over(tmp_path)
    assert (found.id, found.path, found.nick) == ("1", Path("/a.pdf"), "bob")
    assert (found.key, found.sha256) == ((b"s" * 32, "5" * 64) if cut is None else (b"", ""))
    found.note_sealed("b" * 64, b"k" * 32, b"t" * 32, "6" * 64)  # behind what the crash has left
    found.finish(keep=True)
    [found] = take_over(tmp_path)
    assert (found.key, found.sha256) == (b"t" * 32, "6" * 64)
    for number in range(200):  # as often as the file changes
        found.note_sealed("b" * 64, b"k" * 32, bytes([number]) * 32, "5" * 64)
    found.finish(keep=True)
    [last] = take_over(tmp_path)
    assert last.key == bytes([199]) * 32
    last.finish(keep=False)


def test_what_cannot_be_read_is_thrown_away(tmp_path):
    for name, text in (("sending-1", "{"), ("sending-2", '{"id": "3", "path": "/a"}'), ("sending-4", '["id"]')):
        (tmp_path / name).write_text(text)
    assert take_over(tmp_path) == [] and list(tmp_path.iterdir()) == []


def test_only_so_many_are_remembered(tmp_path):
    kept = [remember(tmp_path, str(number), Path("/a")) for number in range(MOST + 1)]
    assert kept[-1] is None and None not in kept[:-1]
    for unfinished in filter(None, kept):
        unfinished.finish(keep=False)
    assert remember(tmp_path / "missing", "1", Path("/a")) is None


@pytest.mark.parametrize("damaged", [False, True])
def test_an_entry_that_cannot_be_removed_is_released_and_goes_another_time(tmp_path, monkeypatch, damaged):
    unfinished = None if damaged else remember(tmp_path, "1", Path("/a"))
    entry = tmp_path / "sending-1"
    if unfinished is None:
        entry.write_text("{")

    def in_use(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "it is open")

    with monkeypatch.context() as windows:
        windows.setattr(Path, "unlink", in_use)
        if unfinished is None:
            assert take_over(tmp_path) == []
        else:
            unfinished.finish(keep=False)
        lock = lock_file(entry)
        assert lock is not None and os.fstat(lock.fd).st_size == 0
        lock.close()
    assert take_over(tmp_path) == [] and list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_entry_and_no_open_file(tmp_path, monkeypatch):
    def full(fd: int, data: bytes) -> int:
        opened.append(fd)
        raise OSError(errno.ENOSPC, "No space left on device")

    opened: list[int] = []
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        assert remember(tmp_path, "1", Path("/a")) is None
    [fd] = opened
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    assert list(tmp_path.iterdir()) == []
