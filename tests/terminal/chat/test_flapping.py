"""A script that says one line a minute is there and away again, all day."""

from lanchat.protocol.messages import Joined, Left
from lanchat.terminal.chat.flapping import MOST, WITHIN, Flapping, Shown

MINUTE, DAY = 60_000, 86_400_000
YES, LAST, NO = Shown.YES, Shown.LAST, Shown.NO


def came(at: int, by: str = "b", nick: str = "bot") -> Joined:
    return Joined(1, at, by, nick)


def went(at: int, by: str = "b", nick: str = "bot", code: str = "") -> Left:
    return Left(1, at, by, nick, code=code)


def test_two_visits_are_shown_and_then_no_more():
    flapping = Flapping()
    events = [event(DAY + minute * MINUTE) for minute in range(30) for event in (came, went)]
    assert [flapping.follow(event) for event in events] == [YES, YES, YES, LAST, *[NO] * 56]


def test_after_a_while_of_quiet_they_are_shown_again():
    flapping = Flapping()
    for minute in range(30):
        flapping.follow(came(DAY + minute * MINUTE))
    assert flapping.follow(went(DAY + 30 * MINUTE)) is NO
    assert flapping.follow(came(DAY + 30 * MINUTE + WITHIN + 1)) is YES


def test_each_person_is_counted_alone():
    flapping = Flapping()
    for _ in range(10):
        flapping.follow(came(DAY))
    assert flapping.follow(came(DAY, "c", "cat")) is YES
    assert flapping.follow(came(DAY, "~1", "bot")) is YES, "another one with this nick"


def test_that_somebody_was_removed_is_always_shown():
    flapping = Flapping()
    for _ in range(10):
        flapping.follow(came(DAY))
    assert flapping.follow(went(DAY, code="kicked")) is YES and flapping.follow(went(DAY, code="banned")) is YES


def test_who_hosts_the_room_comes_and_goes_with_it():
    flapping = Flapping()
    assert {flapping.follow(event(DAY), host=True) for _ in range(9) for event in (came, went)} == {YES}
    assert Flapping("none").follow(came(DAY), host=True) is NO


def test_a_clock_that_is_set_back_hides_nobody_for_long():
    flapping = Flapping()
    for _ in range(10):
        flapping.follow(came(2 * DAY))
    assert flapping.follow(came(DAY)) is YES


def test_only_so_many_people_are_remembered():
    flapping = Flapping()
    for _ in range(10):
        flapping.follow(came(DAY))
    for number in range(MOST):
        flapping.follow(came(DAY, nick=f"n{number}"))
    assert flapping.follow(came(DAY)) is YES


def test_programs_are_left_out_by_wish_and_their_leaving_as_well():
    flapping = Flapping("people")
    assert flapping.follow(Joined(1, DAY, "b", "bot", bot=True)) is NO and flapping.follow(went(DAY)) is NO
    assert flapping.follow(came(DAY, "c", "cat")) is YES and flapping.follow(went(DAY, "c", "cat")) is YES
    assert flapping.follow(went(DAY, "d", "dog"), bot=True) is NO, "it was there before us"
    assert flapping.follow(went(DAY, code="kicked")) is YES


def test_nobody_is_shown_by_wish_but_who_is_removed():
    flapping = Flapping("none")
    assert flapping.follow(came(DAY)) is NO and flapping.follow(went(DAY, code="banned")) is YES
