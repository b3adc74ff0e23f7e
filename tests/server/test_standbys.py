"""A hub whose room can move: ann owns and hosts it, bob's computer keeps a copy. The test plays bob's computer."""

from itertools import count
from typing import Any

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.delegation import OWNER_INDEX, VALIDITY, Standby, TermRecord, read_term
from lanchat.protocol.delegation import Delegation as Named
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.messages import (
    Ack,
    Bye,
    Closing,
    Event,
    FromMember,
    Left,
    Moderate,
    Moved,
    Notice,
    Ping,
    Pong,
    Present,
    Receipt,
    Said,
    Say,
    Tell,
    Told,
)
from lanchat.protocol.places import Place, Rules, read_places, read_rules
from lanchat.protocol.standby import Delegation, Follow, Heartbeat, Offer, Promote, Promoted, Standbys, State, Stored
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq, n_of
from lanchat.protocol.timing import Timing
from lanchat.room.members import Member
from lanchat.room.room import Room
from lanchat.room.succession import TERMS_AN_HOUR
from lanchat.server.hub import Hub
from lanchat.server.items import (
    CloseRoom,
    HandOver,
    JoinRequest,
    LaterTerm,
    LinkEnded,
    LogStored,
    Received,
    Stop,
    YieldTo,
)
from lanchat.server.items import Named as Renamed
from lanchat.server.replication import NOBODY, DiskPosition
from lanchat.server.rules import KeptRules
from lanchat.server.standbys import Standbys as HubStandbys
from lanchat.server.term import Standing, Term
from lanchat.threads import now_ms
from tests.support.hub import SlowLog, TalkativeDoor, heard, new_session, says
from tests.support.rooms import box, copy

ROOM, INSTANCE = "5" * 32, b"computer"
ANN, BOB, CAT = (key_from_seed(bytes([number]) * 32) for number in (1, 2, 3))
ANN_KEY, BOB_KEY, CAT_KEY = (key.public_key().public_bytes_raw() for key in (ANN, BOB, CAT))
FIRST = make_epoch(3, OWNER_INDEX)
TIMING = Timing()
NUMBERS = count(1)


def named(*keys: bytes, number: int = 1, owner: Any = ANN) -> bytes:
    """The list of these standbys, signed."""
    standbys = tuple(Standby(index, key, INSTANCE) for index, key in enumerate(keys, 1))
    return Named(ROOM, number, 0, VALIDITY, standbys=standbys).signed(owner.sign)


class Log(SlowLog):
    """Stores what the test says, and the papers."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, bytes] = {}

    def set_state(self, values: Any) -> None:
        self.kept |= values


class Stage:
    """ann's host, with a clock that the test moves."""

    def __init__(self, term: Term | None = None) -> None:
        self.native, self.log, self.now, self.moved = TalkativeDoor(), Log(), 100.0, 0
        self.noted: list[int] = []  # the terms that have begun since
        term = term or Term(ANN_KEY, named(BOB_KEY), note=self.noted.append)
        self.room = Room(ROOM, "Room A", member_id(ANN_KEY), seq=make_seq(FIRST, 0), owner_id=member_id(ANN_KEY))
        self.standing = Standing(term, ROOM, ANN_KEY, ANN.sign, Timeline(FIRST), 0)
        self.rules = KeptRules(term, {}, None, "Room A", self.log.set_state, lambda bans, locked: None, locked=False)

        self.hub = Hub(self.room, self.log, lambda: int(self.now * 1000), self.rules.change)
        at, clock = DiskPosition(self.room.seq, 0), lambda: self.now
        parts = (self.standing, self.room, self.hub.sessions, at, self.rules, TIMING, clock)
        self.standbys = HubStandbys(*parts, self.yielded)
        self.hub.let_move(self.standbys)
        self.log.start(self.hub.stored)
        self.outcomes: list[str] = []

    def yielded(self) -> None:
        self.moved += 1

    def batch(self, *items: Any) -> None:
        for item in items:
            self.hub.inbox.put_now(item)
        self.hub.inbox.put_now(Stop())
        self.hub.run_batch()

    def go_on(self, *items: Any) -> None:
        """One batch of a hub that does not end with it."""
        for item in items:
            self.hub.inbox.put_now(item)
        self.hub.run_batch()

    def save(self) -> None:
        """Everything is on ann's disk."""
        self.batch(LogStored(len(self.log.records), self.room.seq))

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.batch()

    def come(self, nick: str, key: bytes, standby: int = 1, papers: tuple[bytes, bytes] = (b"", b"")) -> Any:
        session = new_session(self)  # type: ignore[arg-type]
        join = JoinRequest(session, member_id(key), nick, key=key, standby=standby, peer="127.0.0.1", papers=papers)
        self.batch(join)
        return session

    def follow(self, session: Any, instance: bytes = INSTANCE) -> list[Any]:
        """This computer offers itself and begins to copy. Returns what it gets."""
        heard(session)
        self.batch(Received(session, [Offer(5000, instance), Follow()]))
        return heard(session)

    def stored(self, session: Any, *, count: int | None = None) -> None:
        """Everything is on this standby's disk."""
        count = self.standbys.replication.count if count is None else count
        private = max((told.number for told in self.log.private), default=0)
        self.batch(Received(session, [Stored(self.room.seq, private, self.state(session), count)]))

    def state(self, session: Any) -> int:
        return self.rules.rev

    def with_backup(self) -> Any:
        """bob is the sync standby, and has all. Returns ann's session and bob's."""
        ann, bob = self.come("ann", ANN_KEY, standby=0), self.come("bob", BOB_KEY)
        self.save()
        self.follow(bob)
        self.stored(bob)
        self.stored(bob)
        assert self.standbys.replication.sync == 1
        heard(ann), heard(bob)
        return ann, bob

    def hand_over(self, index: int | None = None) -> None:
        self.batch(HandOver(index, self.outcomes.append))


