"""What a new session gets of a room."""

from msgspec.structs import replace

from lanchat.protocol.framing import encode
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Present, Rename, Said, Say
from lanchat.protocol.status import Away
from lanchat.room.snapshot import take_snapshot
from tests.support.rooms import admit, room_with

FEW = replace(DEFAULT_LIMITS, crowd=3, crowd_over=2)


def test_a_newcomer_gets_the_room_as_it_was_before_they_came():
    room, ann = room_with("ann", topic="plans")
    room.act(ann, Say("1", "hi"), now=7)
    room.act(ann, Away("lunch"))
    taken = take_snapshot(room, "id-bob", "bob", -1, 1)
    assert taken.present == (Present("id-ann", "ann", away="lunch"),)
    assert [type(event) for event in taken.past] == [Said], "who came and went before is nothing to a newcomer"
    welcome = taken.welcome
    assert (welcome.id, welcome.nick, welcome.topic) == ("id-bob", "bob", "plans")
    assert (welcome.seq, welcome.stored, welcome.people) == (room.seq, 1, 1)


def test_the_lines_about_people_follow_each_change_of_them():
    room, ann, bob = room_with("ann", "bob")

    def lines():
        return [member.line for member in take_snapshot(room, "id-cat", "cat", -1, 1).people]

    assert lines() == lines() == [encode(Present("id-ann", "ann")), encode(Present("id-bob", "bob"))]
    room.act(ann, Away("lunch"))
    bob.bot = True
    assert lines() == [encode(Present("id-ann", "ann", away="lunch")), encode(Present("id-bob", "bob", bot=True))]
    room.act(ann, Rename("anna"))
    room.act(ann, Away(""))
    assert lines() == [encode(Present("id-bob", "bob", bot=True)), encode(Present("id-ann", "anna"))]


def test_who_comes_back_gets_what_they_lack():
    room, ann = room_with("ann")
    had = room.seq
    room.act(ann, Say("1", "hi"))
    assert [event.seq for event in take_snapshot(room, "id-bob", "bob", had, had).past] == [had + 1]
    assert take_snapshot(room, "id-bob", "bob", room.seq, room.seq).past == ()


def test_a_newcomer_to_a_crowd_gets_the_host_and_a_number():
    room, *_ = room_with("hal", "ann", "bob", limits=FEW)
    entry = admit(room, "cat")
    assert entry.welcome.crowd == 0 and len(entry.present) == 3, "three are no crowd yet"
    assert room.crowd
    entry = admit(room, "dan")
    assert entry.welcome.crowd == 5 and entry.welcome.people == 1
    assert entry.present == (Present("id-hal", "hal", host=True),)


def test_who_comes_with_another_window_finds_themselves_among_the_present():
    room, *_ = room_with("hal", "ann", "bob", "cat", limits=FEW)
    entry = admit(room, "cat")
    assert [one.nick for one in entry.present] == ["hal", "cat"] and entry.welcome.crowd == 4


def test_the_past_that_a_crowd_gets_is_what_was_said():
    room, _, ann, *_ = room_with("hal", "ann", "bob", "cat", limits=FEW)
    before = room.seq
    admit(room, "dan")
    said = Said(room.seq + 1, 0, ann.id, ann.nick, "1", "hi")
    room.apply(said)
    assert admit(room, "eve", after=before).past == (said,)
