"""A script that says one line a minute is there and away again, all day."""

from lanchat.protocol.messages import Joined, Left
from lanchat.terminal.chat.flapping import MOST, VISITS, WITHIN, Flapping, Shown

MINUTE, DAY = 60_000, 86_400_000
YES, LAST, NO = Shown.YES, Shown.LAST, Shown.NO


def came(at: int, by: str = "b", nick: str = "bot") -> Joined:
    return Joined(1, at, by, nick)


def went(at: int, by: str = "b", nick: str = "bot", code: str = "") -> Left:
    return Left(1, at, by, nick, code=code)


def goes_often(flapping: Flapping) -> None:
    for _ in range(VISITS + 5):
        flapping.follow(came(DAY))
        flapping.follow(went(DAY))


def test_three_visits_are_shown_and_then_no_more():
    flapping = Flapping()
    events = [event(DAY + minute * MINUTE) for minute in range(30) for event in (came, went)]
    assert [flapping.follow(event) for event in events] == [*[YES] * 6, LAST, *[NO] * 53]


def test_of_who_does_not_come_a_fourth_time_nothing_is_said():
    """As after three `lanchat send` in a row."""
    flapping = Flapping()
    assert {flapping.follow(event(DAY)) for _ in range(VISITS) for event in (came, went)} == {YES}
    assert flapping.settles_at is None


def test_who_was_here_before_us_is_shown_to_return_as_often_as_to_leave():
    flapping = Flapping()
    assert [flapping.follow(event(DAY)) for _ in range(2) for event in (went, came)] == [YES] * 4


def test_who_is_quiet_at_last_is_named_once_and_counted_anew():
    flapping, within = Flapping(), WITHIN / 1000
    assert flapping.settles_at is None
    for second in range(VISITS + 1):
        flapping.follow(went(DAY), now=second)
        flapping.follow(came(DAY), now=second)
    assert flapping.settles_at == VISITS + within, "the last that was hidden counts"
    assert flapping.settled(VISITS + within - 1) == []
    assert flapping.settled(VISITS + within) == [("b", "bot")] and flapping.settles_at is None
    assert flapping.settled(VISITS + within) == [] and flapping.follow(went(DAY)) is YES


def test_of_several_the_one_who_has_been_quiet_for_longest_is_named_first():
    flapping, within = Flapping(), WITHIN / 1000
    for second in range(VISITS + 1):
        for event in (came, went):
            flapping.follow(event(DAY), now=second)
            flapping.follow(event(DAY, "c", "cat"), now=second + 100)
    assert flapping.settles_at == VISITS + within
    assert flapping.settled(VISITS + within) == [("b", "bot")]
    assert flapping.settles_at == VISITS + 100 + within


def test_who_is_removed_or_shown_again_need_not_be_named_later():
    removed, shown = Flapping(), Flapping()
    goes_often(removed)
    removed.follow(went(DAY, code="banned"))
    goes_often(shown)
    assert shown.follow(came(DAY + WITHIN + 1)) is YES
    assert removed.settles_at is None and shown.settles_at is None


def test_who_is_left_out_by_wish_is_never_named():
    flapping = Flapping("none")
    goes_often(flapping)
    assert flapping.settles_at is None


def test_after_a_while_of_quiet_they_are_shown_again():
    flapping = Flapping()
    for minute in range(30):
        flapping.follow(came(DAY + minute * MINUTE))
        flapping.follow(went(DAY + minute * MINUTE))
    assert flapping.follow(went(DAY + 30 * MINUTE)) is NO
    assert flapping.follow(came(DAY + 30 * MINUTE + WITHIN + 1)) is YES


def test_each_person_is_counted_alone():
    flapping = Flapping()
    goes_often(flapping)
    assert flapping.follow(came(DAY, "c", "cat")) is YES
    assert flapping.follow(came(DAY, "~1", "bot")) is YES, "another one with this nick"


def test_that_somebody_was_removed_is_always_shown():
    flapping = Flapping()
    goes_often(flapping)
    assert flapping.follow(went(DAY, code="kicked")) is YES and flapping.follow(went(DAY, code="banned")) is YES


def test_who_hosts_the_room_comes_and_goes_with_it():
    flapping = Flapping()
    assert {flapping.follow(event(DAY), host=True) for _ in range(9) for event in (came, went)} == {YES}
    assert Flapping("none").follow(came(DAY), host=True) is NO


def test_a_clock_that_is_set_back_hides_nobody_for_long():
    flapping = Flapping()
    for _ in range(10):
        flapping.follow(went(2 * DAY))
    assert flapping.follow(came(DAY)) is YES


def test_only_so_many_people_are_remembered():
    flapping = Flapping()
    goes_often(flapping)
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