def only(messages: list[Any], kind: Any) -> Any:
    [message] = [message for message in messages if isinstance(message, kind)]
    return message


def bobs_term(stage: Stage, *, key: Any = BOB, index: int = 1, term: int = 4) -> bytes:
    past = ((stage.standing.epoch, 5),) if make_epoch(term, index) > stage.standing.epoch else ()
    timeline = Timeline(make_epoch(term, index), past)
    return TermRecord(ROOM, key.public_key().public_bytes_raw(), 1, 10, timeline).signed(key.sign)


# ---- what members show


def test_a_list_that_a_member_knows_and_the_host_does_not_is_taken_and_passed_on():
    stage = Stage()
    bob, newer = stage.come("bob", BOB_KEY), named(CAT_KEY, number=2)
    heard(bob)
    stage.come("cat", CAT_KEY, papers=(newer, b""))
    assert only(heard(bob), Delegation).paper == newer
    assert stage.standing.delegation == stage.log.kept["delegation"] == newer


@pytest.mark.parametrize(
    "paper",
    [
        pytest.param(named(CAT_KEY, number=1), id="not newer"),
        pytest.param(named(CAT_KEY, number=9, owner=BOB), id="of somebody else"),
        pytest.param(named(CAT_KEY, number=9)[:-1], id="cut"),
        pytest.param(Named("6" * 32, 9, 0, VALIDITY).signed(ANN.sign), id="for another room"),
        pytest.param(b"no paper", id="none"),
    ],
)
def test_a_list_that_is_old_or_false_changes_nothing(paper: bytes):
    stage = Stage()
    bob = stage.come("bob", BOB_KEY)
    heard(bob)
    stage.come("cat", CAT_KEY, papers=(paper, paper))
    assert stage.standing.delegation == named(BOB_KEY)
    assert [message for message in heard(bob) if not isinstance(message, Event)] == []


def test_a_later_term_of_a_standby_or_the_owner_is_heard_of_once():
    stage = Stage()
    stage.come("bob", BOB_KEY, papers=(b"", bobs_term(stage)))
    stage.come("cat", CAT_KEY, papers=(b"", bobs_term(stage)))
    assert stage.standbys.later_term == make_epoch(4, 1) and stage.noted == [5]
    stage.come("dan", ANN_KEY, papers=(b"", bobs_term(stage, key=ANN, index=0, term=6)))
    assert stage.standbys.later_term == make_epoch(6, 0)


