"""The token bucket, and the limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from lanchat.protocol.limits import DEFAULT_LIMITS, MAX_PEOPLE, MOST_MEMBERS, NO_LIMITS, TokenBucket, limits_for


def test_a_burst_then_the_rate():
    bucket = TokenBucket(2.0, 3, now=0)
    assert [bucket.take(1, 0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(1, 1.0) == 0


def test_a_debt_is_paid_by_time():
    bucket = TokenBucket(10.0, 10, now=0)
    assert bucket.take(30, 0) == pytest.approx(2.0)
    assert bucket.take(0, 1.0) == pytest.approx(1.0)
    assert bucket.take(0, 2.0) == 0


def test_spare_takes_only_an_available_amount():
    bucket = TokenBucket(1.0, 2, now=0)
    assert [bucket.spare(1, 0) for _ in range(1000)] == [True, True] + [False] * 998
    assert bucket.spare(1, 1.0), "nothing was owed"


def test_giving_back_never_makes_more_than_a_burst():
    bucket = TokenBucket(1.0, 2, now=0)
    bucket.take(-100, 0)
    assert [bucket.take(1, 0) == 0 for _ in range(3)] == [True, True, False]


amounts = st.lists(st.tuples(st.floats(0, 50), st.floats(0, 5)), max_size=40)


@given(st.floats(0.1, 100), st.floats(1, 100), amounts)
def test_a_bucket_never_gives_more_than_burst_and_rate_together(rate, burst, asked):
    bucket, now, given_out = TokenBucket(rate, burst, now=0.0), 0.0, 0.0
    for amount, pause in asked:
        now += pause
        if bucket.spare(amount, now):
            given_out += amount
    assert given_out <= burst + rate * now + 1e-6


@given(st.floats(0.1, 100), st.floats(1, 100), amounts)
def test_after_the_returned_wait_there_is_no_debt(rate, burst, asked):
    bucket, now = TokenBucket(rate, burst, now=0.0), 0.0
    for amount, pause in asked:
        now += pause
        now += bucket.take(amount, now)
        assert bucket.take(0, now) == pytest.approx(0, abs=1e-6)


def test_every_limit_is_lifted_for_benchmarks_but_those_of_time():
    for field in fields(DEFAULT_LIMITS):
        if field.name != "greeting":
            assert getattr(NO_LIMITS, field.name) > getattr(DEFAULT_LIMITS, field.name)


def test_a_member_accepts_the_number_of_people_of_any_honest_host():
    assert MAX_PEOPLE >= 10 * DEFAULT_LIMITS.members


def test_a_room_for_more_people_has_all_other_limits_as_ever():
    assert limits_for(0) == DEFAULT_LIMITS
    assert limits_for(700) == replace(DEFAULT_LIMITS, members=700)
    assert limits_for(2**40).members == MOST_MEMBERS, "a host that was somebody else's says so"
