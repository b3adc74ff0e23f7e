"""A crowd as those hear it who are in it. Three people are one here."""

from msgspec.structs import replace

from lanchat.client.events import ListedPeople, PrivateMessage
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Joined, Left
from lanchat.protocol.people import Crowd
from tests.support.people import Listener
from tests.support.waiting import wait_until

FEW = replace(DEFAULT_LIMITS, crowd=2, crowd_over=2)


def test_people_of_a_crowd_find_each_other_and_write_to_each_other(host, join, identity):
    room = host(limits=FEW)
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    ann.hear_kind(Joined, nick="bob")
    cat = Listener(join(room, "cat"))
    ann.hear_kind(Crowd, people=3)
    dan = Listener(join(room, "dan"))
    dan.round_trip("hi all")
    ann.hear_text("hi all")
    assert [item.nick for item in ann.items if isinstance(item, Joined)] == ["ann", "bob", "cat"]
    ann.member.outgoing.tell("dan", "psst", to=identity("dan").id)  # without a key: the host is asked for it
    dan.hear_kind(PrivateMessage, text="psst", by=identity("ann").id)
    for one in (bob, cat):
        one.member.close()
    wait_until(lambda: room.people == 2)
    dan.member.close()
    ann.hear_kind(ListedPeople, all=True)
    listed = next(item for item in ann.items if isinstance(item, ListedPeople))
    assert [one.nick for one in listed.present] == ["ann"]
    assert [item for item in ann.items if isinstance(item, Left)] == []
