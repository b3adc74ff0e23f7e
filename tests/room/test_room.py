from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lanchat.protocol.confusables import skeletons
from lanchat.protocol.framing import FROM_HOST, decode, encode
from lanchat.protocol.limits import Limits
from lanchat.protocol.messages import (
    Bye,
    Joined,
    Left,
    Moderate,
    Notice,
    Present,
    Receipt,
    Refused,
    Rename,
    Renamed,
    Said,
    Say,
    Tell,
    Welcome,
)
from lanchat.protocol.people import Owner, Who
from lanchat.room import recent as recent_module
from lanchat.room.access import Access
from lanchat.room.effects import Close, Repeated, Reply
from lanchat.room.members import Member
from lanchat.room.recent import HISTORY, RESUME_SIZE
from lanchat.room.roster import Roster
from tests.support.rooms import LiveRoom, admit, refused, room_with

# ---- coming in


def test_the_first_member_joins():
    room = LiveRoom("5" * 32, "Room A", "id-hal")
    ann = admit(room, "ann", now=1000)
    assert ann.welcome == Welcome("id-ann", "ann", 0, 0, 0)
    assert (ann.present, ann.past) == ((), ())
    assert ann.joined == Joined(1, 1000, "id-ann", "ann")
    assert room.people == 1


def test_a_newcomer_gets_the_list_of_people():
    room, *_ = room_with("hal", "ann")
    bob = admit(room, "bob")
    assert bob.present == (Present("id-hal", "hal", host=True), Present("id-ann", "ann"))
    assert bob.welcome == Welcome("id-bob", "bob", seq=2, stored=2, people=2)
    assert bob.joined == Joined(3, 0, "id-bob", "bob")


def test_the_host_is_marked():
    assert admit(LiveRoom("5" * 32, "Room A", "id-hal"), "hal").joined == Joined(1, 0, "id-hal", "hal", host=True)


def test_a_nick_is_normalized_on_joining():
    assert admit(room_with()[0], "  Zoe\u0308 ").member.nick == "Zoë"


def test_a_nick_against_the_rules_is_refused():
    assert refused(room_with()[0], "two words").code == "rules"
    assert refused(room_with()[0], "\ud800").code == "rules"


def test_second_member_with_the_same_nick_is_refused_with_a_proposal():
    room, _ = room_with("ann")
    assert refused(room, "ann", "id-eve") == Refused("nick", "The nick ann is taken here.", "ann2")
    assert refused(room, "ANN", "id-eve").suggestion == "ANN2"
    assert room.people == 1 and room.seq == 1


def test_two_nicks_of_one_person_are_two_members():
    room, ann = room_with("ann")
    script = admit(room, "ann-script", "id-ann")
    assert script.member is not ann and room.people == 2


def test_a_full_room():
    room, ann, bob = room_with("ann", "bob", limits=Limits(members=2))
    assert refused(room, "eve") == Refused("full", "The room is full (2 people).")
    assert admit(room, "hal").member.host, "its own host always gets in"
    assert admit(room, "ann").member is ann, "and so does somebody who is in already"
    room.go(bob, 0)
    room.go(admit(room, "hal").member, 0)
    assert refused(room, "eve").code == "full"


def test_the_nick_of_the_host_is_the_one_it_has_now():
    room, hal = room_with("hal")
    room.come("hal2", "id-hal")
    assert room.host_nick == "hal"
    room.act(hal, Rename("harry"), 0)
    assert room.host_nick == "harry"
    again = LiveRoom("5" * 32, "Room A", "id-hal", past=[Joined(1, 0, "id-hal", "harry", host=True)])
    assert again.host_nick == ""


def test_a_member_who_owns_every_suggested_nick_breaks_nothing():
    room, _ = room_with("1" * 32)
    for number in range(100):
        proposal = refused(room, "1" * 32, f"id-{number}").suggestion
        admit(room, proposal, f"id-{number}")


# ---- ghosts, and several links of one member


