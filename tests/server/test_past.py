"""Answers to a member when the log cannot be read."""

from collections.abc import Callable

import pytest

from lanchat.errors import LanchatError, LogDamaged
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all
from lanchat.protocol.messages import Event, Fetch, Notice, Page, Said, Say
from lanchat.server.past import page, said_before
from lanchat.storage.log import NoLog

ANN = "a" * 32


class UnreadableLog(NoLog):
    def __init__(self, error: LanchatError) -> None:
        super().__init__()
        self._error = error

    def read(self, after: int, limit: int) -> list[Event]:
        raise self._error

    def find(self, by: str, ids: object) -> list[Said]:
        raise self._error


Ask = Callable[[UnreadableLog], object]
ASKS: dict[str, Ask] = {
    "page": lambda log: page(log, Fetch(0)),
    "resend": lambda log: said_before(log, ANN, [Say("1", "hi", again=True)]),
}


def test_a_notice_takes_the_place_of_events_lost_in_a_damaged_log():
    answer = decode_all(LineSplitter().feed(page(UnreadableLog(LogDamaged("it is damaged")), Fetch(0))), FROM_HOST)
    notice, end = answer
    assert isinstance(notice, Notice) and notice.code == "past" and "it is damaged" in notice.text
    assert end == Page(MAX_NUMBER)


def test_a_resend_counts_as_new_if_the_log_is_damaged():
    assert ASKS["resend"](UnreadableLog(LogDamaged("it is damaged"))) == []


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_log_that_cannot_be_read_now_is_an_error(ask):
    with pytest.raises(LanchatError, match="busy"):
        ask(UnreadableLog(LanchatError("it is busy", "Try again later.")))