def test_a_host_begins_a_term_above_a_later_one_that_has_begun_elsewhere_and_says_so_before_anything_else():
    stage = Stage()
    ann, _ = stage.with_backup()
    stage.batch(says(ann, "in the old term"))
    last = stage.room.seq
    heard(ann)
    stage.come("cat", CAT_KEY, papers=(b"", bobs_term(stage)))
    got, epoch = heard(ann), make_epoch(5, OWNER_INDEX)
    moved = only(got, Moved)
    assert (moved.seq, moved.nick, moved.epoch, moved.reason) == (make_seq(epoch, 1), "ann", epoch, "merge")
    paper = only(got, Delegation).term
    record = read_term(paper)
    assert record.timeline == Timeline(epoch, ((FIRST, n_of(last) + 1),)), "cat's coming is in the old term"
    assert got.index(moved) > got.index(only(got, Delegation))
    assert stage.noted == [5] and stage.log.kept["term"] == stage.standing.paper == paper
    stage.batch(says(ann, "in the new one"))
    assert only(heard(ann), Said).seq == make_seq(epoch, 2)


def test_a_host_whose_disk_refuses_stays_in_its_term_and_tries_again_later():
    refusing = [True]

    def note(term: int) -> None:
        if refusing:
            raise OSError

    stage = Stage(Term(ANN_KEY, named(BOB_KEY), note=note))
    ann = stage.come("ann", ANN_KEY)
    stage.come("bob", BOB_KEY, papers=(b"", bobs_term(stage)))
    assert stage.standing.epoch == FIRST and not any(isinstance(one, Moved) for one in heard(ann))
    refusing.clear()
    stage.later(TIMING.company / 2)
    assert stage.standing.epoch == FIRST
    stage.later(TIMING.company)
    assert stage.standing.epoch == make_epoch(5, OWNER_INDEX)


def test_a_host_begins_no_two_terms_in_ten_seconds():
    stage = Stage()
    stage.come("bob", BOB_KEY, papers=(b"", bobs_term(stage)))
    stage.batch(LaterTerm(make_epoch(8, 1)))
    assert stage.noted == [5]
    stage.later(TIMING.company)
    assert stage.noted == [5, 9]


def test_a_room_is_handed_over_from_the_term_that_its_host_has_begun_meanwhile():
    stage = Stage()
    _, bob = stage.with_backup()
    stage.batch(LaterTerm(make_epoch(8, 1)))
    stage.hand_over()
    stage.save()
    stage.stored(bob)
    assert only(heard(bob), Promote).seq == stage.room.seq == make_seq(make_epoch(9, OWNER_INDEX), 1)
    stage.batch(Received(bob, [Promoted(bobs_term(stage, term=10))]))
    assert stage.outcomes == [""] and stage.moved == 1


def test_no_term_begins_while_the_room_is_handed_over():
    stage = Stage()
    stage.with_backup()
    stage.hand_over()
    stage.batch(LaterTerm(make_epoch(8, 1)))
    assert stage.noted == []


def test_a_standby_that_hosts_begins_no_term_above_the_limit_of_its_owner():
    limited = Named(ROOM, 1, 0, VALIDITY, term_limit=5, standbys=(Standby(1, BOB_KEY, INSTANCE),)).signed(ANN.sign)
    standing = Standing(Term(ANN_KEY, limited, 1), ROOM, BOB_KEY, BOB.sign, Timeline(make_epoch(3, 1)), 0)
    with pytest.raises(LanchatError, match="no terms left"):
        standing.rise(make_epoch(5, 2), 0, 0)
    standing.rise(make_epoch(4, 2), 0, 0)
    assert standing.epoch == make_epoch(5, 1)


@pytest.mark.parametrize(("more", "wasteful"), [(TERMS_AN_HOUR, set()), (TERMS_AN_HOUR + 1, {1})])
def test_who_seems_to_use_up_the_terms_is_noted(more: int, wasteful: set[int]):
    stage = Stage()
    stage.standing.began = now_ms()
    stage.batch(LaterTerm(make_epoch(3 + more, 1)))
    assert stage.standbys.wasteful == wasteful and stage.noted == [4 + more]