def test_a_member_can_rejoin_while_a_dead_session_holds_the_nick():
    room, ghost, bob = room_with("ann", "bob")
    back = admit(room, "Ann", "id-ann")
    assert back.member is ghost and back.welcome.nick == "ann"
    assert back.joined is None, "nobody need know"
    assert back.present == (Present("id-ann", "ann"), Present("id-bob", "bob"))
    assert room.go(ghost, 0, reason="dead") is None, "the ghost's end is no leaving"
    assert room.go(ghost, 7, code="lost", reason="bye") == Left(3, 7, "id-ann", "ann", "lost", "bye")


# ---- talking


def test_what_is_said_reaches_everyone_in_order():
    room, ann, bob = room_with("ann", "bob")
    assert room.act(ann, Say("1", "hi"), 5) == [Said(3, 5, "id-ann", "ann", "1", "hi")]
    assert room.act(bob, Say("1", "waves", action=True), 6) == [Said(4, 6, "id-bob", "bob", "1", "waves", action=True)]


def test_a_resend_is_recognised():
    room, ann, bob = room_with("ann", "bob")
    [first] = room.act(ann, Say("x", "hi"), 5)
    assert room.act(ann, Say("x", "hi"), 9) == [Repeated(first)]
    assert room.seq == 3
    assert room.act(bob, Say("x", "hi"), 9) == [Said(4, 9, "id-bob", "bob", "x", "hi")], "ids are one's own"


def test_a_run_of_messages_ends_with_the_first_that_is_none_and_goes_on_after_it():
    room, ann = room_with("ann")
    says = iter([Say("x", "one"), Say("y", "two"), Say("x", "one"), Say("z", ""), Say("z", "three")])
    said, repeated = room.hear(ann, says, 9)
    assert said == [Said(2, 9, "id-ann", "ann", "x", "one"), Said(3, 9, "id-ann", "ann", "y", "two")]
    assert repeated == Repeated(said[0]), "it is known already, though it was said in the same run"
    nothing, refused = room.hear(ann, says, 9)
    assert nothing == [] and isinstance(refused, Reply)
    assert room.hear(ann, says, 9) == ([Said(4, 9, "id-ann", "ann", "z", "three")], None)
    assert room.seq == 4 and room.say(ann, Say("z", "three"), 9) == Repeated(Said(4, 9, "id-ann", "ann", "z", "three"))


def test_a_resend_is_recognised_after_a_reconnect():
    room, ann = room_with("ann")
    [first] = room.act(ann, Say("x", "hi"), 0)
    room.go(ann, 0)
    assert room.act(admit(room, "ann").member, Say("x", "hi"), 0) == [Repeated(first)]


def test_the_number_of_remembered_messages_is_limited(monkeypatch):
    monkeypatch.setattr(recent_module, "RECENT", 10)
    room, ann = room_with("ann")
    for number in range(11):
        room.act(ann, Say(str(number), "hi"), 0)
    assert isinstance(room.act(ann, Say("1", "hi"), 0)[0], Repeated)
    assert isinstance(room.act(ann, Say("0", "hi"), 0)[0], Said)


def test_text_is_cleaned_and_bad_text_is_told_to_its_author_alone():
    room, ann = room_with("ann")
    assert room.act(ann, Say("1", "a\r\nb\n"), 0)[0].text == "a\nb"
    assert room.act(ann, Say("2", "  "), 0) == [Reply(Notice("rules", "A message cannot be empty."))]
    for text in ("é" * 4000, "x" * 16_000, "\x01" * 700):
        assert room.act(ann, Say("3", text), 0)[0].message.code == "rules"
    assert "a control character counts as 6" in room.act(ann, Say("4", "\x01" * 700), 0)[0].message.text
    assert room.seq == 2


def test_a_member_that_says_goodbye_is_closed():
    room, ann = room_with("ann")
    assert room.act(ann, Bye()) == [Close()]


def test_messages_are_refused_while_the_log_takes_nothing():
    room, ann = room_with("ann")
    [first] = room.act(ann, Say("1", "hi"))
    room.unavailable = "the disk is full"
    assert room.act(ann, Say("2", "hi")) == [
        Reply(Notice("unsent", "Not sent: the disk is full on the host's computer. Try again later."))
    ]
    assert room.act(ann, Tell("3", "id-bob", "bob", b"box", b"copy")) == [
        Reply(Receipt("3", "refused", "Not sent: the disk is full on the host's computer. Try again later."))
    ]
    assert room.act(ann, Say("1", "hi")) == [Repeated(first)], "what is said already is known"
    room.unavailable = ""
    assert room.act(ann, Say("2", "hi")) == [Said(3, 0, "id-ann", "ann", "2", "hi")]


