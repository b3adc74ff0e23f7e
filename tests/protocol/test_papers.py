"""Which host a member accepts once a room may move: the owner, and whom the owner has named. Nobody else."""

from dataclasses import replace

import pytest
from msgspec import structs

from lanchat.errors import HostKeyChanged, LanchatError, ProtocolError, Refused
from lanchat.protocol.delegation import OWNER_INDEX, VALIDITY, Delegation, Standby, TermRecord
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import Papers, first_contact, timeline_of
from lanchat.protocol.timeline import Timeline, make_epoch
from tests.support.cases import cases

ROOM, OTHER_ROOM = "0a" * 16, "0b" * 16
ANN, BOB, CAT, EVE = (key_from_seed(bytes([number]) * 32) for number in (1, 2, 3, 4))  # ann owns the room
ANN_KEY, BOB_KEY, CAT_KEY, EVE_KEY = (key.public_key().public_bytes_raw() for key in (ANN, BOB, CAT, EVE))
MADE = 1_800_000_000_000  # ms
NOW = MADE + 60_000
FIRST, SECOND = make_epoch(1, OWNER_INDEX), make_epoch(2, 1)

NAMED = Delegation(ROOM, 4, MADE, MADE + VALIDITY, term_limit=1025, standbys=(Standby(1, BOB_KEY, b"bob's PC"),))
PAPER = NAMED.signed(ANN.sign)
ANNS = TermRecord(ROOM, ANN_KEY, 4, MADE, Timeline(FIRST)).signed(ANN.sign)
BOBS = TermRecord(ROOM, BOB_KEY, 4, MADE, Timeline(SECOND, ((FIRST, 42),))).signed(BOB.sign)


def card(
    term: bytes = BOBS, delegation: bytes = PAPER, owner: bytes = ANN_KEY, *, password: bool = False, standby: str = ""
) -> Card:
    bare = Card(1, ROOM, "Room A", "hal", 2, password, bytes(32))
    return structs.replace(bare, owner=owner, delegation=delegation, term=term, standby=standby)


BEFORE = Papers(ROOM, ANN_KEY, PAPER, ANNS)


def test_a_room_without_papers_has_the_host_that_it_had():
    plain = Papers(ROOM, ANN_KEY)
    bare = Card(1, ROOM, "Room A", "ann", 1, False, bytes(32))
    assert first_contact(bare, ANN_KEY, NOW) == plain == plain.accept(bare, ANN_KEY, NOW)
    assert timeline_of(bare) is None
    with pytest.raises(HostKeyChanged, match="another key than the host"):
        plain.accept(bare, EVE_KEY, NOW)
    with pytest.raises(HostKeyChanged, match="another key than the host"):
        BEFORE.accept(bare, BOB_KEY, NOW)


def test_a_standby_that_the_owner_has_named_is_accepted_and_the_owner_stays_the_owner():
    after = BEFORE.accept(card(), BOB_KEY, NOW)
    assert (after.owner, after.delegation, after.term) == (ANN_KEY, PAPER, BOBS)
    assert timeline_of(card()) == Timeline(SECOND, ((FIRST, 42),))
    assert after.accept(card(ANNS), ANN_KEY, NOW).term == ANNS, "and the owner can come back"


def test_a_first_contact_with_a_standby_leads_to_the_owner():
    assert first_contact(card(), BOB_KEY, NOW).owner == ANN_KEY


def test_the_newest_list_of_standbys_counts_whoever_shows_it():
    dismissed = replace(NAMED, number=5, standbys=(Standby(2, CAT_KEY, b"cat's PC"),)).signed(ANN.sign)
    knows_more = BEFORE.accept(card(ANNS, dismissed), ANN_KEY, NOW)
    assert knows_more.delegation == dismissed
    with pytest.raises(HostKeyChanged, match="has not named"):
        knows_more.accept(card(), BOB_KEY, NOW)
    assert knows_more.accept(card(ANNS), ANN_KEY, NOW).delegation == dismissed, "an older one replaces no newer one"


UNREADABLE = PAPER[:-1] + bytes([PAPER[-1] ^ 1])
FOREIGN = replace(NAMED, room=OTHER_ROOM).signed(ANN.sign)
EVES = TermRecord(ROOM, EVE_KEY, 4, MADE, Timeline(make_epoch(3, 1))).signed(EVE.sign)
OF_ANOTHER_ROOM = TermRecord(OTHER_ROOM, BOB_KEY, 4, MADE, Timeline(SECOND)).signed(BOB.sign)
TOO_LATE = TermRecord(ROOM, BOB_KEY, 4, MADE, Timeline(make_epoch(1026, 1))).signed(BOB.sign)
OWNERS_INDEX = TermRecord(ROOM, BOB_KEY, 4, MADE, Timeline(make_epoch(2, OWNER_INDEX))).signed(BOB.sign)