def test_without_a_list_only_the_owners_own_later_term_counts():
    stage = Stage(Term(ANN_KEY))
    stage.come("bob", BOB_KEY, papers=(b"", bobs_term(stage)))
    stage.come("cat", CAT_KEY, papers=(b"", bobs_term(stage, index=0)))
    assert stage.standbys.later_term == -1
    stage.come("dan", CAT_KEY, papers=(b"", bobs_term(stage, key=ANN, index=0)))
    assert stage.standbys.later_term == make_epoch(4, 0)


@pytest.mark.parametrize(
    "wrong",
    [{"key": CAT}, {"index": 2}, {"index": 0}, {"term": 2}],
    ids=[
        "nobody has named it",
        "the index of somebody else",
        "the index of the owner",
        "no later one",
    ],
)
def test_a_record_that_proves_nothing_is_not_heard_of(wrong: dict[str, Any]):
    stage = Stage(Term(ANN_KEY, named(BOB_KEY)))
    stage.come("cat", CAT_KEY, papers=(b"", bobs_term(stage, **wrong)))
    assert stage.standbys.later_term == -1


def test_a_record_counts_once_a_list_names_its_host():
    stage = Stage()
    record = bobs_term(stage, key=CAT, index=2)
    stage.come("bob", BOB_KEY, papers=(b"", record))
    assert stage.standbys.later_term == -1
    stage.come("cat", CAT_KEY, papers=(named(BOB_KEY, CAT_KEY, number=2), record))
    assert stage.standbys.later_term == make_epoch(4, 2)


# ---- copies


def test_who_comes_learns_who_may_host_the_room_and_where():
    stage = Stage()
    stage.batch(Renamed(b"", (Place(0, ANN_KEY, "ann", ("10.0.0.1:47474",)),)))
    got = heard(stage.come("cat", CAT_KEY))
    assert only(got, Delegation) == Delegation(named(BOB_KEY), stage.standing.paper)
    assert [place.nick for place in read_places(only(got, Standbys).places)] == ["ann"]
    assert stage.log.kept["delegation"] == named(BOB_KEY)


def test_a_computer_keeps_its_last_page_until_it_has_another_one():
    """Between hosting a room and following its next host it has none, and pages from there are on their way."""
    standing = Standing(Term(ANN_KEY, named(BOB_KEY)), ROOM, ANN_KEY, ANN.sign, Timeline(FIRST), 0)
    hosted = Place(1, BOB_KEY, "bob", ("127.0.0.1:1",), ("127.0.0.1:2",))
    follows = Place(1, BOB_KEY, "bob", ("127.0.0.1:3",))
    assert standing.put([hosted], pages=True) and standing.put([follows], pages=True)
    assert standing.places[1] == follows.with_page(hosted.web)
    assert not standing.put([follows], pages=True)
    assert standing.put([follows]) and standing.places[1] == follows, "the room has no page any more"


def test_a_named_computer_gets_the_rules_first_and_private_messages_from_then_on():
    stage = Stage()
    ann, bob = stage.come("ann", ANN_KEY), stage.come("bob", BOB_KEY)
    got = stage.follow(bob)
    assert read_rules(only(got, State).rules) == Rules(title="Room A") and isinstance(got[0], State)
    assert bob.follows and not ann.follows
    cat = stage.come("cat", CAT_KEY)
    heard(bob)
    stage.batch(Received(ann, [Tell("1", member_id(CAT_KEY), "cat", box(), copy())]))
    told = only(heard(bob), Told)
    assert (told.number, told.box) == (1, box()), "sealed, and with its number"
    assert only(heard(cat), Told).number == 0


def test_a_private_message_of_the_same_moment_is_not_missed():
    stage = Stage()
    ann, bob = stage.come("ann", ANN_KEY), stage.come("bob", BOB_KEY)
    cat = stage.come("cat", CAT_KEY)
    heard(bob), heard(cat)
    tell = Received(ann, [Tell("1", member_id(CAT_KEY), "cat", box(), copy())])
    stage.batch(tell, Received(bob, [Offer(5000, INSTANCE), Follow()]))
    assert only(heard(bob), Told).number == 1


