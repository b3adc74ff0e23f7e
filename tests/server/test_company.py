"""Whether a host has company, by which one of two hosts yields."""

import pytest

from lanchat.network.keepalive import Keepalive
from lanchat.protocol.timing import Timing
from lanchat.room.effects import Member
from lanchat.server.followers import Company
from lanchat.server.session import Session
from tests.server.test_hub import RecordingLink, TalkativeDoor

TIMING = Timing(company=10.0, host_silence=3.0)


class Stage:
    def __init__(self) -> None:
        self.now = 100.0
        self.company = Company(TIMING, lambda: self.now)

    def come(self, nick: str, *, host: bool = False) -> Session:
        session = Session(RecordingLink(), TalkativeDoor(), member=Member(f"id-{nick}", nick, host))
        self.company.came(session)
        return session

    def go(self, session: Session, heard_at: float) -> None:
        link = session.link
        assert isinstance(link, RecordingLink)
        link.keepalive = Keepalive(TIMING, heard_at)
        self.company.gone(session)

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


def test_a_machine_that_has_slept_knows_that_it_is_alone(stage):
    """What is read after waking was sent before the others went to another host."""
    bob = stage.come("bob")
    stage.later(1)
    stage.now += 20
    stage.go(bob, heard_at=stage.now)
    assert not stage.company


def test_who_was_refused_is_no_company(stage):
    session = Session(RecordingLink(), TalkativeDoor())
    stage.company.came(session)
    stage.company.gone(session)
    assert not stage.company
