"""Who is in a room by which of its hosts."""

from lanchat.protocol.messages import UNNUMBERED, Joined, Left, Present, Renamed
from lanchat.server.engine.controls import Here, NotHere, Over
from lanchat.server.engine.people import People
from lanchat.server.engine.state import Person

ANN = ("ann-id", "ann")


def joined(id, nick):
    return Joined(UNNUMBERED, 5, id, nick)


def test_a_member_may_be_here_by_two_hosts():
    people = People(4, [3, 4], [Person(Present(*ANN), (3,))])
    assert (people.is_here(*ANN), people.is_elsewhere(*ANN)) == (False, True)
    people.apply(Here(*ANN), 4)
    assert people.leases("ann-id", "ANN") == {3, 4}
    people.apply(NotHere(*ANN), 3)
    assert (people.is_here(*ANN), people.is_elsewhere(*ANN)) == (True, False)
    people.apply(Left(UNNUMBERED, 5, *ANN), 4)
    assert people.is_ghost(*ANN)


def test_who_has_lost_the_host_is_a_ghost_until_another_one_has_them():
    people = People(4, [3, 4], ())
    people.apply(joined(*ANN), 3)
    people.apply(joined("bob-id", "bob"), 3)
    people.apply(Here("bob-id", "bob"), 4)
    assert (people.is_first, people.is_alone, people.has_elsewhere("ann-id")) == (False, False, True)
    people.apply(Over(3), 0)
    assert (people.is_first, people.is_alone, people.has_elsewhere("ann-id")) == (True, True, False)
    assert (people.is_ghost(*ANN), people.is_ghost("bob-id", "bob")) == (True, False)
    people.apply(Here(*ANN), 5)
    assert not people.is_ghost(*ANN) and people.is_elsewhere(*ANN)


def test_a_member_with_another_nick_is_where_they_were():
    people = People(4, [4], ())
    people.apply(joined(*ANN), 4)
    people.apply(Renamed(UNNUMBERED, 5, "ann-id", "ann", "anna"), 4)
    assert people.is_here("ann-id", "anna") and people.is_ghost(*ANN)


def test_whoever_makes_room_for_the_next_start_of_this_host_is_still_itself():
    people = People(4, [4], ())
    people.apply(Over(4), 0)
    assert people.is_first
