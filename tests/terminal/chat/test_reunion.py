"""A host that starts again brings everybody back, and nobody need read who that is."""

from lanchat.protocol.messages import Joined, Left
from lanchat.room.roster import Person
from lanchat.terminal.chat.reunion import WITHIN, Reunion

ANN, BOB, CAT = "a" * 32, "b" * 32, "c" * 32
GUEST = "~7"


def came(by: str, host: bool = False) -> Joined:
    return Joined(1, 0, by, by[0], host=host)


def went(by: str, code: str = "lost") -> Left:
    return Left(1, 0, by, by[0], code=code)


def broken() -> Reunion:
    reunion = Reunion()
    reunion.lost([Person(BOB, "b"), Person(CAT, "c"), Person(GUEST, "nc")])
    reunion.back(0.0)
    return reunion


def hides_all(reunion: Reunion, *events: Joined | Left) -> bool:
    return all([reunion.hides(event) for event in events])


def test_who_was_here_and_is_back_is_not_told_of():
    reunion = broken()
    assert hides_all(reunion, went(BOB), went(CAT), came(CAT), came(BOB))
    assert reunion.missing(WITHIN) == []


def test_who_does_not_come_back_is_named_once_when_time_is_over():
    reunion = broken()
    assert hides_all(reunion, went(BOB), went(CAT), came(BOB))
    assert reunion.missing(WITHIN - 1) == []
    assert reunion.missing(WITHIN) == [Person(CAT, "c")]
    assert reunion.missing(WITHIN) == [] and not reunion.hides(came(CAT)), "it is over"


def test_who_leaves_is_sent_away_or_is_new_is_told_of():
    reunion = broken()
    assert not reunion.hides(came(ANN)) and not reunion.hides(went(GUEST))
    assert not reunion.hides(went(BOB, code="")) and not reunion.hides(went(CAT, code="kicked"))
    assert reunion.missing(WITHIN) == []


def test_who_leaves_after_a_break_and_joins_once_more_is_told_of():
    reunion = broken()
    assert not hides_all(reunion, went(BOB, code="")) and not reunion.hides(came(BOB))


def test_after_a_move_to_another_host_of_the_room_everything_is_told_of():
    """Who came over as well neither left nor joined."""
    reunion = Reunion()
    reunion.lost([Person(BOB, "b"), Person(CAT, "c")])
    reunion.back(0.0, beside=True)
    assert reunion.missing(0.0) == []
    assert not reunion.hides(went(BOB)) and not reunion.hides(came(BOB))


def test_who_was_missed_before_such_a_move_is_named_then():
    reunion = broken()
    assert reunion.hides(went(CAT))
    reunion.lost([Person(BOB, "b")])
    reunion.back(1.0, beside=True)
    assert reunion.missing(1.0) == [Person(CAT, "c")]


def test_who_was_told_to_be_gone_is_told_to_return_and_is_not_named_as_missing():
    """A line says so of the person whose computer hosted the room, when another one has taken it over."""
    back, missing = broken(), broken()
    for reunion in (back, missing):
        reunion.reported_gone(BOB)
        assert hides_all(reunion, went(BOB), went(CAT), came(CAT))
    assert not back.hides(came(BOB))
    assert missing.missing(WITHIN) == []
    assert not missing.hides(came(BOB)), "much later, too"


def test_who_was_told_to_be_gone_and_came_over_unseen_leaves_as_everybody_does():
    reunion = broken()
    reunion.reported_gone(BOB)
    assert not reunion.hides(went(BOB, code=""))


def test_that_the_room_was_opened_is_told_of():
    assert not broken().hides(came(BOB, host=True))


def test_a_second_break_before_all_are_back_is_a_part_of_the_first():
    reunion = broken()
    assert reunion.hides(went(CAT))
    reunion.lost([Person(BOB, "b")])
    assert reunion.missing(2 * WITHIN) == [], "there is no link"
    reunion.back(3 * WITHIN)
    assert reunion.hides(came(CAT)) and reunion.missing(4 * WITHIN) == []


def test_without_a_break_all_is_told():
    reunion = Reunion()
    assert not reunion.hides(went(BOB)) and not reunion.hides(came(BOB)) and reunion.missing(1e9) == []