@cases(
    ("shown", "key", "reason"),
    [
        (card(EVES), EVE_KEY, "not named"),
        (card(BOBS), EVE_KEY, "another computer"),
        (card(OWNERS_INDEX), BOB_KEY, "claims to be the owner"),
        (card(OF_ANOTHER_ROOM), BOB_KEY, "another room"),
        (card(TOO_LATE), BOB_KEY, "more terms"),
        (card(owner=EVE_KEY), BOB_KEY, "another owner"),
        (card(delegation=UNREADABLE), BOB_KEY, "not signed by the owner"),
        (card(delegation=FOREIGN), BOB_KEY, "another room"),
        (card(delegation=b"x" * 100), BOB_KEY, "cannot be read"),
        (card(b"x" * 100), BOB_KEY, "cannot be read"),
        (card(standby="lost"), EVE_KEY, "not named"),
    ],
)
def test_every_other_host_is_refused(shown, key, reason):
    with pytest.raises(HostKeyChanged, match=reason):
        BEFORE.accept(shown, key, NOW)


def test_who_has_seen_no_list_of_standbys_accepts_the_owner_alone():
    unaware = Papers(ROOM, ANN_KEY)
    assert unaware.accept(card(ANNS, b""), ANN_KEY, NOW).term == ANNS
    with pytest.raises(HostKeyChanged, match="another computer"):
        unaware.accept(card(BOBS, b""), BOB_KEY, NOW)
    with pytest.raises(HostKeyChanged, match="another computer"):
        unaware.accept(card(ANNS, b""), BOB_KEY, NOW)
    assert unaware.accept(card(), BOB_KEY, NOW).delegation == PAPER, "but it reads the one that a standby shows"


TOGETHER = replace(NAMED, number=5, standbys=(Standby(1, BOB_KEY, b"bob's PC", "h"), Standby(2, CAT_KEY, b"cat's PC")))
HOSTS = TOGETHER.signed(ANN.sign)
ENGINE = TermRecord(ROOM, ANN_KEY, 5, MADE, Timeline(make_epoch(2, OWNER_INDEX), ((FIRST, 42),)), engine=True)
ENGINES = ENGINE.signed(ANN.sign)


def test_a_member_goes_from_one_host_of_an_engine_to_the_other_and_back():
    at_bob = BEFORE.accept(card(ENGINES, HOSTS), BOB_KEY, NOW)
    assert (at_bob.owner, at_bob.delegation, at_bob.term) == (ANN_KEY, HOSTS, ENGINES)
    assert at_bob.accept(card(ENGINES, HOSTS), ANN_KEY, NOW).term == ENGINES
    assert first_contact(card(ENGINES, HOSTS), BOB_KEY, NOW).owner == ANN_KEY


REMOVED = replace(TOGETHER, number=6, standbys=TOGETHER.standbys[1:]).signed(ANN.sign)
LATER = replace(ENGINE, timeline=Timeline(make_epoch(3, OWNER_INDEX))).signed(ANN.sign)
BOBS_ENGINE = replace(ENGINE, host_key=BOB_KEY).signed(BOB.sign)
CATS_ENGINE = replace(ENGINE, host_key=CAT_KEY).signed(CAT.sign)
AWAY = NOW + VALIDITY


@cases(
    ("knows", "shown", "key", "now", "reason"),
    [
        (PAPER, card(ENGINES, HOSTS), EVE_KEY, NOW, "has not named this computer as one of its hosts"),
        (PAPER, card(ENGINES, HOSTS), CAT_KEY, NOW, "has not named this computer as one of its hosts"),
        (REMOVED, card(ENGINES, HOSTS), BOB_KEY, NOW, "has not named this computer as one of its hosts"),
        (PAPER, card(ENGINES, b""), BOB_KEY, NOW, "has not named this computer as one of its hosts"),
        (PAPER, card(ENGINES, HOSTS), BOB_KEY, AWAY, "has expired"),
        (PAPER, card(BOBS_ENGINE, HOSTS), BOB_KEY, NOW, "not signed by the owner"),
        (PAPER, card(CATS_ENGINE, HOSTS), CAT_KEY, NOW, "not signed by the owner"),  # a standby's
        (PAPER, card(ENGINE.signed(BOB.sign), HOSTS), BOB_KEY, NOW, "is not signed by that host"),
        (PAPER, card(replace(ENGINE, room=OTHER_ROOM).signed(ANN.sign), HOSTS), BOB_KEY, NOW, "another room"),
        (PAPER, card(ENGINES, HOSTS, owner=EVE_KEY), BOB_KEY, NOW, "another owner"),
        (PAPER, card(ANNS, HOSTS), BOB_KEY, NOW, "another computer"),
        (HOSTS, card(BOBS, HOSTS), BOB_KEY, NOW, "only together with its owner"),
    ],
)
def test_every_other_host_of_an_engine_is_refused(knows, shown, key, now, reason):
    with pytest.raises(HostKeyChanged, match=reason):
        replace(BEFORE, delegation=knows).accept(shown, key, now)


def test_an_old_record_of_an_engine_is_refused_of_all_but_the_owner():
    """A host that the owner has left behind shows what was true before its room began anew."""
    knows = BEFORE.accept(card(LATER, HOSTS), BOB_KEY, NOW)
    with pytest.raises(HostKeyChanged, match="an older record of the room than the one that you know"):
        knows.accept(card(ENGINES, HOSTS), BOB_KEY, NOW)
    assert knows.accept(card(ENGINES, HOSTS), ANN_KEY, NOW).term == ENGINES


