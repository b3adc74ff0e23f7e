"""The rate limit of one link. Time is a value; a sleep is only recorded."""

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
    """A link and its dialect, as far as the throttle uses them."""

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


def test_a_burst_is_forwarded_together(talker):
    began = talker.clock.now
    talker.says(*say(10))
    assert [len(heard.messages) for heard in talker.handed_on] == [10]
    assert talker.clock.now == began and talker.link.told == []


def test_messages_over_the_rate_are_late_but_not_lost(talker):
    began = talker.clock.now
    talker.says(*say(30))
    heard = talker.handed_on
    assert [message.id for batch in heard for message in batch.messages] == [str(n) for n in range(30)]
    assert talker.clock.now - began == pytest.approx(10.0), "twenty over, two a second"
    assert talker.link.resets > 0, "who waits for us is alive"


def test_fetches_are_limited_at_the_same_rate(talker):
    began = talker.clock.now
    for _ in range(30):
        talker.throttle.spend()
    assert talker.clock.now - began == pytest.approx(10.0), "twenty over, two a second"
    talker.link.over = True
    talker.throttle.spend()
    assert talker.clock.now - began == pytest.approx(10.0), "nobody is left to wait for"


def test_the_notice_is_repeated_only_after_a_while(talker):
    for _ in range(3):
        talker.says(*say(20))
    assert len(talker.link.told) == 1 and b'"code":"slow"' in talker.link.told[0]
    talker.clock.now += NOTICE_EVERY
    talker.says(*say(40))
    assert len(talker.link.told) == 2


def test_far_too_many_messages_end_the_link(talker):
    with pytest.raises(ProtocolError, match="Too many messages at once."):
        talker.says(*say(10 + MAX_WAITING + 1))
    assert talker.handed_on == []


def test_a_link_that_is_over_ends_the_wait(talker):
    talker.link.reset_idle = lambda: setattr(talker.link, "over", True)
    began = talker.clock.now
    talker.says(*say(100))
    assert talker.clock.now - began <= 1.0


def test_renames_count_as_messages_and_pings_do_not(talker):
    talker.says(*[Ping()] * 1000)
    assert len(talker.handed_on) == 1
    began = talker.clock.now
    talker.says(*[Rename("x")] * 12)
    assert talker.clock.now - began == pytest.approx(1.0)


def test_a_pause_refills_the_burst(talker):
    talker.says(*say(10))
    talker.clock.now += 5
    began = talker.clock.now
    talker.says(*say(10))
    assert talker.clock.now == began


def test_the_default_limits(talker):
    """100 messages go at once, and then 10 a second, as SECURITY.md says."""
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
