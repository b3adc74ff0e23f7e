"""Many messages of one member in a row have the same effect as one by one."""

import pytest

from lanchat.protocol.messages import Said, Say
from lanchat.room.effects import Repeated
from tests.support.rooms import room_with

USUAL = [Say("x", "one"), Say("y", "waves", action=True), Say("z", "\ttwo {[")]


def test_usual_messages_happen_together_as_they_would_one_by_one():
    room, ann = room_with("ann")
    other, same = room_with("ann")
    said = room.hear_all(ann, USUAL, 9)
    assert (said, None) == other.hear(same, iter(USUAL), 9)
    assert said[1] == Said(3, 9, "id-ann", "ann", "y", "waves", action=True)
    assert room.seq == other.seq == 4 and room.recent.since(-1) == other.recent.since(-1)
    assert room.say(ann, Say("z", "two"), 9) == Repeated(said[2])


@pytest.mark.parametrize(
    "odd",
    [
        Say("x", "one"),
        Say("known", "hi"),
        Say("new", "hi", again=True),
        Say("new", ""),
        Say("new", " "),
        Say("new", "two\nlines"),
        Say("new", "Gr\u00fc\u00dfe"),
        Say("new", "x" * 5000),
    ],
    ids=["twice", "known", "again", "empty", "blank", "lines", "not ASCII", "long"],
)
def test_where_one_message_is_unusual_nothing_happens_yet(odd: Say):
    room, ann = room_with("ann")
    assert len(room.hear_all(ann, [Say("known", "hi")], 9)) == 1
    assert not room.hear_all(ann, [*USUAL, odd], 9)
    assert room.seq == 2 and list(room.recent.said) == [("id-ann", "known")]


def test_while_the_disk_is_full_nothing_happens():
    room, ann = room_with("ann")
    room.unavailable = "the disk is full"
    assert not room.hear_all(ann, USUAL, 9) and room.seq == 1
