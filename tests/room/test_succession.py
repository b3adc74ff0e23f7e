"""Who hosts next. Ann owns the room (index 0); bob has the index 1, cat 2, dan 3."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as PrivateKey
from msgspec import structs

from lanchat.protocol.delegation import Delegation, Standby, TermRecord
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.timeline import MAX_TERM, Timeline, make_epoch, make_seq
from lanchat.protocol.timing import Timing
from lanchat.room.succession import (
    Ask,
    Claim,
    DialHost,
    Fetch,
    Follow,
    Loss,
    Peer,
    Promote,
    Rank,
    State,
    Wait,
    meet,
    next_step,
    plausible_term,
    seen,
)

ANN, BOB, CAT, DAN = range(4)
TIMING = Timing()
NOW = 1000.0
FIRST = make_epoch(1, ANN)  # ann hosts, at first
DELEGATION = Delegation(
    *("0a" * 16, 3, 0, 1),
    term_limit=1025,
    standbys=tuple(Standby(i, bytes([i]) * 32, bytes(8)) for i in (BOB, CAT, DAN)),
)


def peer(index: int, n: int = 40, state: State = "lost", epoch: int = FIRST, **more: Any) -> Peer:
    return Peer(index, epoch, make_seq(FIRST, n), state, **more)


def step(me: Peer, *others: Peer, delegation: Delegation = DELEGATION, **loss):
    """What `me` does next, having just asked the others."""
    facts: dict[str, Any] = {"since": NOW, "certain": True, "peers": others, "asked_at": NOW}
    known = Loss(**facts | loss)
    return next_step(me, known, delegation, NOW, TIMING)


# ---- somebody has lost the host


def test_first_the_host_is_dialled_again():
    assert step(peer(BOB), certain=False, asked_at=None) == DialHost()


def test_then_everybody_in_reach_is_asked():
    assert step(peer(BOB), asked_at=None) == Ask()
    assert step(peer(BOB), asked_at=NOW - TIMING.ask_again) == Ask()


def test_whoever_hosts_meanwhile_is_followed_even_before_the_loss_is_certain():
    bob = peer(BOB, state="hosts", epoch=make_epoch(2, BOB), company=True)
    assert step(peer(CAT), bob, certain=False) == Follow(BOB)


def test_of_two_hosts_the_one_with_company_is_followed():
    bob = peer(BOB, state="hosts", epoch=make_epoch(2, BOB), company=True)
    dan = peer(DAN, state="hosts", epoch=make_epoch(3, DAN))
    assert step(peer(CAT), bob, dan) == Follow(BOB)


def test_nobody_moves_a_room_whose_host_another_standby_hears():
    assert isinstance(step(peer(BOB), peer(CAT, state="hears")), Wait)


def test_but_not_for_ever():
    assert step(peer(BOB), peer(CAT, state="hears"), since=NOW - TIMING.indirect) == Claim(make_epoch(2, BOB))


def test_who_is_alone_claims():
    assert step(peer(BOB)) == Claim(make_epoch(2, BOB))


def test_who_has_most_of_the_room_goes_first():
    assert step(peer(BOB, 40), peer(CAT, 42)) == Promote(CAT)
    assert step(peer(CAT, 42), peer(BOB, 40)) == Claim(make_epoch(2, CAT))


def test_where_all_have_the_same_the_sync_standby_goes_first_and_then_the_lowest_index():
    assert step(peer(BOB), peer(CAT, sync=7), peer(DAN, sync=6)) == Promote(CAT)
    assert step(peer(CAT), peer(BOB), peer(DAN)) == Promote(BOB)


def test_the_one_that_goes_first_is_given_its_time():
    assert isinstance(step(peer(BOB), peer(CAT, 42), promoted=(CAT, NOW - 1)), Wait)


def test_one_that_did_not_go_first_is_passed_over_but_its_lines_are_not():
    assert step(peer(BOB), peer(CAT, 42), failed={CAT}) == Fetch(CAT)
    assert step(peer(BOB, 42), peer(CAT, 42), failed={CAT}) == Claim(make_epoch(2, BOB))


def test_one_that_cannot_host_is_not_waited_for_but_gives_its_lines():
    assert step(peer(BOB), peer(CAT, 42, able=False)) == Fetch(CAT)
    assert step(peer(CAT, 42, able=False), peer(BOB)) == Promote(BOB)


def test_the_owner_that_starts_again_lets_a_more_complete_standby_go_first():
    assert step(peer(ANN, 40), peer(BOB, 43)) == Promote(BOB)
    assert step(peer(ANN, 43), peer(BOB, 43)) == Claim(make_epoch(2, ANN))


def test_the_new_term_is_above_every_term_that_anybody_has_seen():
    assert step(peer(BOB), peer(CAT, epoch=make_epoch(9, DAN))) == Claim(make_epoch(10, BOB))


def test_an_incomplete_copy_hosts_nothing():
    """A room with a hole would be the room from then on."""
    assert isinstance(step(peer(BOB, complete=False)), Wait)
    assert step(peer(BOB, complete=False), peer(CAT, 10)) == Promote(CAT)


def test_only_standbys_of_the_newest_delegation_count():
    without_bob = replace(DELEGATION, number=4, standbys=DELEGATION.standbys[1:])
    assert isinstance(step(peer(BOB), delegation=without_bob), Wait)
    assert step(peer(CAT, 30), peer(BOB, 42), delegation=without_bob) == Claim(make_epoch(2, CAT))
    bob_hosts = peer(BOB, state="hosts", epoch=make_epoch(2, BOB), company=True)
    assert not isinstance(step(peer(CAT), bob_hosts, delegation=without_bob), Follow)


def test_a_standby_stops_at_the_term_limit_and_the_owner_does_not():
    far = make_epoch(1025, DAN)
    assert isinstance(step(peer(BOB, epoch=far)), Wait)
    assert step(peer(ANN, epoch=far)) == Claim(make_epoch(1026, ANN))
    assert isinstance(step(peer(ANN, epoch=make_epoch(MAX_TERM, DAN))), Wait)


# ---- two hosts


def test_company_counts_more_than_the_owner_and_the_owner_more_than_a_later_term():
    assert sorted([Rank(True, False, 1), Rank(False, True, 9), Rank(False, False, 99), Rank(True, True, 0)]) == [
        *(Rank(False, False, 99), Rank(False, True, 9), Rank(True, False, 1), Rank(True, True, 0))
    ]


def test_no_standby_draws_a_live_room_away_from_its_owner():
    """Dan claims the room with the highest term there is, and has people of his own. Ann begins a term above."""
    ann = peer(ANN, state="hosts", company=True)
    dan = peer(DAN, state="hosts", epoch=make_epoch(500, DAN), company=True)
    assert meet(ann, [dan], DELEGATION) == Claim(make_epoch(501, ANN))
    assert meet(dan, [ann], DELEGATION) == Follow(ANN)


def test_an_owner_that_was_cut_off_alone_comes_over():
    ann = peer(ANN, state="hosts")
    bob = peer(BOB, state="hosts", epoch=make_epoch(2, BOB), company=True)
    assert meet(ann, [bob], DELEGATION) == Follow(BOB)
    assert meet(bob, [ann], DELEGATION) is None


def test_of_two_standbys_with_people_the_later_term_stays():
    bob = peer(BOB, state="hosts", epoch=make_epoch(2, BOB), company=True)
    cat = peer(CAT, state="hosts", epoch=make_epoch(3, CAT), company=True)
    assert meet(bob, [cat], DELEGATION) == Follow(CAT)
    assert meet(cat, [bob], DELEGATION) is None


def test_a_host_that_a_newer_delegation_leaves_out_comes_over():
    without_bob = replace(DELEGATION, number=4, standbys=DELEGATION.standbys[1:])
    bob = peer(BOB, state="hosts", epoch=make_epoch(2, BOB), company=True)
    cat = peer(CAT, state="hosts", epoch=make_epoch(3, CAT))
    assert meet(bob, [cat], without_bob) == Follow(CAT)
    assert meet(cat, [bob], without_bob) is None


def test_a_term_that_somebody_only_heard_of_is_outnumbered():
    ann = peer(ANN, state="hosts", company=True)
    assert meet(ann, [peer(CAT, state="hears", epoch=make_epoch(7, DAN))], DELEGATION) == Claim(make_epoch(8, ANN))


def test_a_standby_that_hosts_begins_no_term_above_the_limit_that_the_owner_has_set():
    bob = peer(BOB, state="hosts", company=True)
    limit = DELEGATION.term_limit
    assert meet(bob, [peer(CAT, epoch=make_epoch(limit, CAT))], DELEGATION) is None
    assert meet(bob, [peer(CAT, epoch=make_epoch(limit - 1, CAT))], DELEGATION) == Claim(make_epoch(limit, BOB))


@pytest.mark.parametrize(("ago", "term"), [(0, 65), (3_599_999, 65), (3_600_000, 129), (7_200_000, 193), (-5, 65)])
def test_a_room_needs_so_many_terms_in_an_hour_and_no_more(ago, term):
    assert plausible_term(1, ago) == term


@pytest.mark.parametrize("others", [(), (peer(CAT, state="hears"),), (peer(CAT),)])
def test_otherwise_nothing_happens(others):
    assert meet(peer(ANN, state="hosts", company=True), others, DELEGATION) is None


# ---- what a card says


def key_of(index: int) -> PrivateKey:
    return key_from_seed(bytes([index + 1]) * 32)


def raw(index: int) -> bytes:
    return key_of(index).public_key().public_bytes_raw()


SIGNED = replace(DELEGATION, until=2_000, standbys=tuple(Standby(i, raw(i), bytes(8)) for i in (BOB, CAT)))
PAPERS = Papers(DELEGATION.room, raw(ANN), SIGNED.signed(key_of(ANN).sign))


def of_bob(epoch: int, signer: int, room: str = DELEGATION.room) -> Peer | None:
    """What bob's card says, who follows a host and shows a record of this computer."""
    record = TermRecord(room, raw(signer), 3, 0, Timeline(epoch)).signed(key_of(signer).sign)
    card = Card(1, DELEGATION.room, "Room A", "ann", 1, False, bytes(32), owner=raw(ANN), delegation=PAPERS.delegation)
    shown = structs.replace(card, term=record, standby="lost", seq=7)
    return seen(Place(BOB, raw(BOB), "bob"), shown, raw(BOB), PAPERS, 1_000)


