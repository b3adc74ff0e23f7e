from lanchat.protocol.messages import Joined, Left, Present, Renamed, Said, Welcome
from lanchat.room.roster import Person, RoomView


def view_of_ann() -> RoomView:
    view = RoomView()
    view.welcome(Welcome("id-ann", "ann", 3, 3, 1), (Present("id-hal", "hal", host=True),))
    view.apply(Joined(4, 0, "id-ann", "ann"))
    return view


def nicks(view: RoomView) -> list[str]:
    return [person.nick for person in view.people.values()]


def test_who_is_there():
    view = view_of_ann()
    view.apply(Joined(5, 0, "~1", "bob"))
    view.apply(Said(6, 0, "id-hal", "hal", "1", "hi"))
    assert list(view.people.values()) == [
        Person("id-hal", "hal", host=True),
        Person("id-ann", "ann"),
        Person("~1", "bob"),
    ]
    assert [person.verified for person in view.people.values()] == [True, True, False]
    view.apply(Left(7, 0, "~1", "bob"))
    assert nicks(view) == ["hal", "ann"] and view.seq == 7


def test_ones_own_nick_and_that_of_others():
    view = view_of_ann()
    view.apply(Renamed(5, 0, "id-ann", "ann", "anna"))
    assert view.nick == "anna"
    view.apply(Renamed(6, 0, "id-hal", "hal", "hall"))
    assert view.nick == "anna" and nicks(view) == ["anna", "hall"]
    assert view.people["id-hal", "hall"].host


def test_the_past_tells_what_the_list_of_people_knows_already():
    """Who comes back is told who is there now, then all that happened since, in that order."""
    view = RoomView()
    view.welcome(Welcome("id-ann", "ann", 10, 9, 1), (Present("id-hal", "hall", host=True),))
    for event in (
        Joined(7, 0, "~1", "bob"),
        Renamed(8, 0, "id-hal", "hal", "hall"),
        Renamed(9, 0, "id-ann", "ann", "anna"),
        Left(10, 0, "id-ann", "anna"),
    ):
        view.apply(event)
    assert list(view.people.values()) == [Person("id-hal", "hall", host=True)]
    assert (view.nick, view.seq) == ("ann", 10)


def test_somebody_who_left_before_we_heard_of_them():
    view = view_of_ann()
    view.apply(Left(5, 0, "id-eve", "eve"))
    assert nicks(view) == ["hal", "ann"]