@pytest.mark.parametrize("case", ["another instance", "not named", "no offer", "a paper of its own"])
def test_nobody_else_gets_a_copy(case: str):
    stage = Stage()
    session = stage.come("cat" if case == "not named" else "bob", CAT_KEY if case == "not named" else BOB_KEY)
    heard(session)
    messages: list[FromMember] = [Offer(5000, INSTANCE), Follow()]
    if case == "another instance":
        messages[0] = Offer(5000, b"another ")
    if case == "no offer":
        messages = messages[1:]
    if case == "a paper of its own":
        messages.insert(0, Delegation(named(BOB_KEY, CAT_KEY, number=9, owner=BOB)))
        messages[1] = Offer(5000, b"another ")
    stage.batch(Received(session, messages))
    assert not session.follows and not any(isinstance(message, State) for message in heard(session))


def test_a_standby_that_a_newer_list_leaves_out_follows_no_more():
    stage = Stage()
    _, bob = stage.with_backup()
    stage.batch(Renamed(named(CAT_KEY, number=2), ()))
    assert not bob.follows and only(heard(bob), Delegation).paper == named(CAT_KEY, number=2)
    stage.batch(Renamed(named(BOB_KEY, number=1), ()))
    assert stage.standing.delegation == named(CAT_KEY, number=2), "an older list changes nothing"


def test_a_computer_that_declines_follows_no_more_and_may_come_back():
    stage = Stage()
    ann, bob = stage.with_backup()
    stage.batch(Received(bob, [Offer(0, INSTANCE)]))
    assert not bob.follows
    [volunteer] = [one for one in stage.standbys.followers.volunteers if one.key == BOB_KEY]
    assert volunteer.declined and not volunteer.port and not volunteer.instance
    stage.batch(Received(ann, [Moderate("standbys")]))
    assert only(heard(ann), Notice).text.endswith(": has declined")
    stage.batch(Received(bob, [Offer(5000, INSTANCE), Follow(-1)]))
    assert bob.follows and not any(one.declined for one in stage.standbys.followers.volunteers)


# ---- acks


def test_without_a_standby_an_ack_waits_for_the_hosts_disk_alone():
    stage = Stage()
    ann = stage.come("ann", ANN_KEY)
    stage.batch(says(ann, "hi"))
    assert not any(isinstance(message, Ack) for message in heard(ann))
    stage.save()
    assert only(heard(ann), Ack).seq == stage.room.seq
    assert stage.standbys.pause is None, "and the hub wakes up for nobody"


def test_with_a_standby_an_ack_and_a_receipt_wait_for_both_disks():
    stage = Stage()
    ann, bob = stage.with_backup()
    cat = stage.come("cat", CAT_KEY)
    stage.batch(says(ann, "hi"), Received(ann, [Tell("p", member_id(CAT_KEY), "cat", box(), copy())]))
    stage.save()
    assert not any(isinstance(message, Ack | Receipt) for message in heard(ann))
    stage.stored(bob)
    got = heard(ann)
    assert only(got, Ack).seq == stage.room.seq and only(got, Receipt).id == "p"
    del cat


def test_everybody_hears_of_a_backup_before_the_first_ack_that_means_it_and_of_its_loss():
    stage = Stage()
    ann, bob = stage.come("ann", ANN_KEY), stage.come("bob", BOB_KEY)
    stage.save()
    stage.follow(bob)
    heard(ann)
    stage.stored(bob)
    beat = only(heard(ann), Heartbeat)
    assert (beat.sync, beat.safe) == (1, -1)
    stage.batch(says(ann, "hi"))
    stage.save()
    assert not any(isinstance(message, Ack) for message in heard(ann)), "bob has not stored that he is the backup"
    stage.stored(bob)
    assert any(isinstance(message, Ack) for message in heard(ann))

    stage.batch(says(ann, "still here"))
    said = stage.room.seq
    stage.save()
    stage.batch(LinkEnded(bob))
    heard(ann)
    stage.later(TIMING.sync_wait + 0.1)
    got = heard(ann)
    assert only(got, Heartbeat).sync == NOBODY and only(got, Ack).seq == said
    assert [type(message) for message in got].index(Heartbeat) < [type(message) for message in got].index(Ack)


