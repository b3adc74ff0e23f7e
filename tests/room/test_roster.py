import pytest

from lanchat.protocol.ids import member_id
from lanchat.protocol.messages import Joined, Left, Moved, Present, Renamed, Said, Welcome
from lanchat.room.roster import SPEAKERS, Person, Roster


def view_of_ann() -> Roster:
    roster = Roster()
    roster.welcome(Welcome("id-ann", "ann", 3, 3, 1), (Present("id-hal", "hal", host=True),))
    roster.apply(Joined(4, 0, "id-ann", "ann"))
    return roster


def nicks(roster: Roster) -> list[str]:
    return [person.nick for person in roster.people.values()]


def test_the_roster_follows_joins_and_leaves():
    roster = view_of_ann()
    roster.apply(Joined(5, 0, "~1", "bob"))
    roster.apply(Said(6, 0, "id-hal", "hal", "1", "hi"))
    assert list(roster.people.values()) == [
        Person("id-hal", "hal", host=True),
        Person("id-ann", "ann"),
        Person("~1", "bob"),
    ]
    assert [person.verified for person in roster.people.values()] == [True, True, False]
    roster.apply(Left(7, 0, "~1", "bob"))
    assert nicks(roster) == ["hal", "ann"] and roster.seq == 7


def test_the_roster_follows_renames():
    roster = view_of_ann()
    roster.apply(Renamed(5, 0, "id-ann", "ann", "anna"))
    assert roster.nick == "anna"
    roster.apply(Renamed(6, 0, "id-hal", "hal", "hall"))
    assert roster.nick == "anna" and nicks(roster) == ["anna", "hall"]
    assert roster.people["id-hal", "hall"].host


def test_events_of_the_past_change_nothing_in_the_list_of_people():
    """A returning member gets the people of now first, and then the events that it missed."""
    roster = Roster()
    roster.welcome(Welcome("id-ann", "ann", 10, 9, 1), (Present("id-hal", "hall", host=True),))
    for event in (
        Joined(7, 0, "~1", "bob"),
        Renamed(8, 0, "id-hal", "hal", "hall"),
        Renamed(9, 0, "id-ann", "ann", "anna"),
        Left(10, 0, "id-ann", "anna"),
    ):
        roster.apply(event)
    assert list(roster.people.values()) == [Person("id-hal", "hall", host=True)]
    assert (roster.nick, roster.seq) == ("ann", 10)


def test_a_member_who_left_before_the_welcome():
    roster = view_of_ann()
    roster.apply(Left(5, 0, "id-eve", "eve"))
    assert nicks(roster) == ["hal", "ann"]


def test_who_hosts_changes_when_the_room_moves():
    roster = Roster()
    roster.welcome(Welcome("id-ann", "ann", 1, 1, 2), (Present("id-hal", "hal", True), Present("id-ann", "ann")))
    roster.apply(Moved(2, 0, "id-ann", "ann", epoch=65, before="hal", reason="handover"))
    assert [(person.nick, person.host) for person in roster.people.values()] == [("hal", False), ("ann", True)]


def test_who_has_left_is_still_known_by_key_and_the_first_one_who_was_called_so():
    """Else the host could say that somebody who has just gone has another key."""
    bob, eve = (Person(member_id(key), "bob", key=key) for key in (b"b" * 32, b"e" * 32))
    roster = view_of_ann()
    roster.apply(Joined(5, 0, "~1", "guest"))
    roster.apply(Left(6, 0, "~1", "guest"))
    for seq, person in ((7, bob), (9, eve)):
        roster.apply(Joined(seq, 0, person.id, person.nick, key=person.key))
        assert roster.addressee("Bob") == person, "who is there comes first"
        roster.apply(Left(seq + 1, 0, person.id, person.nick))
        assert roster.addressee("bob") == roster.member(bob.id) == bob
    assert roster.addressee("guest") is roster.addressee("nobody") is None


def test_who_was_there_before_a_reconnect_is_still_known_by_key():
    key = b"b" * 32
    roster = view_of_ann()
    roster.apply(Joined(5, 0, member_id(key), "bob", key=key))
    roster.welcome(Welcome("id-ann", "ann", 9, 9, 0), ())
    assert roster.addressee("bob") == Person(member_id(key), "bob", key=key) and roster.person("bob") is None


