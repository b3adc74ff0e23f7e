"""Stdin and stdout, as other programs leave them to us."""

import io
import os
import select
import struct

import pytest

from lanchat.errors import LanchatError
from lanchat.terminal.stdio import columns_of, is_discarded, put, put_path, read_lines

if os.name == "posix":
    import fcntl
    import termios

pytestmark = pytest.mark.skipif(os.name != "posix", reason="speaks of descriptors of POSIX systems")


@pytest.fixture
def pipe():
    """The two ends of a pipe; the test may close the second."""
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "wb", buffering=0) as given:
        yield reader, given


def test_words_for_a_person_are_harmless_and_whole_in_a_pipe():
    out = io.StringIO()
    put(out, "a\x1b[2Jb", "two\nlines", "x" * 200, "")
    assert out.getvalue() == "a\\x1b[2Jb\n" + "two\\x0alines\n" + "x" * 200 + "\n\n"


def test_a_program_gets_the_bytes_of_a_path_and_a_terminal_a_harmless_one():
    name = os.fsdecode(b"in\xff/\xc3\xa9.txt")
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii", errors="backslashreplace")
    stream.write("before\n")
    put_path(stream, name)
    assert written.getvalue() == b"before\nin\xff/\xc3\xa9.txt\n"
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb") as terminal, os.fdopen(theirs, "w", encoding="utf-8") as screen:
        put_path(screen, name)
        assert terminal.read(12) == b"in\\xff/\xc3\xa9.tx"


def test_on_a_terminal_a_long_line_goes_on_under_an_indent():
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb") as terminal, os.fdopen(theirs, "w") as stream:
        assert columns_of(stream) == 0, "it has not said how wide it is"
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
        assert columns_of(stream) == 20
        put(stream, "one line that is longer than twenty", "  two of the same kind again")
        shown = b"one line that is\n    longer than\n    twenty\n  two of the same\n      kind again\n"
        assert terminal.read(len(shown) + 5).replace(b"\r\n", b"\n") == shown


def test_what_is_no_terminal_has_no_columns(pipe):
    reader, _ = pipe
    with os.fdopen(os.dup(reader)) as stream:
        assert columns_of(stream) == 0
    assert columns_of(stream) == columns_of(io.StringIO()) == 0


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
    assert not is_discarded(io.StringIO())
