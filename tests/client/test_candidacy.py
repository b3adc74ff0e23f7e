"""Whether a member's computer offers itself as a standby, and what its person is told."""

from lanchat.client.candidacy import Candidacy, was_named
from lanchat.protocol.delegation import VALIDITY, Delegation, Standby
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.papers import Papers
from lanchat.protocol.timing import Timing

ROOM = "5" * 32
COPY = b"bobscopy"
TIMING = Timing(copy_retry=60.0)
ANN = key_from_seed(bytes(32))
ANN_KEY, BOB_KEY, CAT_KEY = (key_from_seed(bytes([n]) * 32).public_key().public_bytes_raw() for n in range(3))


def test_a_computer_offers_itself_to_each_host_once_one_has_asked_or_the_owner_has_named_it():
    one = Candidacy(TIMING)
    assert not one.begin(named=False)
    assert one.begin(named=True)
    one.offer()
    assert one.offered
    assert one.begin(named=False) and not one.offered, "the next host does not know it yet"


def test_who_declines_offers_nothing_until_its_person_accepts_again():
    one = Candidacy(TIMING)
    one.offer()
    one.decline()
    assert not one.begin(named=True)
    assert not one.begins_again(1e9)
    one.accept()
    assert one.begins_again(0.0) and not one.begins_again(0.0), "the host is to hear of it once"
    assert one.begin(named=False)


def test_a_copy_that_the_disk_did_not_keep_is_tried_again_after_a_while():
    one = Candidacy(TIMING)
    one.offer()
    for now in (100.0, 200.0):
        assert one.give_up()
        assert one.declined and not one.begins_again(1e9), "not before the host has heard of it"
        one.try_later(now)
        assert not one.begins_again(now + TIMING.copy_retry - 1)
        assert one.begins_again(now + TIMING.copy_retry) and not one.declined
        assert not one.begins_again(now + TIMING.copy_retry), "the host is to hear of it once"


def test_a_copy_that_was_given_up_does_not_come_back_against_the_wish_of_our_person():
    one = Candidacy(TIMING)
    assert one.give_up()
    one.decline()
    one.try_later(100.0)
    assert not one.give_up()
    assert not one.begins_again(1e9) and one.declined


def test_its_person_is_told_once_that_it_is_a_standby_and_again_after_it_was_none():
    one = Candidacy(TIMING)
    notified = [one.should_notify(named=named) for named in (False, True, True, False, True)]
    assert notified == [False, True, False, False, True]
    one.decline()
    one.accept()
    assert one.should_notify(named=True)


def test_a_person_who_was_told_in_an_earlier_run_is_not_told_at_each_join():
    named = Delegation(ROOM, 1, 0, VALIDITY, term_limit=9, standbys=(Standby(1, BOB_KEY, COPY),)).signed(ANN.sign)
    papers = Papers(ROOM, ANN_KEY)
    state = {"delegation": named, "instance": COPY}
    assert was_named(state, papers, BOB_KEY)
    assert not was_named(state, papers, CAT_KEY)
    for other in ({}, {"delegation": named}, {**state, "delegation": b"damaged"}):
        assert not was_named(other, papers, BOB_KEY)
    one = Candidacy(TIMING)
    one.recall(named=True)
    assert not one.should_notify(named=True)


def test_a_copy_that_is_opened_anew_and_says_nothing_of_it_makes_nobody_be_told_twice():
    one = Candidacy(TIMING)
    assert one.should_notify(named=True)
    one.recall(named=False)
    assert not one.should_notify(named=True)
