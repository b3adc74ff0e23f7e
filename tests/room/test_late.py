"""What was said while its author was disconnected, and comes only now."""

import pytest

from lanchat.protocol.limits import LATE_AFTER, LATE_AGE
from lanchat.protocol.messages import Said, Say
from lanchat.room.late import when_said
from tests.support.rooms import room_with

NOW = 1_800_000_000_000  # ms since 1970


@pytest.mark.parametrize("ago", [LATE_AFTER + 1, 3_600_000, LATE_AGE])
def test_a_resend_keeps_the_time_at_which_it_was_said(ago):
    assert when_said(Say("1", "hi", again=True, at=NOW - ago), NOW) == (NOW - ago, True)


@pytest.mark.parametrize("ago", [0, 1, LATE_AFTER, LATE_AGE + 1, NOW - 1, -1, -LATE_AGE])
def test_a_time_that_is_hardly_over_or_of_no_right_clock_counts_as_none(ago):
    assert when_said(Say("1", "hi", again=True, at=NOW - ago), NOW) == (NOW, False)


def test_only_a_resend_says_when_it_was_said():
    earlier = NOW - 3_600_000
    assert when_said(Say("1", "hi", at=earlier), NOW) == (NOW, False)
    assert when_said(Say("1", "hi", again=True), NOW) == (NOW, False)


def test_a_room_takes_a_late_message_once():
    room, ann = room_with("ann")
    late = Say("1", "hi", again=True, at=NOW - 60_000)
    [said] = room.act(ann, late, NOW)
    assert said == Said(room.seq, NOW - 60_000, "id-ann", "ann", "1", "hi", late=True)
    [repeated] = room.act(ann, late, NOW + 1)
    assert repeated.said == said
