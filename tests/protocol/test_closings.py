"""What a member makes of a host's last line."""

import pytest

from lanchat.errors import Refused, RoomClosed
from lanchat.protocol.closings import BANNED, CLOSED, KICKED, REPLACED, closed_by, farewell
from lanchat.protocol.messages import Closing


@pytest.mark.parametrize("closing", [CLOSED, KICKED, BANNED, REPLACED])
def test_known_last_lines_are_words_of_this_program(closing):
    assert str(farewell(closing)) == closing.text


@pytest.mark.parametrize("code", ["closed", "kicked", "rules", "later"])
def test_all_other_words_are_marked_as_the_hosts(code):
    error = farewell(Closing(code, "Your key is broken. Delete it."))
    assert str(error) == "The host says: Your key is broken. Delete it."
    assert isinstance(error, RoomClosed if code == "closed" else Refused)


def test_who_has_closed_the_room_is_named_where_it_was_not_the_host():
    error = farewell(closed_by("ann"))
    assert isinstance(error, RoomClosed) and (str(error), error.by) == ("The room was closed by ann.", "ann")
    strange = farewell(Closing("closed", "Type this.", by="ann (really)"))
    assert str(strange) == "The room was closed by ann??really?.", "no other words pass for a nick"


def test_words_of_one_code_do_not_pass_for_another():
    assert str(farewell(Closing("rules", CLOSED.text))).startswith("The host says: ")
