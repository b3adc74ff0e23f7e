from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lanchat.protocol.framing import FROM_HOST, decode, encode
from lanchat.protocol.messages import (
    Bye,
    Hello,
    Joined,
    Left,
    Notice,
    Ping,
    Pong,
    Present,
    Refused,
    Rename,
    Renamed,
    Said,
    Say,
    Welcome,
)
from lanchat.protocol.text import same_nick
from lanchat.room import room as room_module
from lanchat.room.access import Access
from lanchat.room.effects import Admitted, Close, Deliver, DropOldest, Member, Reply
from lanchat.room.room import HISTORY, MAX_LINKS, RESUME_SIZE, Room
from lanchat.room.roster import Roster


def room_with(*nicks: str, **options) -> Any:
    """A room where these came in one after the other, and they. The id of ann is "id-ann", and hal hosts."""
    room = Room("5" * 32, "Room A", "id-hal", **options)
    return room, *(admit(room, nick).member for nick in nicks)


def admit(room: Room, nick: str, id: str = "", after: int = -1, now: int = 0) -> Any:
    admitted = room.admit(id or f"id-{nick}", nick, after, now)
    assert isinstance(admitted, Admitted), admitted
    return admitted


def refused(room: Room, nick: str, id: str = "") -> Refused:
    outcome = room.admit(id or f"id-{nick}", nick, -1, 0)
    assert isinstance(outcome, Refused), outcome
    return outcome


# ---- coming in


def test_the_first_one_in():
    room = Room("5" * 32, "Room A", "id-hal")
    ann = admit(room, "ann", now=1000)
    assert ann.welcome == Welcome("id-ann", "ann", 0, 0, 0)
    assert (ann.present, ann.past) == ((), ())
    assert ann.effects == (Deliver(Joined(1, 1000, "id-ann", "ann")),)
    assert room.people == 1


def test_a_newcomer_is_told_who_is_there():
    room, *_ = room_with("hal", "ann")
    bob = admit(room, "bob")
    assert bob.present == (Present("id-hal", "hal", host=True), Present("id-ann", "ann"))
    assert bob.welcome == Welcome("id-bob", "bob", seq=2, saved=0, people=2)
    assert bob.effects == (Deliver(Joined(3, 0, "id-bob", "bob")),)


def test_who_hosts_is_marked():
    assert admit(Room("5" * 32, "Room A", "id-hal"), "hal").effects == (
        Deliver(Joined(1, 0, "id-hal", "hal", host=True)),
    )


def test_a_nick_is_cleaned_on_the_way_in():
    assert admit(room_with()[0], "  Zoe\u0308 ").member.nick == "Zoë"


def test_a_nick_against_the_rules_is_refused():
    assert refused(room_with()[0], "two words").code == "rules"
    assert refused(room_with()[0], "\ud800").code == "rules"


def test_second_member_with_the_same_nick_is_refused_with_a_proposal():
    room, _ = room_with("ann")
    assert refused(room, "ann", "id-eve") == Refused("nick", "somebody else is ann in this room", "ann2")
    assert refused(room, "ANN", "id-eve").suggestion == "ANN2"
    assert room.people == 1 and room.seq == 1


def test_two_nicks_of_one_person_are_two_members():
    room, ann = room_with("ann")
    script = admit(room, "ann-script", "id-ann")
    assert script.member is not ann and room.people == 2


def test_a_full_room():
    room, ann, bob = room_with("ann", "bob", max_members=2)
    assert refused(room, "eve") == Refused("full", "the room is full (2 people)")
    assert admit(room, "hal").member.host, "its own host always gets in"
    assert admit(room, "ann").member is ann, "and so does somebody who is in already"
    room.leave(bob, "", 0)
    room.leave(admit(room, "hal").member, "", 0)
    assert refused(room, "eve").code == "full"


# ---- ghosts, and several links of one member


def test_the_same_key_comes_back_while_a_ghost_holds_the_nick():
    room, ghost, bob = room_with("ann", "bob")
    back = admit(room, "Ann", "id-ann")
    assert back.member is ghost and back.welcome.nick == "ann"
    assert back.effects == (), "nobody need know"
    assert back.present == (Present("id-ann", "ann"), Present("id-bob", "bob"))
    assert room.leave(ghost, "dead", 0) == [], "the ghost's end is no leaving"
    assert room.leave(ghost, "bye", 7) == [Deliver(Left(3, 7, "id-ann", "ann", "bye"))]


def test_of_too_many_links_of_one_member_the_oldest_makes_room():
    """Four ghosts of a flaky member never keep that member out."""
    room, ann = room_with("ann")
    for _ in range(MAX_LINKS - 1):
        assert admit(room, "ann").effects == ()
    assert admit(room, "ann").effects == (DropOldest(ann),)
    assert room.leave(ann, "replaced", 0) == [], "nobody else need know"
    assert ann.links == MAX_LINKS


# ---- talking


