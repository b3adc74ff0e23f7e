"""Lines that come through a pipe, in whatever pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.text import MAX_TEXT
from lanchat.terminal.piped import Line, LineSplitter, Overlong


def split(*pieces: bytes) -> list[Line]:
    splitter = LineSplitter()
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.end()


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"one\ntwo", ["one", "two"]),
        (b"one\n\ntwo\n", ["one", "", "two"]),
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"a \xff b\n", ["a \N{REPLACEMENT CHARACTER} b"]),
        (b"", []),
        (b"\r", []),
    ],
)
def test_a_line_has_no_end_and_is_valid_text(data, lines):
    assert split(data) == lines


@pytest.mark.parametrize(
    "data",
    [
        b"\rstep 1\rstep 2\rdone\n",  # curl
        b"step 1\rstep 2\rdone\n",  # git
        b"step 1\rstep 2\rdone\r\n",  # docker
        b"step 1\r\n\rstep 2\rdone\r",
        b"step 1\rstep 2\rdone",
    ],
)
def test_of_a_progress_bar_the_last_state_is_a_line(data):
    assert split(data)[-1] == "done"
    assert len(split(data)) == data.count(b"\n") + (not data.endswith(b"\n"))


@given(st.text("ab\r\n", max_size=30), st.integers(0, 30))
def test_the_pieces_do_not_matter(text, at):
    data = text.encode()
    assert split(data) == split(data[:at], data[at:]) == split(*(bytes([byte]) for byte in data))


def test_a_line_that_is_too_long_is_counted_and_not_kept():
    splitter = LineSplitter()
    for _ in range(1000):
        assert splitter.feed(b"x" * 1000) == []
        assert len(splitter._kept) <= MAX_TEXT
    assert splitter.feed(b"x\nnext\n") == [Overlong(1_000_001), "next"]


def test_a_bar_that_never_ends_is_as_long_as_its_last_state():
    splitter = LineSplitter()
    for number in range(10_000):
        splitter.feed(f"\rstep {number}".encode())
    assert splitter.end() == ["step 9999"]
