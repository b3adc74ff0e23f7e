"""Who wants to enter a room whose engine does not answer waits for it."""

import time

import pytest

from lanchat.errors import Refused, TimedOut
from lanchat.protocol.closings import PAUSED, refusal
from lanchat.protocol.messages import Refused as NoEntry
from lanchat.terminal.paused import enter


class Room:
    """Refuses so often, and then lets everybody in."""

    def __init__(self, *refusals: NoEntry) -> None:
        self._refusals = list(refusals)
        self.asked = 0
        self.told: list[str] = []

    def join(self) -> str:
        self.asked += 1
        if self._refusals:
            raise refusal(self._refusals.pop(0))
        return "in"

    def enter(self, deadline: float | None = None, *, longest: float = 3600.0, again: float = 0.0) -> str:
        return enter(self.join, deadline, self.told.append, longest=longest, again=again)


def test_it_is_tried_until_the_room_goes_on():
    room = Room(PAUSED, PAUSED)
    assert (room.enter(), room.asked) == ("in", 3)
    assert room.told == [
        "The room is paused: the server that keeps its messages does not answer. Waiting until it goes on."
    ]


def test_a_room_that_does_not_go_on_refuses_in_the_end():
    with pytest.raises(Refused, match="The room is still paused") as error:
        Room(PAUSED).enter(longest=1.0, again=3600.0)
    assert error.value.exit_code == 4


def test_a_time_limit_counts_instead():
    with pytest.raises(TimedOut, match="The room is still paused"):
        Room(PAUSED).enter(time.monotonic() + 1.0, again=3600.0)
    assert Room(PAUSED).enter(time.monotonic() + 3600.0, longest=0.0) == "in"


def test_the_code_counts_and_not_the_words():
    room = Room(NoEntry(PAUSED.code, "Un moment, s'il vous pla\u00eet."))
    assert (room.enter(), room.asked) == ("in", 2)


@pytest.mark.parametrize(
    "refused", [NoEntry("busy", "Too many wrong passwords. Try again in 20 s."), NoEntry("full", PAUSED.text)]
)
def test_nobody_waits_after_another_refusal(refused):
    room = Room(refused)
    with pytest.raises(Refused, match="The host says: "):
        room.enter()
    assert (room.asked, room.told) == (1, [])
