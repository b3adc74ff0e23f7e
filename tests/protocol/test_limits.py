from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.limits import TokenBucket


def test_what_is_not_there_is_not_taken():
    bucket = TokenBucket(rate=2, burst=3, now=0)
    assert [bucket.spare(1, 0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert [bucket.spare(1, 0.5) for _ in range(2)] == [True, False]
    assert [bucket.spare(1, 100) for _ in range(4)] == [True] * 3 + [False]


@given(st.lists(st.floats(0, 2), max_size=200))
def test_however_it_is_asked_it_gives_no_more_than_its_rate(pauses):
    bucket, now, given_out = TokenBucket(rate=4, burst=5, now=0), 0.0, 0
    for pause in pauses:
        now += pause
        given_out += bucket.spare(1, now)
    assert given_out <= 5 + 4 * now + 1e-6
