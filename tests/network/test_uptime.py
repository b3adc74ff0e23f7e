"""A clock that goes on while the machine sleeps."""

from lanchat.network.uptime import uptime


def test_the_clock_never_goes_back():
    times = [uptime() for _ in range(100)]
    assert times == sorted(times)