def test_a_nick_is_found_by_what_looks_like_it():
    """The host types what stands on the screen; the nick there has a Greek capital."""
    room, hal = room_with("hal")
    eve = admit(room, "\u039dina", key=b"key of eve").member
    [kick] = room.act(hal, Moderate("kick", "Nina"))
    assert kick.member is eve
    assert room.act(hal, Who("1", "", "nina")) == [Reply(Owner("1", eve.id, eve.nick, b"key of eve"))]
    assert room.act(hal, Moderate("kick", "vina")) == [kick], "a small nu looks like a v"


def test_a_copy_that_applies_the_events_has_the_same_people_and_nicks():
    room, ann, bob = room_with("ann", "bob")
    copy = LiveRoom("5" * 32, "Room A", "id-hal")
    for event in [
        *(Joined(1, 0, "id-ann", "ann"), Joined(2, 0, "id-bob", "bob")),
        *room.act(ann, Rename("anna")),
        room.go(bob),
        *room.act(ann, Say("1", "hi")),
    ]:
        copy.apply(event)
    assert [(member.id, member.nick) for member in copy.members] == [("id-ann", "anna")]
    assert copy.seq == room.seq == 5
    assert refused(copy, "bob", "id-eve").code == "nick", "and who owns which nick"
    assert copy.act(copy.member("id-ann", "anna"), Say("1", "hi")) == [
        Repeated(Said(5, 0, "id-ann", "anna", "1", "hi"))
    ]


# ---- the past


def test_a_newcomer_sees_the_last_lines():
    room, ann = room_with("ann")
    for number in range(HISTORY + 20):
        room.act(ann, Say(str(number), f"line {number}"), 0)
        admitted = admit(room, "eve")
        room.go(admitted.member, 0)
    past = admit(room, "bob").past
    assert [event.text for event in past if isinstance(event, Said)] == [
        f"line {number}" for number in range(20, HISTORY + 20)
    ], "no joins, no leaves"


def test_a_returning_member_gets_all_missed_events():
    room, ann, bob = room_with("ann", "bob")
    seen = room.seq
    room.go(bob, 0)
    [said] = room.act(ann, Say("1", "missed"), 0)
    back = admit(room, "bob", after=seen)
    assert back.past == (Left(3, 0, "id-bob", "bob"), said)
    assert back.welcome.seq == 4 and back.joined and back.joined.seq == 5
    assert admit(room, "eve", after=room.seq).past == ()
    assert admit(room, "fay", after=10**9).past == ()


def test_a_room_continues_after_a_restart():
    room, ann = room_with("ann")
    past = tuple(room.act(ann, Say(str(number), "x"), 0)[0] for number in range(3))
    again = LiveRoom("5" * 32, "Room A", "id-hal", past=past)
    assert again.seq == 4 and again.people == 0
    assert admit(again, "bob").past == past
    assert admit(again, "ann").joined == Joined(6, 0, "id-ann", "ann")
    assert isinstance(again.act(admit(again, "ann").member, Say("1", "x"), 0)[0], Repeated)


# ---- whatever people do: the room against a model of it


NICKS = st.sampled_from(["ann", "Ann", "bob", "\u0412ob", "eve", "no good", "ann2", "", "nick", "\u039dick", "vick"])
KEYS = st.sampled_from(["id-hal", "id-1", "id-2", "id-3"])


def test_a_returning_member_gets_the_last_long_messages_and_can_fetch_the_others():
    room, hal, _ = room_with("hal", "ann")
    for number in range(100):
        room.act(hal, Say(str(number), "x" * 4000), 0)
    last = room.seq
    outcome = admit(room, "bob", after=3)
    size = sum(len(event.text) for event in outcome.past if isinstance(event, Said))
    assert size <= RESUME_SIZE and outcome.past[-1].seq == last
    assert outcome.welcome.since == outcome.past[0].seq - 1
    newcomer = admit(room, "cyd")
    assert newcomer.welcome.since == 0
    assert sum(len(event.text) for event in newcomer.past if isinstance(event, Said)) <= RESUME_SIZE


