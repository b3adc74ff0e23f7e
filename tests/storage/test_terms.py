"""No number of a room means two events, whatever happens to its log."""

from pathlib import Path

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.timeline import MAX_TERM, make_epoch, make_seq
from lanchat.storage.terms import begin_term


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def start_of(term: int, index: int = OWNER_INDEX) -> int:
    return make_seq(make_epoch(term, index), 0)


def begin(log: Path, given: int, least: int = 0, index: int = OWNER_INDEX, *, goes_on: bool = False) -> int:
    return begin_term(log, given, least, index, goes_on=goes_on)


def test_a_term_that_has_ended_in_order_goes_on(log):
    assert begin(log, 42, goes_on=True) == 42
    assert begin(log, start_of(3) + 42, goes_on=True) == start_of(3) + 42


def test_after_a_crash_the_next_term_begins(log):
    assert begin(log, 42) == start_of(1)
    assert begin(log, start_of(1)) == start_of(2), "also where nothing was said in it"


def test_a_log_that_has_lost_its_end_begins_no_term_again(log):
    assert begin(log, start_of(8) + 5) == start_of(9)
    assert begin(log, 3) == start_of(10)
    assert begin(log, 3, goes_on=True) == start_of(11), (
        "an older log that has ended in order, in place of the right one"
    )


@pytest.mark.parametrize("content", [b"", b"x", b"-1", b"\xff", "\u0663".encode(), b"9" * 99])
def test_a_file_that_cannot_be_read_counts_as_none(log, content):
    log.with_name("term").write_bytes(content)
    assert begin(log, start_of(8) + 5) == start_of(9)


def test_another_host_begins_a_term_of_its_own(log):
    assert begin(log, start_of(4) + 10, least=6, index=2, goes_on=True) == start_of(6, 2)
    assert begin(log, start_of(6, 2) + 3, index=2, goes_on=True) == start_of(6, 2) + 3
    assert begin(log, start_of(6, 2) + 3, goes_on=True) == start_of(7), "and so does the owner who comes back"


def test_the_terms_of_a_room_have_an_end(log):
    with pytest.raises(LanchatError, match="no numbers left"):
        begin(log, start_of(MAX_TERM))
