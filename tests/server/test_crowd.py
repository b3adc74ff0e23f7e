"""What a host sends of the people in a crowd, and what it stores all the same."""

from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Joined, Left, Moderate, Present, Rename, Renamed, Said, Say, Welcome
from lanchat.protocol.people import Crowd, PeopleEnd
from lanchat.protocol.status import Away, Status
from lanchat.room.room import Room
from lanchat.server.crowd import COUNT_EVERY
from lanchat.server.hub import Hub
from lanchat.server.items import JoinRequest, LinkEnded, Received
from tests.support.hub import HubStage, SlowLog, heard, new_session

FEW = replace(DEFAULT_LIMITS, crowd=3, crowd_over=2)


@pytest.fixture
def stage() -> Any:
    """A hub to whose room three more people make a crowd, with the host in it; the test sets its clock, in ms."""
    stage: Any = HubStage(log=SlowLog())
    stage.now = 1_000_000
    stage.hub = Hub(Room("5" * 32, "Room A", "id-hal", limits=FEW), stage.log, lambda: stage.now)
    return stage


def test_the_one_too_many_is_still_told_of_and_then_everybody_hears_a_number(stage):
    hal, ann, _ = stage.come("hal", "ann", "bob")
    cat = new_session(stage)
    stage.batch(JoinRequest(cat, "id-cat", "cat"))
    assert [type(message) for message in heard(ann)] == [Joined, Crowd]
    assert heard(hal)[-1] == Crowd(4)
    assert [type(message) for message in heard(cat)] == [Welcome, Present, Present, Present, Joined, Crowd]


def test_those_who_come_together_across_the_limit_hear_what_everybody_hears(stage):
    _, ann, _ = stage.come("hal", "ann", "bob")
    cat, dan = new_session(stage), new_session(stage)
    stage.batch(JoinRequest(cat, "id-cat", "cat"), JoinRequest(dan, "id-dan", "dan"))
    for session, before in ((ann, []), (cat, [Welcome, Present, Present, Present])):
        assert [type(message) for message in heard(session)] == [*before, Joined, Crowd]
    last = heard(dan)
    assert [type(message) for message in last] == [Welcome, Present, Joined] and last[0].crowd == 5


def test_in_a_crowd_who_comes_and_goes_is_told_to_nobody_else_but_stored(stage):
    _, ann, bob, _ = stage.come("hal", "ann", "bob", "cat")
    dan = new_session(stage)
    stage.batch(JoinRequest(dan, "id-dan", "dan"))
    told = heard(dan)
    assert [type(message) for message in told] == [Welcome, Present, Joined]
    assert told[0].crowd == 5 and told[2].nick == "dan"
    stage.batch(Received(bob, [Rename("rob")]), LinkEnded(dan))
    assert heard(bob) == [Renamed(6, stage.now, "id-bob", "bob", "rob")]
    assert heard(ann) == []
    assert [type(event) for event in stage.log.events[-3:]] == [Joined, Renamed, Left]


def test_what_is_said_goes_to_everybody_in_a_crowd(stage):
    _, ann, bob, _ = stage.come("hal", "ann", "bob", "cat")
    stage.batch(Received(bob, [Say("1", "hi")]))
    assert [message.text for message in heard(ann) if isinstance(message, Said)] == ["hi"]


def test_everybody_hears_whom_the_host_has_removed(stage):
    hal, ann, *_ = stage.come("hal", "ann", "bob", "cat", "dan")
    stage.batch(Received(hal, [Moderate("kick", "bob")]))
    assert [(message.nick, message.code) for message in heard(ann) if isinstance(message, Left)] == [("bob", "kicked")]


def test_the_count_is_told_at_most_every_five_seconds_and_only_if_it_has_changed(stage):
    _, ann, *_ = stage.come("hal", "ann", "bob", "cat")
    stage.come("dan", "eve")
    assert stage.hub.sessions.pause is not None, "the hub wakes by itself to tell it"
    stage.batch()
    assert heard(ann) == []
    stage.now += COUNT_EVERY
    stage.batch()
    assert heard(ann) == [Crowd(6)]
    assert stage.hub.sessions.pause is None
    stage.now += COUNT_EVERY
    stage.batch()
    assert heard(ann) == []


def test_a_clock_that_was_set_back_stops_no_count(stage):
    _, ann, *_ = stage.come("hal", "ann", "bob", "cat")
    stage.now -= 10 * COUNT_EVERY
    dan = new_session(stage)
    stage.batch(JoinRequest(dan, "id-dan", "dan"))
    assert heard(ann) == [Crowd(5)]


def test_when_the_crowd_is_over_everybody_gets_the_list(stage):
    _, ann, bob, cat, dan = stage.come("hal", "ann", "bob", "cat", "dan")
    for session in (cat, dan):
        stage.batch(LinkEnded(session))
    assert heard(ann) == [], "three are still a crowd"
    stage.come("eve")
    eve_and_bob = [session for session in stage.hub.sessions if session.member.nick in ("eve", "bob")]
    stage.batch(*map(LinkEnded, eve_and_bob))
    assert [type(message) for message in heard(ann)] == [] and len([*stage.hub.sessions]) == 2
    stage.batch(LinkEnded(next(session for session in stage.hub.sessions if session.member.nick == "hal")))
    crowd, *people, end = heard(ann)
    assert (crowd, end) == (Crowd(0), PeopleEnd())
    assert people == [Present("id-ann", "ann")]


def test_after_the_crowd_who_comes_and_goes_is_told_again(stage):
    _, ann, *others = stage.come("hal", "ann", "bob", "cat")
    stage.batch(*map(LinkEnded, others), LinkEnded(next(iter(stage.hub.sessions))))
    heard(ann)
    stage.batch(JoinRequest(new_session(stage), "id-dan", "dan"))
    assert [message.nick for message in heard(ann)] == ["dan"]


def test_who_hears_of_everybody_hears_of_everybody_in_a_crowd_too(stage):
    """IRC clients keep the list of people themselves, and a copy of the room has all of its events."""
    stage.come("hal", "ann", "bob", "cat")
    irc, copy = new_session(stage), new_session(stage)
    irc.sees_all = copy.follows = True
    stage.batch(JoinRequest(irc, "~1", "irc"), JoinRequest(copy, "id-copy", "copy"))
    told = heard(irc)
    assert told[0].crowd == 0 and [type(message) for message in told].count(Present) == 4
    heard(copy)
    stage.batch(JoinRequest(new_session(stage), "id-dan", "dan"))
    assert [message.nick for message in heard(irc)] == ["dan"]
    assert [message.nick for message in heard(copy)] == ["dan"]


def test_in_a_crowd_a_member_alone_hears_that_it_is_away(stage):
    _, ann, bob, _ = stage.come("hal", "ann", "bob", "cat")
    stage.batch(Received(bob, [Away("lunch")]))
    assert heard(bob) == [Status("id-bob", "bob", "lunch")]
    assert heard(ann) == []