def test_a_host_of_an_engine_renews_papers_over_its_link():
    at_bob = BEFORE.accept(card(ENGINES, HOSTS), BOB_KEY, NOW)
    assert at_bob.renewed(HOSTS, LATER, BOB_KEY, NOW).term == LATER
    for shown, term in ((REMOVED, LATER), (HOSTS, ENGINE.signed(ANN.sign)[:-1]), (HOSTS, BOBS[:-64] + bytes(64))):
        with pytest.raises(ProtocolError):
            at_bob.renewed(shown, term, BOB_KEY, NOW)
    with pytest.raises(ProtocolError, match="another computer"):
        at_bob.renewed(HOSTS, BOBS_ENGINE, BOB_KEY, NOW)


def test_the_owner_and_whom_the_newest_list_names_may_host_the_room():
    assert [BEFORE.names(key) for key in (ANN_KEY, BOB_KEY, CAT_KEY)] == [True, True, False]
    assert [Papers(ROOM, ANN_KEY).names(key) for key in (ANN_KEY, BOB_KEY)] == [True, False]


def test_a_newer_list_is_learned_from_anybody_an_older_one_changes_nothing_and_a_false_one_is_refused():
    newer = replace(NAMED, number=5, standbys=(Standby(2, CAT_KEY, b"cat's PC"),))
    learned = BEFORE.learn(newer.signed(ANN.sign))
    assert [learned.names(key) for key in (BOB_KEY, CAT_KEY)] == [False, True]
    assert learned.term == ANNS, "who hosts is another matter"
    for known in (b"", PAPER, replace(NAMED, number=3).signed(ANN.sign)):
        assert BEFORE.learn(known) is BEFORE
    for false in (newer.signed(EVE.sign), replace(newer, room=OTHER_ROOM).signed(ANN.sign), b"no paper"):
        with pytest.raises(ProtocolError):
            BEFORE.learn(false)


def test_a_list_of_standbys_ends_by_the_owners_clock():
    with pytest.raises(HostKeyChanged, match="expired"):
        BEFORE.accept(card(), BOB_KEY, MADE + VALIDITY)
    slow = replace(BEFORE, ahead=60_000)
    with pytest.raises(HostKeyChanged, match="expired"):
        slow.accept(card(), BOB_KEY, MADE + VALIDITY - 60_000)
    assert BEFORE.accept(card(ANNS), ANN_KEY, MADE + VALIDITY), "the owner needs none"


@pytest.mark.parametrize("wrong", [-10 * VALIDITY, 10 * VALIDITY])
def test_a_member_whose_clock_is_wrong_follows_as_others_do(wrong):
    now = NOW + wrong
    met = first_contact(card(ANNS), ANN_KEY, now)
    assert met.accept(card(), BOB_KEY, now + VALIDITY - 1).term == BOBS
    with pytest.raises(HostKeyChanged, match="expired"):
        met.accept(card(), BOB_KEY, now + VALIDITY)
    again = replace(NAMED, number=5, made=MADE + VALIDITY, until=MADE + 2 * VALIDITY).signed(ANN.sign)
    renewed = met.renewed(again, b"", ANN_KEY, now + VALIDITY)
    assert renewed.accept(card(), BOB_KEY, now + 2 * VALIDITY - 1).term == BOBS
    moved = renewed.accept(card(), BOB_KEY, now + VALIDITY)
    assert moved.ahead == renewed.ahead, "a standby's clock tells nothing of the owner's"


def test_a_member_whose_clock_is_wrong_follows_on_another_day_as_well():
    now = NOW + 10 * VALIDITY
    met = first_contact(card(ANNS), ANN_KEY, now)
    with pytest.raises(HostKeyChanged, match="expired"):
        first_contact(card(), BOB_KEY, now, met.delegation)
    assert first_contact(card(), BOB_KEY, now, met.delegation, met.ahead).term == BOBS


def test_a_standby_that_does_not_host_is_asked_again_later():
    for state in ("hears", "lost"):
        with pytest.raises(Refused, match="keeps a copy") as caught:
            BEFORE.accept(card(ANNS, standby=state), BOB_KEY, NOW)
        assert caught.value.code == "busy"


def test_the_owners_computer_is_no_impostor_while_a_standby_hosts_the_room():
    with pytest.raises(Refused, match="keeps a copy"):
        BEFORE.accept(card(standby="hears"), ANN_KEY, NOW)


def test_an_open_door_to_a_room_with_a_password_is_refused():
    secret = replace(NAMED, number=5, password=True).signed(ANN.sign)
    with pytest.raises(Refused, match="asks for none") as caught:
        BEFORE.accept(card(delegation=secret), BOB_KEY, NOW)
    assert caught.value.code == "no-password"
    assert BEFORE.accept(card(delegation=secret, password=True), BOB_KEY, NOW)


def test_every_refusal_says_what_to_do():
    with pytest.raises(LanchatError) as caught:
        BEFORE.accept(card(EVES), EVE_KEY, NOW)
    assert caught.value.hint
