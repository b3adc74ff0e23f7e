"""What a hub has decided, until the engine gives it back."""

import pytest

from lanchat.protocol.messages import UNNUMBERED, Joined, Left, Said
from lanchat.server.engine.proposals import MOST, Proposals
from lanchat.server.engine.shared_log import CALL, Position
from lanchat.server.items import CloseRoom, JoinRequest
from tests.support.hub import RecordingLink


def said(id, text="hi"):
    return Said(UNNUMBERED, 5, "ann-id", "ann", id, text)


@pytest.fixture
def session():
    from lanchat.server.doors.native import LINES
    from lanchat.server.session import Session

    return Session(RecordingLink(), LINES)


def test_one_call_is_under_way_and_what_comes_meanwhile_is_the_next_one():
    proposals = Proposals(3)
    proposals.add_said(said("1"))
    assert [proposal.key for proposal in proposals.call()[0]] == ["sann-id 1"]
    proposals.add_said(said("2"))
    proposals.add_said(said("3"))
    assert proposals.call()[0] == []
    proposals.answered()
    assert [proposal.key for proposal in proposals.call()[0]] == ["sann-id 2", "sann-id 3"]


def test_a_call_is_bounded():
    proposals = Proposals(3)
    for n in range(CALL + 1):
        proposals.add_said(said(str(n)))
    assert len(proposals.call()[0]) == CALL


def test_a_message_that_is_said_twice_is_proposed_once_for_both(session):
    proposals = Proposals(3)
    proposals.add_said(said("1"), session)
    proposals.add_said(said("1"), session)
    assert len(proposals.call()[0]) == len(proposals) == 1
    waiting = proposals.fed("sann-id 1")
    assert waiting is not None and waiting.sessions == [session, session]
    assert proposals.fed("sann-id 1") is None and not proposals


def test_everything_else_has_a_key_of_its_own_in_each_start_of_a_host():
    left = Left(UNNUMBERED, 5, "ann-id", "ann")
    first, second = Proposals(3), Proposals(4)
    for proposals in (first, second):
        proposals.add(left)
        proposals.add(left)
    assert len({proposal.key for proposals in (first, second) for proposal in proposals.call()[0]}) == 4


def test_only_what_changes_the_rules_lets_them_wait():
    proposals = Proposals(3)
    proposals.add_said(said("1"))
    proposals.add(Left(UNNUMBERED, 5, "bob-id", "bob"))
    assert not proposals.rules_wait
    proposals.add(Joined(UNNUMBERED, 5, "bob-id", "bob"), alone=True)
    assert proposals.rules_wait
    for proposal in proposals.call()[0]:
        proposals.fed(proposal.key)
    assert not proposals.rules_wait and not proposals


def test_a_call_that_came_too_early_is_made_again_without_what_has_come_meanwhile():
    proposals = Proposals(3)
    for id in "123":
        proposals.add_said(said(id))
    proposals.call()
    proposals.add_said(said("4"))
    proposals.fed("sann-id 2")
    proposals.too_early()
    assert [proposal.key for proposal in proposals.call()[0]] == ["sann-id 1", "sann-id 3", "sann-id 4"]


def test_what_came_back_before_the_answer_is_done():
    proposals = Proposals(3)
    proposals.add_said(said("1"))
    proposals.call()
    proposals.fed("sann-id 1")
    proposals.answered()
    assert not proposals and proposals.call()[0] == []


def test_what_another_host_has_said_meanwhile_is_not_sent():
    proposals = Proposals(3)
    proposals.add_said(said("1"))
    proposals.fed("sann-id 1")
    assert proposals.call()[0] == []
    proposals.add_said(said("2"))
    assert len(proposals.call()[0]) == 1


def test_it_is_full_by_lines_and_by_bytes():
    proposals = Proposals(3)
    for n in range(MOST):
        assert not proposals.full
        proposals.add_said(said(str(n)))
    assert proposals.full
    long = Proposals(3)
    for n in range(4200):
        long.add_said(said(str(n), "x" * 4000))
    assert long.full


def test_what_the_rules_decided_is_decided_again_where_another_host_was_faster():
    proposals = Proposals(3, Position(4))
    cause = CloseRoom("some cause")
    proposals.add(Joined(UNNUMBERED, 5, "bob-id", "bob"), bound=True, cause=cause)
    proposals.add_said(said("1"))
    sent, rules = proposals.call()
    assert (len(sent), rules) == (2, Position(4))
    proposals.refused()
    assert proposals.call()[0] == [], "until what was faster has come back"
    proposals.rules = Position(6)
    [outdated] = proposals.outdated()
    assert outdated.cause is cause
    again, rules = proposals.call()
    assert ([proposal.key for proposal in again], rules) == (["sann-id 1"], "any")
    assert proposals.outdated() == []


def test_what_waits_while_a_call_is_under_way_is_looked_at_before_it_is_sent():
    proposals = Proposals(3)
    proposals.add(Left(UNNUMBERED, 5, "ann-id", "ann"), bound=True)
    sent, rules = proposals.call()
    assert rules is None
    proposals.add(Left(UNNUMBERED, 5, "bob-id", "bob"), bound=True)
    proposals.rules = Position(1)
    assert proposals.outdated() == [], "what is under way may have been the reason"
    for key in [proposal.key for proposal in sent]:
        proposals.fed(key)
    proposals.answered()
    assert len(proposals.outdated()) == 1 and not proposals


def test_those_who_come_in_share_a_call_until_it_begins(session):
    proposals = Proposals(3)
    assert proposals.takes_joins
    for nick in ("ann", "bob"):
        request = JoinRequest(session, f"{nick}-id", nick)
        proposals.add(Joined(UNNUMBERED, 5, f"{nick}-id", nick), alone=True, bound=True, cause=request, request=request)
        assert proposals.takes_joins and proposals.rules_wait
    sent = proposals.call()[0]
    assert len(sent) == 2 and not proposals.takes_joins
    for proposal in sent:
        proposals.fed(proposal.key)
    proposals.answered()
    assert proposals.takes_joins and not proposals
    proposals.add_said(said("1"))
    assert not proposals.takes_joins
