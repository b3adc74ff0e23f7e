"""The names of channels."""

from lanchat.gateway.channel_names import channel_names


def test_the_first_room_of_a_title_has_the_short_name():
    rooms = [("aaaa1", "Room A"), ("bbbb2", "room a"), ("cccc3", "Room B")]
    assert channel_names(rooms, {}) == {"aaaa1": "#room-a", "bbbb2": "#room-a-bbbb", "cccc3": "#room-b"}


def test_a_room_that_was_entered_keeps_its_name():
    assert channel_names([("aaaa1", "Room A")], {"#room-a": "bbbb2"}) == {"bbbb2": "#room-a", "aaaa1": "#room-a-aaaa"}
    assert channel_names([("aaaa1", "Room A"), ("aaaa2", "Room A"), ("aaaa3", "Room A")], {}).keys() == {
        "aaaa1",
        "aaaa2",
    }


def test_a_long_title_leaves_room_for_the_digits():
    names = channel_names([("aaaa1", "x" * 60), ("bbbb2", "x" * 60)], {})
    assert all(len(name) <= 50 for name in names.values()) and len(set(names.values())) == 2