def test_a_list_of_many_banned_stays_short():
    access = Access(bans={f"id-{number}": f"nick{number}" for number in range(130)})
    assert access.banned().endswith("nick129 and 110 more") and Access().banned() == "nobody"


class AnySequence(RuleBasedStateMachine):
    """Sessions join, talk, rename and leave. The model is a list of sessions, and the events that each must have."""

    def __init__(self) -> None:
        super().__init__()
        self.room = LiveRoom("5" * 32, "Room A", "id-hal", limits=Limits(members=3))
        self.sessions: list[Member] = []
        self.log: list = []
        self.rosters: list[Roster] = []  # one for each session, fed as a member's own is
        self.said: set[tuple[str, str]] = set()

    def hear(self, *events) -> None:
        for event in events:
            assert decode(encode(event), FROM_HOST) == event, "what we say, members understand"
            self.log.append(event)
            for roster in self.rosters:
                roster.apply(event)

    @rule(id=KEYS, nick=NICKS, data=st.data())
    def come(self, id: str, nick: str, data) -> None:
        after = data.draw(st.integers(-1, len(self.log)))
        before = self.room.seq
        entry = self.room.come(nick, id, after)
        if isinstance(entry, Refused):
            assert self.room.seq == before
            return
        assert entry.welcome.people == len(entry.present) and entry.welcome.seq == before
        lines = [event for event in self.log if isinstance(event, Said)][-HISTORY:]
        assert list(entry.past) == (lines if after < 0 else self.log[after:])
        roster = Roster()
        roster.welcome(entry.welcome, entry.present)
        for event in entry.past:
            roster.apply(event)
        self.sessions.append(entry.member)
        self.rosters.append(roster)
        if entry.joined:
            self.hear(entry.joined)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), id=st.sampled_from(["1", "2", "3"]))
    def say(self, data, id: str) -> None:
        member = data.draw(st.sampled_from(self.sessions))
        [decision] = self.room.act(member, Say(id, "hi"))
        if (member.id, id) in self.said:
            assert isinstance(decision, Repeated)
        else:
            self.hear(decision)
        self.said.add((member.id, id))

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), nick=NICKS)
    def rename(self, data, nick: str) -> None:
        decisions = self.room.act(data.draw(st.sampled_from(self.sessions)), Rename(nick))
        self.hear(*(decision for decision in decisions if isinstance(decision, Renamed)))

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), reason=st.sampled_from(["", "gone", "x" * 500]))
    def go(self, data, reason: str) -> None:
        index = data.draw(st.integers(0, len(self.sessions) - 1))
        self.rosters.pop(index)
        left = self.room.go(self.sessions.pop(index), code="lost", reason=reason)
        if left:
            self.hear(left)

    @invariant()
    def events_are_numbered_without_a_gap(self) -> None:
        assert [event.seq for event in self.log] == list(range(1, len(self.log) + 1))
        assert self.room.seq == len(self.log)

    @invariant()
    def no_two_people_look_alike(self) -> None:
        looks = [look for member in self.room.members for look in skeletons(member.nick)]
        assert len(set(looks)) == len(looks)

    @invariant()
    def everybody_in_the_room_has_a_session(self) -> None:
        assert set(self.room.members) == set(self.sessions)
        assert len([member for member in self.room.members if not member.host]) <= 3, "the host is never kept out"
        for member in self.room.members:
            assert member.sessions == self.sessions.count(member)
            assert member.host == (member.id == "id-hal")

    @invariant()
    def everybody_knows_who_is_there(self) -> None:
        there = {(member.id, member.nick, member.host) for member in self.room.members}
        for roster, member in zip(self.rosters, self.sessions, strict=True):
            assert {(person.id, person.nick, person.host) for person in roster.people.values()} == there
            assert (roster.me, roster.nick) == (member.id, member.nick)

    @invariant()
    def the_log_alone_makes_the_same_room(self) -> None:
        copy = LiveRoom("5" * 32, "Room A", "id-hal")
        for event in self.log:
            copy.apply(event)
        assert [(m.id, m.nick) for m in copy.members] == [(m.id, m.nick) for m in self.room.members]
        assert copy.seq == self.room.seq


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(stateful_step_count=30)
