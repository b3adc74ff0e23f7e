"""Stdin, as others leave it to us."""

import os
import threading

import pytest

from lanchat.errors import LanchatError
from lanchat.terminal.stdin import read_lines

pytestmark = pytest.mark.skipif(os.name != "posix", reason="speaks of descriptors of POSIX systems")


@pytest.fixture
def pipe():
    """Its ends; the test may close the second."""
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "wb", buffering=0) as given:
        yield reader, given


def test_lines_come_one_by_one(pipe):
    reader, writer = pipe
    lines = read_lines(reader)
    writer.write(b"one\ntw")
    assert next(lines) == "one"
    writer.write(b"o\nno end")
    writer.close()
    assert list(lines) == ["two", "no end"]


def test_a_pipe_that_never_waits(pipe):
    """So ssh and node leave it: "nothing there now" is not the end."""
    reader, writer = pipe
    os.set_blocking(reader, False)
    heard: list[str] = []
    listening = threading.Thread(target=lambda: heard.extend(read_lines(reader)))
    listening.start()
    for line in (b"one\n", b"two\n"):
        writer.write(line)
    listening.join(0.05)  # it meets the empty pipe, if not before the first line then now
    writer.close()
    listening.join()
    assert heard == ["one", "two"]


def test_one_that_is_for_writing_only_holds_nothing(pipe):
    """So nohup leaves it."""
    _, writer = pipe
    assert list(read_lines(writer.fileno())) == []


def test_one_that_cannot_be_read(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(LanchatError, match="cannot read stdin: Is a directory"):
            list(read_lines(folder))
    finally:
        os.close(folder)