@pytest.mark.parametrize(("term", "index"), [(1, ANN), (1025, BOB), (5, CAT), (MAX_TERM, ANN)])
def test_a_standby_shows_the_last_term_of_the_owner_or_of_one_whom_the_list_names(term, index):
    assert of_bob(make_epoch(term, index), index) == Peer(BOB, make_epoch(term, index), 7, "lost")


@pytest.mark.parametrize(
    ("term", "index", "signer"), [(1026, BOB, BOB), (MAX_TERM, BOB, BOB), (5, ANN, BOB), (5, CAT, BOB), (5, DAN, DAN)]
)
def test_a_standby_cannot_use_up_the_terms_with_one_that_it_has_made_up(term, index, signer):
    assert of_bob(make_epoch(term, index), signer) == Peer(BOB, 0, 7, "lost")


def test_a_term_of_another_room_of_the_owner_says_nothing():
    assert of_bob(make_epoch(9, ANN), ANN, "0b" * 16) == Peer(BOB, 0, 7, "lost")


def test_the_signed_list_says_whose_card_counts_and_not_the_place_that_a_host_has_told():
    card = Card(1, DELEGATION.room, "Room A", "ann", 1, False, bytes(32), owner=raw(ANN), delegation=PAPERS.delegation)
    card = structs.replace(card, standby="lost", seq=7)
    assert seen(Place(BOB, raw(DAN), "bob"), card, raw(DAN), PAPERS, 1_000) is None
    assert seen(Place(ANN, raw(DAN), "ann"), card, raw(DAN), PAPERS, 1_000) is None
    assert seen(Place(BOB, raw(DAN), "bob"), card, raw(BOB), PAPERS, 1_000) == Peer(BOB, 0, 7, "lost")
