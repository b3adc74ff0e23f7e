"""After which silence a host counts as lost."""

import pytest

from lanchat.client.silence import Silence
from lanchat.protocol.timing import Timing

TIMING = Timing(host_silence=3.0, dead_after=25.0)


def after(*beats: float, beat: float = 1.0) -> float:
    """The limit after heartbeats at these moments."""
    silence = Silence(TIMING)
    return [silence.heard(at, beat) for at in beats][-1]


def test_punctual_heartbeats_let_three_seconds_be_too_long():
    assert after(0, 1, 2, 3.1) == 3.0


def test_one_late_heartbeat_says_nothing_about_the_network():
    """A host that was busy for 6 s once is replaced as soon as any other, should it be gone then."""
    assert after(0, 1, 8, 9, 10) == 3.0


@pytest.mark.parametrize(("late", "limit"), [(0.5, 3.0), (1.0, 5.0), (2.0, 9.0), (3.0, 10.0), (20.0, 10.0)])
def test_several_late_ones_let_longer_silence_mean_nothing_up_to_a_limit(late, limit):
    assert after(0, 1, 2 + late, 6 + 2 * late) == pytest.approx(limit)


def test_the_second_worst_delay_counts():
    assert after(0, 8, 10.5, 11.5) == pytest.approx(1 + 4 * 1.5)


def test_what_was_late_more_than_a_minute_ago_counts_no_more():
    moments = [0.0, 2.5, 5.0, *(6.0 + second for second in range(57))]
    assert after(*moments) == pytest.approx(7.0)
    assert after(*moments, 63.0, 64.0, 65.0, 66.0) == 3.0


def test_one_that_comes_early_is_not_late():
    assert after(0, 0.1, 0.2) == 3.0


def test_without_a_promise_the_usual_limit_counts_and_the_pause_before_is_no_delay():
    silence = Silence(TIMING)
    silence.heard(0, 1)
    assert silence.heard(1, 0) == 25.0
    assert silence.heard(60, 1) == 3.0


def test_a_host_that_sends_heartbeats_without_end_costs_no_more_than_one_each_second():
    silence = Silence(TIMING)
    for number in range(5000):
        silence.heard(number / 1000, 0.0005)
    silence.heard(7.5, 1)
    assert silence.heard(10, 1) == pytest.approx(7.0, abs=0.1), "the delays still count"
    assert len(silence._late) <= 8


def test_a_silence_may_mean_nothing_where_heartbeats_are_late_or_the_host_was_slow_to_meet():
    silence = Silence(TIMING)
    for at in (0, 1, 2, 7, 8):
        silence.heard(at, 1)
        assert not silence.is_rough(at), "one late heartbeat says nothing"
    silence.heard(11, 1)
    assert silence.is_rough(11)
    slow = Silence(TIMING, took=0.8)
    slow.heard(0, 1)
    assert slow.is_rough(59) and not slow.is_rough(60), "by then the heartbeats have told more"
