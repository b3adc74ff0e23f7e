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


@pytest.mark.parametrize(("late", "limit"), [(0.5, 3.0), (1.0, 5.0), (3.0, 13.0), (20.0, 25.0)])
def test_late_ones_let_longer_silence_mean_nothing(late, limit):
    assert after(0, 1, 2 + late) == pytest.approx(limit)


def test_what_was_late_more_than_a_minute_ago_counts_no_more():
    moments = [0.0, 4.0, *(5.0 + second for second in range(58))]
    assert after(*moments) == pytest.approx(13.0)
    assert after(*moments, 63.0, 64.0, 65.0) == 3.0


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
    assert silence.heard(9, 1) == pytest.approx(13.0, abs=0.1), "the worst delay still counts"
    assert len(silence._late) <= 7
