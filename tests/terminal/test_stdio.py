"""Stdin and stdout, as other programs leave them to us."""

import io
import os
import select

import pytest

from lanchat.errors import LanchatError
from lanchat.terminal.stdio import is_discarded, read_lines

pytestmark = pytest.mark.skipif(os.name != "posix", reason="speaks of descriptors of POSIX systems")


@pytest.fixture
def pipe():
    """The two ends of a pipe; the test may close the second."""
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "wb", buffering=0) as given:
        yield reader, given


def test_each_line_comes_as_soon_as_it_is_complete(pipe):
    reader, writer = pipe
    lines = read_lines(reader)
    writer.write(b"one\ntw")
    assert next(lines) == "one"
    writer.write(b"o\nno end")
    writer.close()
    assert list(lines) == ["two", "no end"]


def test_an_empty_pipe_that_is_non_blocking_is_not_the_end(pipe, monkeypatch):
    """ssh and node make stdin non-blocking. The second line comes when the reader waits for it."""
    reader, writer = pipe
    os.set_blocking(reader, False)
    wait = select.select

    def write_then_wait(*arguments):
        writer.write(b"two\n")
        writer.close()
        return wait(*arguments)

    monkeypatch.setattr(select, "select", write_then_wait)
    writer.write(b"one\n")
    assert list(read_lines(reader)) == ["one", "two"]


def test_a_stdin_for_writing_only_holds_nothing(pipe):
    """nohup opens it like this."""
    _, writer = pipe
    assert list(read_lines(writer.fileno())) == []


def test_a_stdin_that_cannot_be_read_is_an_error(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(LanchatError, match="Cannot read stdin: Is a directory"):
            list(read_lines(folder))
    finally:
        os.close(folder)


def test_only_dev_null_discards_what_is_written(tmp_path):
    with open(os.devnull, "w") as null, open(tmp_path / "file", "w") as file:
        assert is_discarded(null)
        assert not is_discarded(file)
    assert not is_discarded(io.StringIO()) and not is_discarded(None)