def test_where_there_is_a_standby_everybody_hears_from_the_host_each_second():
    stage = Stage()
    ann, bob = stage.with_backup()
    for _ in range(2):
        stage.later(TIMING.heartbeat + 0.1)
        for session in (ann, bob):
            assert only(heard(session), Heartbeat).beat == 1000
    stage.later(TIMING.heartbeat / 2)
    assert heard(ann) == []


def test_a_host_whose_standbys_are_gone_promises_nothing_any_more():
    stage = Stage()
    ann, bob = stage.with_backup()
    stage.batch(LinkEnded(bob))
    heard(ann)
    stage.later(TIMING.heartbeat + 0.1)
    assert only(heard(ann), Heartbeat).beat == 0
    stage.later(TIMING.sync_wait)
    assert only(heard(ann), Heartbeat) == Heartbeat(
        stage.room.seq, stage.standbys.safe.seq, NOBODY, stage.standbys.replication.count
    )
    stage.later(60)
    assert heard(ann) == [] and stage.standbys.pause is None


def test_a_ban_goes_into_the_copies():
    stage = Stage()
    ann, bob = stage.with_backup()
    stage.batch(Received(ann, [Moderate("lock")]))
    state = only(heard(bob), State)
    assert read_rules(state.rules).locked and state.rev == 2
    assert stage.log.kept["rules"] == state.rules.encode()


def test_with_so_many_bans_that_no_copy_can_get_them_the_room_stays_here():
    stage = Stage()
    ann, bob = stage.with_backup()
    known = stage.rules.rev
    stage.room.access.bans.update({f"{number:064x}": "eve" for number in range(200)})
    stage.batch(Received(ann, [Moderate("lock")]))
    assert heard(bob) == [], "a longer line would end the link"
    stage.hand_over()
    stage.save()
    stage.batch(Received(bob, [Stored(stage.room.seq, 0, known, stage.standbys.replication.count)]))
    stage.later(TIMING.sync_wait + 0.1)
    assert stage.outcomes == ["That computer has not taken over in time."]
    assert not any(isinstance(message, State | Promote) for message in heard(bob))


# ---- handing over


def test_a_handover_waits_for_the_copy_and_then_tells_everybody_where_the_room_is():
    stage = Stage()
    ann, bob = stage.with_backup()
    stage.batch(says(ann, "last words"), HandOver(None, stage.outcomes.append))
    stage.save()
    assert not any(isinstance(message, Promote) for message in heard(bob)), "the copy lacks the last words"
    stage.stored(bob)
    assert only(heard(bob), Promote) == Promote(stage.room.seq, 0, stage.state(bob))
    last = stage.room.seq
    stage.batch(says(ann, "too late"), Received(ann, [Ping()]))
    assert stage.room.seq == last and not any(isinstance(message, Said | Pong) for message in heard(bob))
    assert only(heard(ann), Ack).seq == last

    stage.batch(Received(bob, [Promoted(bobs_term(stage))]))
    assert stage.outcomes == [""] and stage.moved == 1
    for session in (ann, bob):
        assert only(heard(session), Closing) == Closing("moved", "ann has handed the room to another computer.", 1)
    dan = stage.come("dan", CAT_KEY)
    assert only(heard(dan), Closing).to == 1, "and so hears who is late"
    stage.batch(LinkEnded(ann), says(bob, "again"))
    assert stage.room.seq == last, "nothing is numbered here any more"


def test_a_handover_waits_for_the_hosts_own_disk_and_for_no_answer_before_it_has_asked():
    stage = Stage()
    ann, bob = stage.with_backup()
    stage.batch(says(ann, "last words"), HandOver(None, stage.outcomes.append))
    stage.stored(bob)
    stage.batch(Received(bob, [Promoted(bobs_term(stage))]))
    assert stage.moved == 0 and not any(isinstance(message, Promote) for message in heard(bob))
    stage.save()
    assert any(isinstance(message, Promote) for message in heard(bob))


def test_a_standby_that_answers_and_hangs_up_has_taken_over():
    stage = Stage()
    _, bob = stage.with_backup()
    stage.hand_over()
    stage.batch(Received(bob, [Promoted(bobs_term(stage))]), LinkEnded(bob))
    assert stage.outcomes == [""] and stage.moved == 1


