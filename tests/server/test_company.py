"""Whether a host has company, by which one of two hosts yields."""

import pytest

from lanchat.network.keepalive import Keepalive
from lanchat.protocol.timing import Timing
from lanchat.room.members import Member
from lanchat.server.company import Company
from lanchat.server.items import Item, JoinRequest, LinkEnded, LogStored, Received, Stop
from lanchat.server.session import Session
from tests.support.hub import RecordingLink, TalkativeDoor

TIMING = Timing(company=10.0, host_silence=3.0)


class Stage:
    def __init__(self) -> None:
        self.now = 100.0
        self.company = Company(TIMING, lambda: self.now)

    def newcomer(self) -> Session:
        return Session(RecordingLink(), TalkativeDoor())

    def come(self, nick: str, *, host: bool = False) -> Session:
        session = self.newcomer()
        session.member = Member(f"id-{nick}", nick, host)
        self.company.came(session)
        return session

    def go(self, session: Session, heard_at: float) -> None:
        link = session.link
        assert isinstance(link, RecordingLink)
        link.keepalive = Keepalive(TIMING, heard_at)
        self.company.gone(session)

    def admit(self, *items: Item, others_host: bool = False) -> list[Item]:
        return [*self.company.admit(items, self.company.gone, others_host=others_host)]

    def later(self, seconds: float) -> None:
        """The hub has looked four times a second meanwhile."""
        until = self.now + seconds
        while self.now < until:
            self.now += 0.25
            self.company.look(self.now)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_hosts_own_person_is_no_company(stage):
    stage.come("ann", host=True)
    assert not stage.company


def test_somebody_else_is_and_for_ten_seconds_after_they_were_heard_last(stage):
    bob = stage.come("bob")
    stage.later(60)
    assert stage.company
    stage.go(bob, heard_at=stage.now - 4)
    assert stage.company
    stage.later(6.25)
    assert not stage.company


@pytest.mark.parametrize("seconds", [4, 20])
def test_a_machine_that_has_slept_counts_nobody_whose_link_has_ended_meanwhile(stage, seconds):
    """What is read after waking was sent before the others went to another host, and must not draw them back."""
    bob = stage.come("bob")
    stage.later(1)
    stage.now += seconds
    assert not stage.company, "before anything else is known"
    stage.go(bob, heard_at=stage.now)
    assert not stage.company
    stage.come("cat")
    stage.later(TIMING.ask)
    assert stage.company, "who comes from then on counts"


def test_a_closed_lid_is_noticed_although_the_clock_of_the_links_stands_still_meanwhile():
    now, up = [100.0], [5.0]
    company = Company(TIMING, lambda: now[0], lambda: up[0])
    bob = Session(RecordingLink(), TalkativeDoor(), member=Member("id-bob", "bob", False))
    company.came(bob)
    company.look(now[0])
    assert company
    up[0] += 600
    assert not company
    company.look(now[0])
    assert company.is_waking and not company
    now[0] += TIMING.ask
    assert company and not company.is_waking


def test_a_machine_that_has_slept_counts_who_is_still_there_a_moment_later(stage):
    bob, cat = stage.come("bob"), stage.come("cat")
    stage.later(1)
    stage.now += 4
    stage.company.look(stage.now)
    stage.go(bob, heard_at=stage.now)
    stage.later(TIMING.ask)
    assert stage.company
    stage.later(60)
    stage.go(cat, heard_at=stage.now)
    assert stage.company, "cat was here just now"


def test_just_after_it_has_slept_a_host_lets_nobody_in_and_then_all_who_have_come(stage):
    """Who comes in that moment has dialled the last address of the room, which has gone on elsewhere."""
    bob, cat, dan = stage.come("bob"), stage.newcomer(), stage.newcomer()
    stage.later(1)
    stage.now += 4
    said, gone = Received(bob, []), LinkEnded(dan)
    come = [JoinRequest(cat, "id-cat", "cat"), JoinRequest(dan, "id-dan", "dan")]
    assert stage.admit(come[0], said, come[1]) == [said], "who is here goes on"
    assert stage.admit(gone) == [] and stage.company.pause == TIMING.follow_sweep
    stage.later(TIMING.ask)
    assert stage.admit(said) == [*come, gone, said]
    assert stage.admit(said) == [said]


def test_where_another_computer_may_host_by_now_nothing_that_was_read_is_handled_and_who_has_gone_is_known(stage):
    """Else the host's own person would read lines in an order that the room never had."""
    bob, cat = stage.come("bob"), stage.come("cat")
    stage.later(1)
    stage.now += 4
    said, gone, stored = Received(bob, []), LinkEnded(bob), LogStored(1, 5)
    assert stage.admit(said, stored, gone, Received(cat, []), others_host=True) == [stored]
    assert stage.company.is_waking and stage.company.pause == TIMING.follow_sweep
    stage.later(TIMING.ask)
    assert not stage.company.is_waking
    assert stage.admit(others_host=True) == [said, gone, Received(cat, [])]
    stage.go(cat, heard_at=stage.now)
    stage.later(TIMING.company)
    assert not stage.company, "the link of bob had ended before"


def test_a_room_that_closes_just_then_tells_those_who_have_come(stage):
    stage.come("bob")
    stage.later(1)
    stage.now += 4
    come, stop = JoinRequest(stage.newcomer(), "id-cat", "cat"), Stop()
    assert stage.admit(come) == []
    assert stage.admit(stop) == [come, stop]


def test_a_host_with_company_looks_often_enough_and_one_without_does_not_wake_up_for_it(stage):
    assert stage.company.pause is None
    bob = stage.come("bob")
    for _ in range(60):
        stage.now += stage.company.pause
        stage.company.look(stage.now)
        assert stage.company
    stage.go(bob, heard_at=stage.now)
    assert stage.company.pause is None
    stage.now += 3600
    stage.come("cat")
    assert stage.company, "that nobody looked was no sleep"


def test_who_was_refused_is_no_company(stage):
    session = stage.newcomer()
    stage.company.came(session)
    stage.company.gone(session)
    assert not stage.company
