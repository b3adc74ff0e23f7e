"""Whose the cost is: a member's and a source's, whatever link it comes by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lanchat.network.flusher import OUTBOX_LIMIT
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.framing import encode
from lanchat.protocol.limits import DEFAULT_LIMITS, LINES_A_MESSAGE
from lanchat.protocol.messages import Said, Say
from lanchat.protocol.nicks import MAX_NICK_BYTES
from lanchat.server import quotas as module
from lanchat.server.quotas import REMEMBERED, Quota, Quotas
from tests.support.links import Clock

LIMITS = replace(
    DEFAULT_LIMITS, message_burst=10, message_rate=1.0, source_message_burst=25, source_message_rate=2.0, byte_burst=100
)
HERE, THERE = "10.0.0.1", "10.0.0.2"
ANN, BOB, CARL = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture
def quotas(clock) -> Quotas:
    return Quotas(LIMITS, clock)


def link(quotas: Quotas, member: str = "", source: str = HERE) -> Quota:
    quota = quotas.open(source)
    if member:
        quota.admit(member)
    return quota


def messages(quota: Quota) -> int:
    """How many can be said at once; they are said."""
    number = 0
    while quota.lines.spare(LINES_A_MESSAGE):
        number += 1
    return number


def test_all_links_of_a_member_have_one_burst_wherever_they_are(quotas):
    here, there = link(quotas, ANN), link(quotas, ANN, THERE)
    assert messages(here) == 10 and messages(there) == 0
    assert here.bytes.spare(100) and not there.bytes.spare(1)


def test_all_members_of_a_source_have_one_burst(quotas):
    assert [messages(link(quotas, member)) for member in (ANN, BOB, CARL)] == [10, 10, 5]
    assert messages(link(quotas, "d" * 32, THERE)) == 10


def test_this_machine_is_no_source(quotas):
    assert [messages(link(quotas, f"{n:032}", "")) for n in range(10)] == [10] * 10


def test_all_members_of_a_room_have_one_burst_together(clock):
    """Wherever they are, on this machine too; but no stranger takes anything of it."""
    quotas = Quotas(replace(LIMITS, room_message_burst=25), clock)
    assert messages(link(quotas, source="10.0.0.9")) == 10
    assert [messages(link(quotas, f"{n:032}", f"10.0.0.{n}" if n else "")) for n in range(4)] == [10, 10, 5, 0]
    assert messages(link(quotas, source="10.0.0.8")) == 10


def test_what_a_room_may_say_at_once_fits_an_outbox():
    """An event is longer than what asked for it by its numbers and names, which are at most this long."""
    more = len(encode(Said(MAX_NUMBER, MAX_NUMBER, ANN, MAX_NICK_BYTES * "n", "1", "x", True))) - len(
        encode(Say("1", "x"))
    )
    most = DEFAULT_LIMITS.room_byte_burst + DEFAULT_LIMITS.room_message_burst * more
    assert most + DEFAULT_LIMITS.room_byte_rate <= OUTBOX_LIMIT


def test_hanging_up_and_coming_back_brings_nothing(quotas, clock):
    for round in range(5):
        quota = link(quotas, ANN)
        assert messages(quota) == (10 if round == 0 else 0)
        quota.close()
    clock.now += 3
    assert messages(link(quotas, ANN)) == 3


def test_a_stranger_has_no_more_than_a_member_and_costs_its_source(quotas):
    for spent in (10, 10, 5, 0):
        stranger = link(quotas)
        assert messages(stranger) == spent
        stranger.close()


def test_what_a_stranger_spent_is_not_its_members(quotas):
    quota = link(quotas)
    assert messages(quota) == 10
    quota.admit(ANN)
    assert messages(quota) == 10


def test_all_guests_of_a_source_are_one_member(quotas):
    assert messages(link(quotas, "~1")) == 10
    assert messages(link(quotas, "~2")) == 0
    assert messages(link(quotas, "~1", THERE)) == 10
    assert [messages(link(quotas, id, "")) for id in ("~1", "~2")] == [10, 10], "but not those of this machine"


def test_who_is_gone_for_a_minute_is_forgotten_and_everybody_here_is_not(quotas, clock):
    stays = link(quotas, ANN)
    for number in range(1000):
        clock.now += 0.1
        link(quotas, f"{number:032}", f"10.1.{number // 250}.{number % 250}").close()
    assert messages(stays) == 10
    kept = quotas._members._gone, quotas._sources._gone
    assert all(len(gone) == pytest.approx(REMEMBERED / 0.1, abs=2) for gone in kept)
    assert list(quotas._members._here) == [ANN] and list(quotas._sources._here) == [HERE]


def test_no_more_are_remembered_than_fit(quotas, monkeypatch):
    monkeypatch.setattr(module, "MAX_REMEMBERED", 10)
    for number in range(100):
        link(quotas, f"{number:032}", f"10.1.0.{number}").close()
    assert len(quotas._members._gone) == len(quotas._sources._gone) == 10


def test_a_minute_is_long_enough_for_every_bucket_to_fill():
    """So nobody gains by being forgotten."""
    limits = DEFAULT_LIMITS
    for burst, rate in (
        (limits.message_burst, limits.message_rate),
        (limits.byte_burst, limits.byte_rate),
        (limits.source_message_burst, limits.source_message_rate),
        (limits.source_byte_burst, limits.source_byte_rate),
    ):
        assert burst / rate < REMEMBERED / 2


def test_everybody_behind_one_router_can_talk_at_once():
    """All links that a source may have, at a message every other second, and one of them at full rate."""
    limits = DEFAULT_LIMITS
    assert limits.links_per_source / 2 + limits.message_rate <= limits.source_message_rate
    assert limits.links_per_source * 20 <= limits.source_message_burst


steps = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.sampled_from([0.0, 0.5, 3.0])), max_size=60)


@given(steps)
def test_however_they_come_and_go_no_member_has_more_than_one_burst_and_the_rate(comings):
    clock = Clock()
    quotas, said, links = Quotas(LIMITS, clock), dict.fromkeys("abc", 0), list[Quota]()
    began = clock.now
    for who, ended, pause in comings:
        clock.now += pause
        links.append(quota := link(quotas, who * 32, ""))
        said[who] += messages(quota)
        for _ in range(min(ended, len(links))):
            links.pop(0).close()
    for number in said.values():
        assert number <= LIMITS.message_burst + LIMITS.message_rate * (clock.now - began)