def test_a_host_that_was_frozen_gives_out_no_number_before_it_knows_that_the_room_is_hosted_elsewhere():
    """Else its own person would read lines in an order that the room never had, or that it never took."""
    stage = Stage()
    ann, bob = stage.with_backup()
    cat = stage.come("cat", CAT_KEY)
    heard(ann)
    last, events = stage.room.seq, len(stage.log.events)
    stage.now += TIMING.host_silence + 1
    stage.go_on(says(cat, "before the others went to bob"), says(ann, "typed just now"), LinkEnded(bob), LinkEnded(cat))
    assert 1 not in stage.standbys.followers.indexes, "so the watch asks bob's computer"
    stage.go_on(YieldTo(1))
    stage.now += TIMING.ask
    stage.go_on(Stop())
    assert stage.room.seq == last and len(stage.log.events) == events
    assert not any(isinstance(message, Said | Left) for message in heard(ann))
    assert stage.moved == 1


def test_a_host_that_was_frozen_and_is_still_the_only_one_goes_on_a_moment_later():
    stage = Stage()
    ann, bob = stage.with_backup()
    heard(ann)
    stage.now += TIMING.host_silence + 1
    stage.go_on(says(ann, "typed just now"))
    assert not any(isinstance(message, Said) for message in heard(ann))
    stage.now += TIMING.ask
    stage.go_on(says(bob, "one more"))
    assert [message.text for message in heard(ann) if isinstance(message, Said)] == ["typed just now", "one more"]


def test_a_room_that_closes_while_it_is_handed_over_closes():
    stage = Stage()
    ann, _ = stage.with_backup()
    stage.hand_over()
    heard(ann)
    stage.batch(CloseRoom("ann closed the room."))
    assert stage.outcomes == ["The room closes."] and stage.moved == 0
    assert only(heard(ann), Closing).text == "ann closed the room."


@pytest.mark.parametrize("moves", [True, False])
def test_what_the_person_at_the_standby_says_meanwhile_waits_like_all_else(moves: bool):
    stage = Stage()
    ann, bob = stage.with_backup()
    stage.hand_over()
    assert any(isinstance(message, Promote) for message in heard(bob))
    last = stage.room.seq
    term = bobs_term(stage, term=4 if moves else 2)
    stage.batch(Received(bob, [Say("1", "me first"), Promoted(term), Say("2", "and again")]), says(bob, "at once"))
    assert stage.room.seq == last and stage.moved == moves
    stage.later(TIMING.promotion + 0.1)
    assert [message.text for message in heard(ann) if isinstance(message, Said)] == (
        [] if moves else ["me first", "and again", "at once"]
    )


def test_who_comes_while_the_room_is_handed_over_hears_where_it_is():
    stage = Stage()
    _, bob = stage.with_backup()
    stage.hand_over()
    dan = stage.come("dan", CAT_KEY)
    assert heard(dan) == []
    stage.batch(Received(bob, [Promoted(bobs_term(stage))]))
    assert only(heard(dan), Closing).to == 1
    stage.batch()
    assert heard(dan) == [], "once"


@pytest.mark.parametrize("case", ["nobody", "away", "copying"])
def test_a_room_without_a_complete_copy_stays(case: str):
    stage = Stage()
    ann, bob = stage.come("ann", ANN_KEY), stage.come("bob", BOB_KEY)
    if case == "copying":
        stage.save()
        stage.follow(bob)
    stage.hand_over(None if case == "nobody" else 1)
    assert len(stage.outcomes) == 1 and stage.outcomes[0] and stage.moved == 0
    stage.batch(says(ann, "hi"))
    assert "hi" in [message.text for message in heard(bob) if isinstance(message, Said)]


