"""The rate limit of one link. Time is a value; a sleep is only recorded."""

from typing import Any, cast

import pytest
from msgspec.structs import replace

from lanchat.errors import ProtocolError
from lanchat.network.sockets import RECEIVE_SIZE
from lanchat.protocol.framing import FROM_MEMBER, decode_all, encode
from lanchat.protocol.limits import DEFAULT_LIMITS, LINES_A_MESSAGE
from lanchat.protocol.messages import Notice, Ping, Rename, Said, Say
from lanchat.server.items import Received
from lanchat.server.quotas import Quotas
from lanchat.server.throttle import FEW, MAX_LINES, NOTICE_EVERY, PORTION, Throttle
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
    """One link of ann's."""

    def __init__(self, clock: Clock, limits=LIMITS, quotas: Quotas | None = None) -> None:
        self.clock = clock
        self.link = link = Line()
        self.session: Any = type(
            "Session", (), {"link": self.link, "dialect": type("Dialect", (), {"encode": staticmethod(encode)})}
        )
        self.inbox: Any = Inbox()
        self.quotas = quotas or Quotas(limits, clock)
        self.quota = self.quotas.open("")
        self.quota.admit("a" * 32)
        self.throttle = Throttle(cast(Any, link), self.quota.lines, clock)

    def says(self, *messages, lines: int | None = None, said_before: list[Said] | None = None) -> None:
        """Say these, a line for each, or in so many lines."""
        self.throttle.receive(len(messages) if lines is None else lines)
        self.throttle.forward(list(messages), self.session, self.inbox, said_before)

    @property
    def handed_on(self) -> list[Received]:
        return [item for item in self.inbox.take(0) if isinstance(item, Received)]


@pytest.fixture
def talker(monkeypatch) -> Talker:
    clock = Clock()
    monkeypatch.setattr(
        "lanchat.network.allowance.time.sleep", lambda seconds: setattr(clock, "now", clock.now + seconds)
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
    for _ in range(15):
        talker.throttle.spend(2)
    assert talker.clock.now - began == pytest.approx(10.0), "twenty over, two a second"
    talker.link.over = True
    talker.throttle.spend(2)
    assert talker.clock.now - began == pytest.approx(10.0), "nobody is left to wait for"


def test_the_notice_is_repeated_only_after_a_while(talker):
    for _ in range(3):
        talker.says(*say(20))
    assert len(talker.link.told) == 1 and b'"code":"slow"' in talker.link.told[0]
    talker.clock.now += NOTICE_EVERY
    talker.says(*say(40))
    assert len(talker.link.told) == 2


def test_one_read_of_the_shortest_messages_is_late_but_not_lost(talker):
    """Thousands of messages in one read are forwarded in portions, as the rate allows."""
    lines = [encode(message).rstrip() for message in say(RECEIVE_SIZE // len(encode(Say("1", "x"))))]
    assert len(lines) > 10 * PORTION
    began = talker.clock.now
    heard = []
    for portion in talker.throttle.portions(lines):
        talker.throttle.forward(decode_all(portion, FROM_MEMBER), talker.session, talker.inbox)
        heard += [message for received in talker.handed_on for message in received.messages]
    assert heard == say(len(lines))
    assert talker.clock.now - began == pytest.approx((len(lines) - 10) / 2.0)


def test_a_link_that_is_over_ends_the_wait(talker):
    talker.link.reset_idle = lambda: setattr(talker.link, "over", True)
    began = talker.clock.now
    talker.says(*say(100))
    assert talker.clock.now - began <= 1.0


def test_renames_count_as_messages(talker):
    began = talker.clock.now
    talker.says(*[Rename("x")] * 12)
    assert talker.clock.now - began == pytest.approx(1.0)


@pytest.mark.parametrize("messages", [[Ping()] * 100, []], ids=["pings", "lines that are no messages"])
def test_a_line_that_is_no_talk_costs_a_part_of_a_message(talker, messages):
    began = talker.clock.now
    talker.says(*messages, lines=10 * LINES_A_MESSAGE)
    assert talker.clock.now == began
    talker.says(*messages, lines=10 * LINES_A_MESSAGE)
    assert talker.clock.now - began == pytest.approx(5.0), "ten messages' worth, two a second"
    assert sum(len(heard.messages) for heard in talker.handed_on) == 2 * len(messages)
    assert talker.link.told == [], "only who talks is asked to slow down"


def test_many_lines_are_paid_for_before_anybody_looks_at_them(talker):
    talker.throttle.receive(10 * LINES_A_MESSAGE)
    began = talker.clock.now
    talker.throttle.receive(FEW + 1)
    assert talker.clock.now - began == pytest.approx((FEW + 1) / LINES_A_MESSAGE / 2)


def test_far_too_many_lines_at_once_end_it_before_anybody_looks_at_them(talker):
    began = talker.clock.now
    with pytest.raises(ProtocolError, match="Too many lines at once."):
        talker.throttle.receive(MAX_LINES + 1)
    with pytest.raises(ProtocolError, match="Too many lines at once."):
        next(talker.throttle.portions([b""] * (MAX_LINES + 1)))
    assert talker.clock.now == began


def test_what_costs_nothing_by_itself_adds_up(talker):
    began = talker.clock.now
    for _ in range(30 * LINES_A_MESSAGE):
        talker.says(Ping())
    assert talker.clock.now - began == pytest.approx(10.0), "twenty messages' worth over, two a second"


def test_another_link_of_the_same_member_has_no_burst_of_its_own(talker):
    second = Talker(talker.clock, quotas=talker.quotas)
    talker.says(*say(10))
    began = talker.clock.now
    second.says(*say(4))
    assert talker.clock.now - began == pytest.approx(2.0)


def test_what_the_log_holds_already_comes_before_what_says_it_again(talker):
    said = [Said(1, 0, "a" * 32, "ann", "0", "hi")]
    talker.says(*say(10))
    talker.says(*say(3), said_before=said)
    assert [heard.said_before for heard in talker.handed_on] == [None, said, None, None, None]


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


def test_a_notice_says_what_happens(talker):
    talker.says(*say(12))
    assert talker.link.told == [
        encode(Notice("slow", "You are sending faster than this room takes it; the others see your messages later."))
    ]
