"""How fast one link may talk. Time is a value; a sleep is written down."""

from dataclasses import replace
from typing import Any, cast

import pytest

from lanchat.errors import ProtocolError
from lanchat.protocol.framing import encode
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Notice, Ping, Rename, Say
from lanchat.server.session import Received
from lanchat.server.throttle import MAX_WAITING, NOTICE_EVERY, Throttle
from lanchat.threads import Inbox
from tests.support.links import Clock

LIMITS = replace(DEFAULT_LIMITS, message_burst=10, message_rate=2.0)


class Line:
    """A link and its door, as far as the pace knows them."""

    def __init__(self) -> None:
        self.over = False
        self.resets = 0
        self.told: list[bytes] = []

    def reset_idle(self) -> None:
        self.resets += 1

    def send(self, data: bytes) -> None:
        self.told.append(data)


class Talker:
    def __init__(self, clock: Clock, limits=LIMITS) -> None:
        self.clock = clock
        self.link = link = Line()
        self.session: Any = type(
            "Session", (), {"link": self.link, "dialect": type("Dialect", (), {"encode": staticmethod(encode)})}
        )
        self.inbox: Any = Inbox()
        self.throttle = Throttle(limits, cast(Any, link), clock)

    def says(self, *messages) -> None:
        self.throttle.forward(list(messages), self.session, self.inbox)

    @property
    def handed_on(self) -> list[Received]:
        return [item for item in self.inbox.take(0) if isinstance(item, Received)]


@pytest.fixture
def talker(monkeypatch) -> Talker:
    clock = Clock()
    monkeypatch.setattr(
        "lanchat.server.throttle.time.sleep", lambda seconds: setattr(clock, "now", clock.now + seconds)
    )
    return Talker(clock)


def say(number: int) -> list[Say]:
    return [Say(str(n), "hi") for n in range(number)]


def test_a_burst_goes_on_in_one_piece(talker):
    began = talker.clock.now
    talker.says(*say(10))
    assert [len(heard.messages) for heard in talker.handed_on] == [10]
    assert talker.clock.now == began and talker.link.told == []


def test_what_is_over_the_rate_is_late_and_not_lost(talker):
    began = talker.clock.now
    talker.says(*say(30))
    heard = talker.handed_on
    assert [message.id for batch in heard for message in batch.messages] == [str(n) for n in range(30)]
    assert talker.clock.now - began == pytest.approx(10.0), "twenty over, two a second"
    assert talker.link.resets > 0, "who waits for us is alive"


def test_what_costs_the_host_something_comes_at_the_same_rate(talker):
    began = talker.clock.now
    for _ in range(30):
        talker.throttle.spend()
    assert talker.clock.now - began == pytest.approx(10.0), "twenty over, two a second"
    talker.link.over = True
    talker.throttle.spend()
    assert talker.clock.now - began == pytest.approx(10.0), "nobody is left to wait for"


def test_it_is_said_once_and_again_only_later(talker):
    for _ in range(3):
        talker.says(*say(20))
    assert len(talker.link.told) == 1 and b'"code":"slow"' in talker.link.told[0]
    talker.clock.now += NOTICE_EVERY
    talker.says(*say(40))
    assert len(talker.link.told) == 2


def test_far_too_many_at_once_end_it(talker):
    with pytest.raises(ProtocolError, match="Too many messages at once."):
        talker.says(*say(10 + MAX_WAITING + 1))
    assert talker.handed_on == []


def test_who_is_gone_is_not_waited_for(talker):
    talker.link.reset_idle = lambda: setattr(talker.link, "over", True)
    began = talker.clock.now
    talker.says(*say(100))
    assert talker.clock.now - began <= 1.0


def test_nicks_are_talk_and_signs_of_life_are_none(talker):
    talker.says(*[Ping()] * 1000)
    assert len(talker.handed_on) == 1
    began = talker.clock.now
    talker.says(*[Rename("x")] * 12)
    assert talker.clock.now - began == pytest.approx(1.0)


def test_a_rest_makes_good(talker):
    talker.says(*say(10))
    talker.clock.now += 5
    began = talker.clock.now
    talker.says(*say(10))
    assert talker.clock.now == began


def test_the_numbers_everybody_has(talker):
    """A log of a hundred lines goes at once, the next ten a second; SECURITY.md says so."""
    assert (DEFAULT_LIMITS.message_burst, DEFAULT_LIMITS.message_rate) == (100, 10.0)
    wide = Talker(talker.clock, DEFAULT_LIMITS)
    began = talker.clock.now
    wide.says(*say(100))
    assert talker.clock.now == began
    wide.says(*say(50))
    assert talker.clock.now - began == pytest.approx(5.0)


def test_a_notice_says_the_rate(talker):
    talker.says(*say(12))
    assert talker.link.told == [
        encode(Notice("slow", "You are sending faster than 2 messages a second; the others see them later."))
    ]