@pytest.mark.parametrize("case", ["silent", "left", "a lower term", "somebody else's paper", "an unnamed index"])
def test_what_was_said_meanwhile_goes_on_where_the_standby_does_not_take_over(case: str):
    stage = Stage()
    ann, bob = stage.with_backup()
    stage.hand_over()
    stage.save()
    stage.batch(says(ann, "kept"))
    assert not any(isinstance(message, Said) for message in heard(ann))
    match case:
        case "left":
            stage.batch(LinkEnded(bob))
            assert stage.outcomes == ["The link to that computer is lost."], "nobody waits for it"
        case "a lower term":
            stage.batch(Received(bob, [Promoted(bobs_term(stage, term=2))]))
        case "somebody else's paper":
            stage.batch(Received(bob, [Promoted(bobs_term(stage, key=CAT))]))
        case "an unnamed index":
            stage.batch(Received(bob, [Promoted(bobs_term(stage, index=2))]))
    stage.later(TIMING.promotion + 0.1)
    assert stage.outcomes and stage.outcomes[0] and stage.moved == 0
    stage.batch()
    assert "kept" in [message.text for message in heard(ann) if isinstance(message, Said)]


def test_only_the_host_and_the_owner_move_the_room():
    stage = Stage()
    ann, bob = stage.with_backup()
    cat = stage.come("cat", CAT_KEY)
    stage.save()
    stage.stored(bob)
    for session, order in [(cat, "handover"), (bob, "handover"), (cat, "takeback"), (cat, "close"), (bob, "close")]:
        heard(session)
        stage.batch(Received(session, [Moderate(order, "bob")]))
        assert only(heard(session), Notice).code == "rights"
    heard(ann)
    stage.batch(Received(ann, [Moderate("standbys")]))
    assert only(heard(ann), Notice).text == "a computer: complete, can take over"
    stage.batch(Received(ann, [Moderate("handover", "bob")]))
    assert any(isinstance(message, Promote) for message in heard(bob))


def test_a_room_that_cannot_be_handed_to_somebody_says_why():
    stage = Stage()
    ann, _ = stage.with_backup()
    cat = stage.come("cat", CAT_KEY)
    stage.come("dan", b"d" * 32, standby=0)

    def refused(nick: str) -> str:
        heard(ann)
        stage.batch(Received(ann, [Moderate("handover", nick)]))
        text: str = only(heard(ann), Notice).text
        return text

    assert refused("Cat").startswith("Cat is not a standby yet. A computer may become one after a minute")
    assert refused("dan") == "dan is not here, or cannot be a standby."
    assert refused("zed") == "zed is not here, or cannot be a standby."
    stage.batch(Received(cat, [Offer(0, INSTANCE)]))
    assert refused("cat").startswith("cat does not want that computer to be a standby")


# ---- taking over


def test_who_comes_over_makes_no_noise_and_who_does_not_has_left():
    roster = (
        Present(member_id(ANN_KEY), "ann", True, ANN_KEY),
        Present(member_id(BOB_KEY), "bob"),
        Present("id-dan", "dan"),
    )
    stage = Stage(Term(ANN_KEY, named(BOB_KEY), roster=roster))
    for person in roster:
        stage.room.expect(Member(person.id, person.nick, person.host, person.key))
    stage.standbys.expect_roster()
    stage.hub.begin(Moved(0, 5, member_id(ANN_KEY), "ann", FIRST, "bob", "failback"))
    [moved] = stage.log.events
    assert (moved.seq, moved.epoch) == (make_seq(FIRST, 1), FIRST)
    bob, ann = stage.come("bob", BOB_KEY), stage.come("ann", ANN_KEY)
    assert stage.log.events == [moved] and stage.room.people == 3
    stage.later(TIMING.roster - 1)
    assert stage.log.events == [moved]
    stage.later(2)
    assert [(event.nick, event.code) for event in heard(bob) if isinstance(event, Left)] == [("dan", "lost")]
    stage.batch(Received(ann, [Bye()]))
    assert [event.nick for event in heard(bob) if isinstance(event, Left)] == ["ann"]


def test_nobody_has_left_for_not_coming_over_while_the_room_is_handed_on():
    stage = Stage()
    stage.room.expect(Member("id-dan", "dan"))
    stage.standbys.expect_roster()
    _, bob = stage.with_backup()
    stage.later(TIMING.roster - 1)
    stage.hand_over()
    assert any(isinstance(message, Promote) for message in heard(bob))
    last = stage.room.seq
    stage.later(TIMING.promotion - 0.5)
    assert stage.room.seq == last
    stage.later(1)
    stage.batch()
    assert [event.nick for event in heard(bob) if isinstance(event, Left)] == ["dan"], "as the room has stayed"
