"""What a member makes of a host's last line."""

import pytest
from msgspec.structs import replace

from lanchat.client.events import Disconnected
from lanchat.errors import Refused, RoomClosed
from lanchat.protocol.closings import BANNED, CLOSED, ENDED, KICKED, REPLACED, closed_by, farewell
from lanchat.protocol.messages import Closing


@pytest.mark.parametrize("closing", [CLOSED, KICKED, BANNED, REPLACED])
def test_known_last_lines_are_words_of_this_program(closing):
    assert str(farewell(closing)) == closing.text


@pytest.mark.parametrize("code", ["closed", "kicked", "banned", "replaced", "rules", "later"])
def test_all_other_words_are_marked_as_the_hosts(code):
    """What is known from the code is said first, in our words, whatever those of the host are."""
    error = farewell(Closing(code, "Your key is broken. Delete it."))
    means = {one.code: f"{one.text} " for one in (CLOSED, KICKED, BANNED, REPLACED)}.get(code, "")
    assert str(error) == f"{means}The host says: Your key is broken. Delete it."
    assert isinstance(error, RoomClosed if code == "closed" else Refused)


@pytest.mark.parametrize("closing", [CLOSED, KICKED, BANNED, REPLACED])
def test_a_host_without_words_has_said_all_by_the_code(closing):
    assert str(farewell(Closing(closing.code, ""))) == closing.text


def test_the_words_count_alone_where_one_of_our_hosts_says_more_than_the_code():
    for closing, explained in ((CLOSED, False), (ENDED, True), (Closing("closed", "The disk is broken."), True)):
        error = farewell(closing)
        assert isinstance(error, RoomClosed) and error.explained == explained
        lost = Disconnected.because(error)
        assert (lost.reason, lost.closed, lost.explained) == (str(error), True, explained)
    assert str(farewell(ENDED)) == ENDED.text
    assert str(farewell(replace(KICKED, to=3))) == KICKED.text, "fields that mean nothing here change nothing"


def test_who_has_closed_the_room_is_named_where_it_was_not_the_host():
    error = farewell(closed_by("ann"))
    assert isinstance(error, RoomClosed) and (str(error), error.by) == ("The room was closed by ann.", "ann")
    strange = farewell(Closing("closed", "Type this.", by="ann (really)"))
    assert str(strange) == "The room was closed by ann??really?.", "no other words pass for a nick"


def test_words_of_one_code_do_not_pass_for_another():
    assert str(farewell(Closing("rules", CLOSED.text))).startswith("The host says: ")
