"""Which standby an ack waits for. Bob has the index 1, cat 2."""

import pytest

from lanchat.protocol.timing import Timing
from lanchat.server.replication import NOBODY, NOTHING, DiskPosition, Replication

BOB, CAT = 1, 2
TIMING = Timing()
WAIT, PAUSE = TIMING.sync_wait, TIMING.sync_pause


def at(seq: int, private: int = 0) -> DiskPosition:
    return DiskPosition(seq, private)


class Room:
    """A host and its standbys, with a clock that the test moves."""

    def __init__(self, saved: int = 10) -> None:
        self.replication = Replication(at(saved), TIMING)
        self.now = 100.0

    @property
    def safe(self) -> int:
        return self.replication.safe.seq

    @property
    def sync(self) -> int:
        return self.replication.sync

    def saved(self, seq: int) -> None:
        self.replication.saved(at(seq))

    def stored(self, index: int, seq: int, count: int | None = None) -> None:
        self.replication.stored(index, at(seq), self.replication.count if count is None else count, self.now)

    def gone(self, index: int) -> bool:
        self.replication.gone(index, self.now)
        return self.replication.tick(self.now)

    def later(self, seconds: float) -> bool:
        """The time passes, with a look a few times a second. Returns whether there was something to tell everybody."""
        end, told = self.now + seconds, False
        while self.now < end:
            self.now = min(end, self.now + 0.25)
            told = self.replication.tick(self.now) or told
        return told

    def with_sync(self, index: int) -> "Room":
        """With that standby complete, named and confirmed."""
        self.stored(index, 10)
        self.later(0.25)
        self.stored(index, 10)
        return self


@pytest.fixture
def room() -> Room:
    return Room()


def test_without_a_standby_an_ack_waits_for_the_hosts_disk(room):
    room.saved(11)
    assert (room.safe, room.sync, room.replication.backup) == (11, NOBODY, False)


def test_a_complete_standby_is_named_and_acks_wait_until_it_has_stored_that(room):
    room.stored(BOB, 10, count=0)
    assert room.later(0.25) and room.sync == BOB
    room.saved(11)
    room.stored(BOB, 11, count=0)  # it has the line, but not yet that its copy counts
    assert room.replication.safe == NOTHING
    room.stored(BOB, 11)
    assert room.safe == 11


def test_from_then_on_an_ack_waits_for_both_disks(room):
    room.with_sync(BOB)
    room.saved(12)
    assert room.safe == 10
    room.stored(BOB, 11)
    assert room.safe == 11
    room.stored(BOB, 12)
    assert room.safe == 12


def test_the_standby_may_be_faster_than_the_host(room):
    room.with_sync(BOB)
    room.stored(BOB, 12)
    assert room.safe == 10
    room.saved(12)
    assert room.safe == 12


def test_private_messages_wait_alike(room):
    room.with_sync(BOB)
    room.replication.saved(at(10, 3))
    assert room.replication.safe == at(10, 0)
    room.replication.stored(BOB, at(10, 3), room.replication.count, room.now)
    assert room.replication.safe == at(10, 3)


def test_one_that_still_copies_is_not_named(room):
    room.stored(BOB, 4)
    assert not room.later(5)
    assert (room.sync, room.safe) == (NOBODY, 10)


def test_the_first_by_index_is_named(room):
    room.stored(CAT, 10)
    room.stored(BOB, 10)
    room.later(0.25)
    assert room.sync == BOB


def test_one_that_comes_later_does_not_replace_one_that_works(room):
    room.with_sync(CAT)
    room.stored(BOB, 10)
    assert not room.later(10)
    assert room.sync == CAT


def test_where_it_is_gone_another_takes_its_place_at_once(room):
    room.with_sync(BOB)
    room.stored(CAT, 10)
    assert room.gone(BOB) and room.sync == CAT
    room.saved(11)
    assert room.replication.safe == NOTHING
    room.stored(CAT, 11)
    assert room.safe == 11


def test_where_nobody_else_is_there_acks_wait_two_seconds_and_then_everybody_is_told_first(room):
    room.with_sync(BOB)
    assert not room.gone(BOB)
    room.saved(11)
    room.later(WAIT - 0.25)
    assert (
        room.replication.safe == NOTHING and room.replication.backup
    )  # nothing is acknowledged that the bar would be wrong about
    assert room.later(0.25)
    assert (room.safe, room.sync) == (11, NOBODY)


def test_one_that_is_back_in_time_is_simply_back(room):
    room.with_sync(BOB)
    room.gone(BOB)
    room.saved(11)
    room.later(1)
    room.stored(BOB, 11)
    assert room.safe == 11 and not room.later(10)
    assert room.sync == BOB


def test_one_that_lags_is_given_up_after_two_seconds_and_left_in_peace_for_a_minute(room):
    room.with_sync(BOB)
    room.saved(11)
    room.later(WAIT + 0.25)
    assert (room.safe, room.sync) == (11, NOBODY)
    room.stored(BOB, 11)
    assert not room.later(PAUSE - 1)
    assert room.later(2) and room.sync == BOB


def test_a_constant_small_lag_is_no_reason(room):
    room.with_sync(BOB)
    for seq in range(11, 60):
        room.saved(seq)
        assert not room.later(0.25)
        room.stored(BOB, seq)
        assert room.safe == seq


def test_one_that_never_confirms_is_given_up(room):
    room.stored(BOB, 10, count=0)
    room.later(0.25)
    room.saved(11)
    assert room.later(WAIT) and room.sync == NOBODY
    assert room.safe == 11


def test_a_confirmation_of_an_earlier_naming_does_not_count(room):
    """Bob was named, given up and named again: what he stored the first time says nothing about now."""
    room.with_sync(BOB)
    first = room.replication.count
    room.gone(BOB)
    room.later(WAIT + 0.25)
    room.stored(BOB, 10, count=first)
    room.later(0.25)
    assert room.sync == BOB
    room.saved(11)
    room.stored(BOB, 11, count=first)
    assert room.replication.safe == NOTHING
    room.stored(BOB, 11)
    assert room.safe == 11


def test_an_old_line_that_is_said_again_waits_for_both_disks_as_well(room):
    """Alone the host acknowledged up to 15. The standby that is named then has 12: it may not count for 13 to 15."""
    room.later(0.25)
    room.saved(15)
    room.later(0.25)
    assert room.safe == 15
    room.stored(BOB, 12, count=0)
    assert room.later(0.25) and room.sync == BOB
    room.stored(BOB, 12)
    assert room.safe == 12
    room.saved(17)
    room.stored(BOB, 16)
    assert room.safe == 16