def test_a_key_is_believed_only_where_it_fits_the_id():
    """Else a host could put its own key between two people."""
    key, id = b"k" * 32, member_id(b"k" * 32)
    roster = Roster()
    people = (Present(id, "bob", key=key), Present("0" * 32, "eve", key=key), Present("1" * 32, "cut", key=key[:31]))
    roster.welcome(Welcome("id-ann", "ann", 0, 0, 3), people)
    assert [person.key for person in roster.people.values()] == [key, b"", b""]
    roster.apply(Left(1, 0, id, "bob"))
    roster.apply(Joined(2, 0, id, "bob", key=key))
    roster.apply(Renamed(3, 0, id, "bob", "rob"))
    roster.apply(Joined(4, 0, "2" * 32, "mallory", key=key))
    assert roster.member(id) == Person(id, "rob", key=key)
    assert roster.member("2" * 32) == Person("2" * 32, "mallory") and roster.member("3" * 32) is None


def test_a_nick_of_two_keys_has_a_rival_for_each():
    bob, eve = (Person(member_id(key), "bob", key=key) for key in (b"b" * 32, b"e" * 32))
    roster = view_of_ann()
    roster.apply(Joined(5, 0, bob.id, "bob", key=bob.key))
    assert roster.rival(bob) is None
    roster.apply(Renamed(6, 0, bob.id, "bob", to="bobby"))
    assert roster.addressee("bob") == bob and roster.rival(bob) is None, "the nick is his"
    roster.apply(Joined(7, 0, eve.id, "Bob", key=eve.key))
    assert roster.rival(Person(eve.id, "Bob", key=eve.key)) == bob
    assert roster.rival(Person(bob.id, "bobby", key=bob.key)) is None


def test_our_own_nick_is_no_address_even_before_we_have_heard_of_ourselves():
    roster = Roster()
    roster.welcome(Welcome("id-ann", "ann", 0, 0, 0), ())
    with pytest.raises(ValueError, match="Ann is you."):
        roster.addressee("Ann")
    assert roster.addressee("bob") is None


def crowd_of_ann() -> Roster:
    """Ann knows two people when the room becomes a crowd."""
    roster = view_of_ann()
    roster.host_id = "id-hal"
    roster.apply(Joined(5, 0, member_id(KEY), "bob", key=KEY))
    roster.crowded(612)
    return roster


KEY = b"k" * 32


def test_in_a_crowd_the_host_and_we_are_known_and_those_who_spoke():
    roster = crowd_of_ann()
    assert nicks(roster) == ["hal", "ann"] and roster.number == 612
    roster.apply(Said(6, 0, member_id(KEY), "bob", "1", "hi"))
    roster.apply(Said(7, 0, "id-cat", "cat", "2", "hi"))
    assert nicks(roster) == ["hal", "ann", "bob", "cat"]
    assert roster.people[member_id(KEY), "bob"].key == KEY, "a key that was seen once is remembered"
    roster.crowded(700)
    assert nicks(roster) == ["hal", "ann", "bob", "cat"] and roster.number == 700


def test_of_a_crowd_the_last_who_spoke_are_known():
    roster = crowd_of_ann()
    for number in range(SPEAKERS):
        roster.apply(Said(10 + number, 0, f"id-{number}", f"n{number}", "1", "hi"))
    roster.apply(Said(900, 0, "id-2", "n2", "2", "again"))
    assert len(roster.people) == SPEAKERS
    assert nicks(roster)[:3] == ["hal", "ann", "n3"] and nicks(roster)[-1] == "n2"


def test_a_private_message_finds_whom_a_page_of_the_crowd_has_shown():
    roster = crowd_of_ann()
    other = b"o" * 32
    roster.listed((Present(member_id(other), "dan", key=other),), more=True)
    assert nicks(roster) == ["hal", "ann"] and roster.last_listed == "dan"
    found = roster.addressee("dan")
    assert found is not None and found.key == other


def test_after_the_crowd_everybody_is_known():
    roster = crowd_of_ann()
    roster.listed((Present("id-hal", "hal", host=True), Present("id-ann", "ann"), Present("~1", "eve")), all=True)
    assert nicks(roster) == ["hal", "ann", "eve"] and roster.number == 3
    roster.apply(Joined(8, 0, "id-fay", "fay"))
    assert roster.number == 4


def test_in_a_crowd_others_who_come_and_go_are_passed_over():
    """A computer that copies the room hears of everybody."""
    roster = crowd_of_ann()
    roster.apply(Joined(6, 0, "id-cat", "cat"))
    roster.apply(Renamed(7, 0, "id-cat", "cat", "kat"))
    roster.apply(Left(8, 0, "id-cat", "kat"))
    roster.apply(Renamed(9, 0, "id-ann", "ann", "anna"))
    assert nicks(roster) == ["hal", "anna"] and roster.nick == "anna"
