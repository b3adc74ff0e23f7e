"""How often an agent speaks, who may call it, and how a talk between programs ends."""

from lanchat.agents.heard import Heard
from lanchat.agents.rules import ALONE, EACH_HOUR, PAUSE, SAME_WITHIN, Allowed, LoopGuard, Speaking

ANN = "a" * 32


def test_the_same_text_is_not_said_again_within_a_minute():
    speaking = Speaking()
    assert not speaking.refusal("done", 0, again=False)
    speaking.said("done", 0)
    assert "again" in speaking.refusal("done", 59, again=False)
    assert not speaking.refusal("done", 59, again=True) and not speaking.refusal("other", 59, again=False)
    assert not speaking.refusal("done", SAME_WITHIN + 1, again=False)


def test_so_many_messages_an_hour_are_enough():
    speaking = Speaking()
    for number in range(EACH_HOUR):
        assert not speaking.refusal(str(number), number, again=False)
        speaking.said(str(number), number)
    assert "hour" in speaking.refusal("one more", 100, again=True)
    assert not speaking.refusal("one more", 3601, again=False)


def test_programs_that_only_talk_to_each_other_pause_until_a_person_speaks_or_time_has_passed():
    loop_guard = LoopGuard()
    for number in range(ALONE):
        assert not loop_guard.refusal(number)
        loop_guard.heard(number, program=True)
    assert "person" in loop_guard.refusal(ALONE)
    assert not loop_guard.refusal(ALONE + PAUSE)
    loop_guard.heard(ALONE, program=False)
    assert not loop_guard.refusal(ALONE)


def heard(**values: object) -> Heard:
    return Heard(1, "Room A", 0, "ann", ANN, "hi", **{"allowed": True, **values})  # type: ignore[arg-type]


def test_who_is_not_allowed_wakes_nobody_whatever_they_say():
    assert heard().wakes(mention=False)
    for other in (heard(allowed=False, mentions=True), heard(own=True), heard(old=True, mentions=True)):
        assert not other.wakes(mention=False)


def test_a_program_wakes_only_by_naming_the_agent():
    assert not heard(program=True).wakes(mention=False)
    assert heard(program=True, mentions=True).wakes(mention=False)
    assert not heard().wakes(mention=True)


def test_keys_are_allowed_and_nicks_are_not():
    assert Allowed(frozenset([ANN])).includes(ANN) and not Allowed(frozenset([ANN])).includes("~1")
    assert not Allowed().includes(ANN) and Allowed(everybody=True).includes("~1")
