"""Members who are away, and members who ask for another nick."""

from lanchat.protocol.messages import Left, Notice, Present, Rename, Renamed, Say
from lanchat.protocol.status import Away, Status
from lanchat.room.effects import Announce, Reply
from tests.support.rooms import admit, refused, room_with

# ---- away


def test_everybody_is_told_who_is_away_and_a_newcomer_sees_it():
    room, _, ann = room_with("hal", "ann")
    status = Status("id-ann", "ann", "lunch")
    assert room.decide(ann, Away(" lunch "), 0) == [Announce(status)]
    assert admit(room, "bob").present[1] == Present("id-ann", "ann", away="lunch")
    assert room.decide(ann, Away("lunch"), 0) == [], "nothing changes"
    assert room.decide(ann, Away(""), 0) == [Announce(Status("id-ann", "ann"))]


def test_an_away_text_that_is_too_long_is_refused():
    room, ann = room_with("ann")
    [reply] = room.decide(ann, Away("\N{SNOWMAN}" * 200), 0)
    assert isinstance(reply, Reply) and isinstance(reply.message, Notice) and reply.message.code == "rules"
    assert ann.away == ""


# ---- another nick


def test_a_member_can_change_the_nick():
    room, ann, bob = room_with("ann", "bob")
    assert room.act(ann, Rename("anna"), 5) == [Renamed(3, 5, "id-ann", "ann", "anna")]
    assert room.act(ann, Say("1", "hi"), 6)[0].nick == "anna"
    assert room.go(ann, 7) == Left(5, 7, "id-ann", "anna")


def test_a_taken_nick_is_refused_with_a_proposal():
    room, ann, bob = room_with("ann", "bob")
    [told] = room.act(ann, Rename("BOB"), 0)
    assert told.message.code == "nick" and told.message.text.endswith("BOB2 is free.")
    assert room.act(ann, Rename("no nick"), 0)[0].message.code == "rules"
    assert (ann.nick, room.seq) == ("ann", 2)


def test_a_nick_of_ones_own_other_window_is_not_somebody_elses():
    room, ann = room_with("ann")
    room.come("anna", "id-ann")
    [told] = room.act(ann, Rename("ANNA"), 0)
    assert told.message == Notice("nick", "You are ANNA already, in another window.")


def test_a_member_can_change_the_case_of_the_nick():
    room, ann = room_with("ann")
    assert room.act(ann, Rename("ann"), 0) == []
    assert room.act(ann, Rename("Ann"), 0) == [Renamed(2, 0, "id-ann", "ann", "Ann")]
    assert refused(room, "ann", "id-eve").code == "nick"