def test_what_is_said_reaches_everyone_in_order():
    room, ann, bob = room_with("ann", "bob")
    assert room.handle(ann, Say("1", "hi"), 5) == [Deliver(Said(3, 5, "id-ann", "ann", "1", "hi"))]
    assert room.handle(bob, Say("1", "waves", action=True), 6) == [
        Deliver(Said(4, 6, "id-bob", "bob", "1", "waves", action=True))
    ]


def test_a_resend_is_recognised():
    room, ann, bob = room_with("ann", "bob")
    [first] = room.handle(ann, Say("x", "hi"), 5)
    assert room.handle(ann, Say("x", "hi"), 9) == [Reply(first.event)]
    assert room.seq == 3
    assert room.handle(bob, Say("x", "hi"), 9) == [Deliver(Said(4, 9, "id-bob", "bob", "x", "hi"))], "ids are one's own"


def test_a_resend_is_recognised_after_coming_back():
    room, ann = room_with("ann")
    [first] = room.handle(ann, Say("x", "hi"), 0)
    room.leave(ann, "", 0)
    assert room.handle(admit(room, "ann").member, Say("x", "hi"), 0) == [Reply(first.event)]


def test_resends_are_remembered_for_a_while_only(monkeypatch):
    monkeypatch.setattr(room_module, "RECENT", 10)
    room, ann = room_with("ann")
    for number in range(11):
        room.handle(ann, Say(str(number), "hi"), 0)
    assert isinstance(room.handle(ann, Say("1", "hi"), 0)[0], Reply)
    assert isinstance(room.handle(ann, Say("0", "hi"), 0)[0], Deliver)


def test_text_is_cleaned_and_bad_text_is_told_to_its_author_alone():
    room, ann = room_with("ann")
    assert room.handle(ann, Say("1", "a\r\nb\n"), 0)[0].event.text == "a\nb"
    assert room.handle(ann, Say("2", "  "), 0) == [Reply(Notice("rules", "a message cannot be empty"))]
    assert room.handle(ann, Say("3", "é" * 4000), 0)[0].message.code == "rules"
    assert room.seq == 2


def test_small_talk():
    room, ann = room_with("ann")
    assert room.handle(ann, Ping(), 0) == [Reply(Pong())]
    assert room.handle(ann, Pong(), 0) == []
    assert room.handle(ann, Bye(), 0) == [Close()]
    again = Hello(1, "ann", b"k" * 32, b"n" * 32, b"")
    assert room.handle(ann, again, 0) == [Reply(Notice("rules", "you are in the room already"))]


# ---- names


def test_another_nick():
    room, ann, bob = room_with("ann", "bob")
    assert room.handle(ann, Rename("anna"), 5) == [Deliver(Renamed(3, 5, "id-ann", "ann", "anna"))]
    assert room.handle(ann, Say("1", "hi"), 6)[0].event.nick == "anna"
    assert room.leave(ann, "", 7) == [Deliver(Left(5, 7, "id-ann", "anna"))]


def test_a_taken_nick_is_refused_with_a_proposal():
    room, ann, bob = room_with("ann", "bob")
    [told] = room.handle(ann, Rename("BOB"), 0)
    assert told.message.code == "nick" and told.message.text.endswith("; BOB2 is free")
    assert room.handle(ann, Rename("no nick"), 0)[0].message.code == "rules"
    assert (ann.nick, room.seq) == ("ann", 2)


def test_ones_own_nick_in_other_letters():
    room, ann = room_with("ann")
    assert room.handle(ann, Rename("ann"), 0) == []
    assert room.handle(ann, Rename("Ann"), 0) == [Deliver(Renamed(2, 0, "id-ann", "ann", "Ann"))]
    assert refused(room, "ann", "id-eve").code == "nick"


def test_somebody_who_holds_every_proposal_breaks_nothing():
    room, _ = room_with("1" * 32)
    for number in range(100):
        proposal = refused(room, "1" * 32, f"id-{number}").suggestion
        admit(room, proposal, f"id-{number}")


# ---- the past


def test_a_newcomer_sees_the_last_lines():
    room, ann = room_with("ann")
    for number in range(HISTORY + 20):
        room.handle(ann, Say(str(number), f"line {number}"), 0)
        admitted = admit(room, "eve")
        room.leave(admitted.member, "", 0)
    past = admit(room, "bob").past
    assert [event.text for event in past] == [f"line {number}" for number in range(20, HISTORY + 20)], (
        "no joins, no leaves"
    )


def test_who_comes_back_gets_all_they_missed():
    room, ann, bob = room_with("ann", "bob")
    seen = room.seq
    room.leave(bob, "", 0)
    [said] = room.handle(ann, Say("1", "missed"), 0)
    back = admit(room, "bob", after=seen)
    assert back.past == (Left(3, 0, "id-bob", "bob"), said.event)
    assert back.welcome.seq == 4 and back.effects[0].event.seq == 5
    assert admit(room, "eve", after=room.seq).past == ()
    assert admit(room, "fay", after=10**9).past == ()


