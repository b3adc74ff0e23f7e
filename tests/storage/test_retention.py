"""Retention, as a person writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.storage.retention import EVERYTHING, Amount, Retention, fair_share, parse_age, parse_retention
from tests.support.cases import cases

DAY = 86_400_000  # ms


@pytest.mark.parametrize(
    ("text", "retention"),
    [
        ("30d", Retention(age=30 * DAY)),
        ("12H", Retention(age=DAY // 2)),
        ("2w", Retention(age=14 * DAY)),
        ("10000", Retention(entries=10_000)),
        ("", EVERYTHING),
    ],
)
def test_a_retention_is_an_age_or_a_number_of_entries(text, retention):
    assert parse_retention(text) == retention and parse_retention(str(retention)) == retention


@cases("text", ["0", "0d", "-3d", "many", "3 d", "d", "1e3", "３d", "99999999999d"])
def test_anything_else_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="Write 30d, 12h or 10000"):
        parse_retention(text)


@given(st.integers(1, 999_999), st.sampled_from("smhdw"))
def test_an_age_is_the_same_after_a_trip_through_text(number, unit):
    age = parse_age(f"{number}{unit}")
    assert parse_retention(str(Retention(age=age))).age == age


def test_what_is_beyond_a_bound_is_so_by_number_or_by_size():
    assert Amount(10, 500).beyond(Amount(20, 600)) == Amount()
    assert Amount(10, 500).beyond(Amount(4, 600)) == Amount(6, 0)
    assert Amount(10, 500).beyond(Amount(20, 100)) == Amount(0, 400)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.integers(0, 5000))
def test_under_a_fair_share_all_fit_and_whoever_has_less_loses_nothing(sizes, total):
    share = fair_share(sizes, total)
    assert sum(min(size, share) for size in sizes) <= total
    if sum(sizes) > total:
        assert sum(min(size, share + 1) for size in sizes) > total, "no larger bound would do"
    else:
        assert share >= max(sizes)
