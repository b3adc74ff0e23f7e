"""Where two copies of a room's log part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.timeline import (
    MAX_ENTRIES,
    MAX_INDEX,
    MAX_N,
    MAX_TERM,
    Timeline,
    epoch_of,
    index_of,
    make_epoch,
    make_seq,
    n_of,
    term_of,
)
from tests.support.cases import cases

ANN, BOB, CAT = 0, 1, 2  # indexes of three hosts


def test_the_highest_number_is_one_that_every_json_reader_can_hold():
    assert make_seq(make_epoch(MAX_TERM, MAX_INDEX), MAX_N) == MAX_NUMBER


@given(st.integers(0, MAX_TERM), st.integers(0, MAX_INDEX), st.integers(0, MAX_N))
def test_a_number_says_its_term_its_host_and_its_place(term, index, n):
    seq = make_seq(make_epoch(term, index), n)
    assert (term_of(epoch_of(seq)), index_of(epoch_of(seq)), n_of(seq)) == (term, index, n)


def test_rooms_of_before_have_the_epoch_0():
    assert (epoch_of(812), n_of(812)) == (0, 812)


@pytest.mark.parametrize(("term", "index"), [(MAX_TERM + 1, 0), (0, MAX_INDEX + 1), (-1, 0), (0, -1)])
def test_no_epoch_leaves_its_bits(term, index):
    with pytest.raises(ValueError, match="no term"):
        make_epoch(term, index)


def test_no_event_leaves_its_bits():
    with pytest.raises(ValueError, match="no event"):
        make_seq(1, MAX_N + 1)


@cases(
    ("epoch", "past"),
    [
        (5, ((5, 1),)),  # its own term twice
        (5, ((3, 1), (2, 1))),  # backwards
        (5, ((6, 1),)),
        (5, ((-1, 1),)),
        (5, ((1, -1),)),
        (5, ((1, MAX_N + 1),)),
        (make_epoch(MAX_TERM, MAX_INDEX) + 1, ()),
        (1000, tuple((epoch, 1) for epoch in range(MAX_ENTRIES + 1))),
    ],
)
def test_no_host_can_claim_an_impossible_timeline(epoch, past):
    with pytest.raises(ValueError, match=r"term|entries"):
        Timeline(epoch, past)


def test_a_room_moves_to_bob_and_a_member_goes_on_where_it_was():
    ann, bob = make_epoch(1, ANN), make_epoch(2, BOB)
    at_ann = Timeline(ann)
    had = {ann: 40}
    at_bob = at_ann.next(bob, 42)
    assert at_bob == Timeline(bob, ((ann, 42),))
    assert at_bob.common(had) == make_seq(ann, 40)  # 41 and 42 are still to come
    assert at_bob.common({ann: 42}) == make_seq(bob, 0)
    assert at_bob.common({ann: 42, bob: 7}) == make_seq(bob, 7)


def test_what_only_the_lost_host_gave_out_is_not_on_the_timeline():
    """Ann said 43 and 44 to a few and died; bob, who had 42, goes on."""
    ann, bob = make_epoch(1, ANN), make_epoch(2, BOB)
    at_bob = Timeline(bob, ((ann, 42),))
    assert at_bob.covers(make_seq(ann, 42)) and not at_bob.covers(make_seq(ann, 43))
    assert at_bob.covers(make_seq(bob, 1))
    assert at_bob.common({ann: 44}) == make_seq(ann, 42)


def test_two_halves_that_both_went_on_part_at_the_last_common_number():
    ann, bob, cat = make_epoch(1, ANN), make_epoch(2, BOB), make_epoch(3, CAT)
    at_cat = Timeline(cat, ((ann, 40),))
    assert at_cat.common({ann: 42, bob: 9}) == make_seq(ann, 40)
    assert not at_cat.covers(make_seq(bob, 3))


def test_who_missed_a_whole_term_gets_it_from_its_beginning():
    ann, bob, cat = make_epoch(1, ANN), make_epoch(2, BOB), make_epoch(3, CAT)
    at_cat = Timeline(cat, ((ann, 42), (bob, 9)))
    assert at_cat.common({ann: 42}) == make_seq(bob, 0)


@cases(
    ("n", "number", "where"),
    [(9, 4, (CAT, 5)), (9, 9, (CAT, 0)), (9, 12, (BOB, 6)), (9, 20, (ANN, 40)), (9, 99, (ANN, 0)), (0, 1, (BOB, 8))],
)
def test_so_many_events_before_a_number_may_be_in_an_earlier_term(n, number, where):
    terms = {ANN: make_epoch(1, ANN), BOB: make_epoch(2, BOB), CAT: make_epoch(3, CAT)}
    timeline = Timeline(terms[CAT], ((terms[ANN], 42), (terms[BOB], 9)))
    assert timeline.before(make_seq(terms[CAT], n), number) == make_seq(terms[where[0]], where[1])


def test_an_empty_copy_and_one_older_than_the_timeline_reaches_are_served_like_newcomers():
    timeline = Timeline(0)
    for epoch in range(1, MAX_ENTRIES + 2):
        timeline = timeline.next(epoch, 5)
    assert len(timeline.past) == MAX_ENTRIES and timeline.past[0][0] == 1
    assert timeline.common({}) == -1
    assert timeline.common({0: 5}) == -1
    assert timeline.common({1: 3}) == make_seq(1, 3)
    assert timeline.covers(make_seq(1, 3)) and not timeline.covers(make_seq(0, 3)), "its author says it again"
    assert Timeline(7).common({}) == -1


def test_whoever_came_as_a_newcomer_lacks_nothing_of_before():
    ann, bob = make_epoch(1, ANN), make_epoch(2, BOB)
    timeline = Timeline(bob, ((ann, 42),))
    assert timeline.common({**dict(timeline.past), bob: 3}) == make_seq(bob, 3)


POSITIONS = st.dictionaries(st.integers(0, 12), st.integers(0, 6), max_size=6)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), unique_by=lambda entry: entry[0]), POSITIONS)
def test_what_is_common_is_on_both_lines(entries, mine):
    past = tuple(sorted(entries))
    timeline = Timeline(13, past)
    common = timeline.common(mine)
    if common >= 0:
        epoch, n = epoch_of(common), n_of(common)
        assert timeline.covers(common) and n <= mine.get(epoch, 0)
        assert all(mine.get(earlier) == last for earlier, last in past if earlier < epoch)  # no hole before it


ENTRIES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), unique_by=lambda entry: entry[0])


@given(ENTRIES, st.tuples(st.integers(0, 14), st.integers(0, 7)))
def test_a_number_is_covered_or_in_a_gap(entries, number):
    timeline, seq = Timeline(13, tuple(sorted(entries))), make_seq(*number)
    assert timeline.covers(seq) != any(after < seq < before for after, before in timeline.gaps)
    ends = [end for gap in reversed(timeline.gaps) for end in gap]
    assert ends == sorted(ends), "in order, the highest first"