def test_a_room_goes_on_where_it_was():
    room, ann = room_with("ann")
    past = tuple(room.handle(ann, Say(str(number), "x"), 0)[0].event for number in range(3))
    again = Room("5" * 32, "Room A", "id-hal", past=past)
    assert again.seq == 4 and again.people == 0
    assert admit(again, "bob").past == past
    assert admit(again, "ann").effects[0].event.seq == 6
    assert isinstance(again.handle(admit(again, "ann").member, Say("1", "x"), 0)[0], Reply)


# ---- whatever people do: the room against a model of it


NICKS = st.sampled_from(["ann", "Ann", "bob", "eve", "no good", "ann2", ""])
KEYS = st.sampled_from(["id-hal", "id-1", "id-2", "id-3"])


def test_who_comes_back_to_long_lines_gets_the_last_of_them_and_asks_for_the_rest():
    room, hal, _ = room_with("hal", "ann")
    for number in range(100):
        room.handle(hal, Say(str(number), "x" * 4000), 0)
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


class AnyEvening(RuleBasedStateMachine):
    """Links come, talk, rename and go. The model: a list of links, and what every one of them must have heard."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Room("5" * 32, "Room A", "id-hal", max_members=3)
        self.links: list[Member] = []
        self.log: list = []
        self.views: list[Roster] = []  # one for each link, fed as a member's own is
        self.said: set[tuple[str, str]] = set()

    def happen(self, effects) -> None:
        for effect in effects:
            if isinstance(effect, Deliver):
                assert decode(encode(effect.event), FROM_HOST) == effect.event, "what we say, members understand"
                self.log.append(effect.event)
                for view in self.views:
                    view.apply(effect.event)
            if isinstance(effect, DropOldest):
                index = self.links.index(effect.member)
                self.views.pop(index)
                self.happen(self.room.leave(self.links.pop(index), "replaced", 0))

    @rule(id=KEYS, nick=NICKS, data=st.data())
    def come(self, id: str, nick: str, data) -> None:
        after = data.draw(st.integers(-1, len(self.log)))
        before = self.room.seq
        outcome = self.room.admit(id, nick, after, 0)
        if isinstance(outcome, Refused):
            assert self.room.seq == before
            return
        assert outcome.welcome.people == len(outcome.present) and outcome.welcome.seq == before
        lines = [event for event in self.log if isinstance(event, Said)][-HISTORY:]
        assert list(outcome.past) == (lines if after < 0 else self.log[after:])
        view = Roster()
        view.welcome(outcome.welcome, outcome.present)
        for event in outcome.past:
            view.apply(event)
        self.links.append(outcome.member)
        self.views.append(view)
        self.happen(outcome.effects)

    @precondition(lambda self: self.links)
    @rule(data=st.data(), id=st.sampled_from(["1", "2", "3"]))
    def say(self, data, id: str) -> None:
        member = data.draw(st.sampled_from(self.links))
        [effect] = self.room.handle(member, Say(id, "hi"), 0)
        assert isinstance(effect, Reply if (member.id, id) in self.said else Deliver)
        self.said.add((member.id, id))
        self.happen([effect])

    @precondition(lambda self: self.links)
    @rule(data=st.data(), nick=NICKS)
    def rename(self, data, nick: str) -> None:
        self.happen(self.room.handle(data.draw(st.sampled_from(self.links)), Rename(nick), 0))

    @precondition(lambda self: self.links)
    @rule(data=st.data(), reason=st.sampled_from(["", "gone", "x" * 500]))
    def go(self, data, reason: str) -> None:
        index = data.draw(st.integers(0, len(self.links) - 1))
        self.views.pop(index)
        self.happen(self.room.leave(self.links.pop(index), reason, 0))

    @invariant()
    def events_are_numbered_without_a_gap(self) -> None:
        assert [event.seq for event in self.log] == list(range(1, len(self.log) + 1))
        assert self.room.seq == len(self.log)

    @invariant()
    def no_two_people_look_alike(self) -> None:
        nicks = [same_nick(member.nick) for member in self.room.members]
        assert len(set(nicks)) == len(nicks)

    @invariant()
    def who_is_there_has_a_link(self) -> None:
        assert set(self.room.members) == set(self.links)
        assert self.room.people <= 4, "three, and the host"
        for member in self.room.members:
            assert member.links == self.links.count(member) <= MAX_LINKS
            assert member.host == (member.id == "id-hal")

    @invariant()
    def everybody_knows_who_is_there(self) -> None:
        there = {(member.id, member.nick, member.host) for member in self.room.members}
        for view, member in zip(self.views, self.links, strict=True):
            assert {(person.id, person.nick, person.host) for person in view.people.values()} == there
            assert (view.me, view.nick) == (member.id, member.nick)


TestAnyEvening = AnyEvening.TestCase
TestAnyEvening.settings = settings(max_examples=60, stateful_step_count=30)
