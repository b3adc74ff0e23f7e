import math
import time

from lanchat.terminal.deadline import LONGEST_WAIT, remaining


def test_what_remains_is_never_negative_and_never_more_than_a_clock_can_hold():
    assert remaining(None) == remaining(math.inf) == LONGEST_WAIT
    assert remaining(time.monotonic() - 5) == 0
    assert 0 < remaining(time.monotonic() + 60) <= 60
