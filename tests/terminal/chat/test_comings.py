"""What is told of those whose comings and goings are not shown."""

import pytest

from lanchat.protocol.messages import Event, Joined, Left, Moved, Present, Renamed, Welcome
from lanchat.room.roster import Roster
from lanchat.terminal.chat.comings import Comings
from lanchat.terminal.chat.flapping import VISITS, WITHIN

ANN, CAT, GUEST = "a" * 64, "c" * 64, "~1"
MINUTE, QUIET = 60.0, WITHIN / 1000  # s
KEEPS = "cat keeps coming and going. That is not shown any more until it stops."


class Screen:
    """What stands on a screen. Each event happens a second after the one before."""

    def __init__(self, joins: str = "all") -> None:
        self.told: list[str] = []
        self.now = 0.0
        self.roster = Roster()
        self.comings = Comings(joins, self.told.append)

    def happens(self, *events: Event) -> list[Event]:
        """Returns those of the events that are shown."""
        shown = []
        for event in events:
            self.now += 1
            if not isinstance(event, Joined | Left) or not self.comings.hides(event, self.roster, self.now):
                shown.append(event)
            self.roster.apply(event)
        return shown

    def waits(self, seconds: float = QUIET) -> list[str]:
        """Returns what is told then."""
        self.told.clear()
        self.now += seconds
        self.comings.announce_due(self.roster, self.now)
        return self.told


def joined(by: str = CAT, nick: str = "cat") -> Joined:
    return Joined(1, 0, by, nick)


def left(by: str = CAT, nick: str = "cat", code: str = "") -> Left:
    return Left(1, 0, by, nick, code=code)


def visits(times: int, by: str = CAT) -> list[Event]:
    return [event(by) for _ in range(times) for event in (joined, left)]


@pytest.fixture
def screen() -> Screen:
    """Cat has come and gone so often that it is not shown any more."""
    screen = Screen()
    assert len(screen.happens(*visits(VISITS))) == 2 * VISITS and screen.told == []
    assert screen.happens(*visits(3)) == [joined()] and screen.told == [KEEPS]
    return screen


def test_that_somebody_is_back_for_good_is_told_in_the_end(screen):
    assert screen.happens(joined()) == [], "it may leave again at once"
    assert screen.waits(QUIET - 1) == [] and screen.comings.due_at == screen.now + 1
    assert screen.waits(1) == ["cat has stopped coming and going, and is here."]
    assert screen.waits() == [] and screen.comings.due_at is None
    assert screen.happens(left()) != [], "from then on it is shown again"


def test_that_somebody_has_left_for_good_is_told_in_the_end(screen):
    assert screen.waits() == ["cat has stopped coming and going, and is not here."]


def test_who_has_another_nick_by_then_is_called_by_it(screen):
    screen.happens(joined(), Renamed(1, 0, CAT, "cat", "kat"))
    assert screen.waits() == ["cat has stopped coming and going, and is here as kat."]


def test_a_guest_with_the_same_nick_is_somebody_else():
    screen = Screen()
    screen.happens(*visits(VISITS + 1, GUEST), joined("~2"))
    assert screen.waits() == ["~cat has stopped coming and going, and is not here."]


def test_who_was_removed_is_told_of_at_once_and_not_again(screen):
    kicked = left(code="kicked")
    assert screen.happens(joined(), kicked) == [kicked]
    assert screen.waits() == []


def test_without_a_link_nobody_knows_who_is_here(screen):
    screen.comings.lost(screen.roster)
    assert screen.comings.due_at is None and screen.waits() == []
    screen.comings.back(screen.now, beside=False)
    assert screen.waits(0) == ["cat has stopped coming and going, and is not here."]


def test_in_a_crowd_nobody_knows_who_is_here(screen):
    screen.roster.crowded(600)
    assert screen.waits() == [] and screen.comings.due_at is None


def test_of_those_who_are_left_out_by_wish_nothing_is_told():
    screen = Screen("none")
    assert screen.happens(*visits(VISITS + 1)) == [] and screen.waits() == []


@pytest.mark.parametrize(("reason", "shown"), [("takeover", True), ("handover", False)])
def test_the_last_host_is_shown_to_return_where_a_line_has_said_that_it_is_gone(reason, shown):
    screen = Screen()
    screen.happens(joined())
    screen.comings.lost(screen.roster)
    screen.comings.back(screen.now, beside=False)
    screen.comings.moved(Moved(1, 0, "b" * 64, "bob", 64, "cat", reason), screen.roster)
    assert screen.happens(left(code="lost")) == []
    assert bool(screen.happens(joined())) is shown


def test_who_is_found_at_another_host_is_not_missing():
    """We hosted our half of the room, where the others were lost. They are with the host of the other half."""
    screen = Screen()
    screen.happens(joined(), joined(ANN, "ann"))
    screen.comings.lost(screen.roster)
    screen.comings.back(screen.now, beside=False)
    assert screen.happens(left(code="lost"), left(ANN, "ann", code="lost")) == []
    screen.comings.lost(screen.roster)
    screen.roster.welcome(Welcome(id="d" * 64, nick="dan", seq=9, stored=9, people=2), (Present(id=CAT, nick="cat"),))
    screen.comings.back(screen.now, beside=False)
    assert screen.waits(MINUTE) == ["ann has not come back."]
