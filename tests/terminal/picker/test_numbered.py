"""The list of rooms as numbered lines, for a terminal that knows no escape sequences."""

import io

from lanchat.discovery.sighting import Listing
from lanchat.terminal.picker.numbered import pick_by_number
from lanchat.terminal.picker.picker import Chosen, HostNew, Picked, Quit
from tests.support.listings import room


class Rooms:
    def __init__(self, *listings: Listing) -> None:
        self._listings = listings

    def listings(self) -> tuple[Listing, ...]:
        return self._listings

    def problems(self) -> tuple[str, ...]:
        return ()


def pick(rooms: Rooms, *answers: str) -> tuple[Picked, str]:
    """What was chosen by these answers, and what was printed."""
    talk, left = io.StringIO(), [*answers]
    return pick_by_number(rooms, lambda question: left.pop(0), talk=talk, look=0.0), talk.getvalue()


A, B = room("Room A", people=1), room("Standup", "eve", 2, password=True)


def test_a_room_is_chosen_by_its_number_or_its_title():
    picked, printed = pick(Rooms(A, B), "2")
    assert picked == Chosen(B)
    assert (
        "  1  Room A   ann  1 person  10.0.0.2:47474\n  2  Standup  eve  2 people  10.0.0.2:47474  password\n"
        in printed
    )
    assert pick(Rooms(A, B), "room a")[0] == Chosen(A)


def test_what_names_no_room_is_asked_again():
    picked, printed = pick(Rooms(A), "7", "0", "room", "", "1")
    assert picked == Chosen(A)
    assert printed.count("Type a number from 1 to 1, or q.") == 3
    assert printed.count("Looking for rooms …") == 2, "an empty answer looks again"


def test_a_room_is_hosted_by_its_title():
    picked, printed = pick(Rooms(), "h", "h \x07", "h Room B")
    assert picked == HostNew("Room B")
    assert "No rooms yet." in printed and "Type h and the title" in printed and "title" in printed.lower()


def test_q_quits():
    assert pick(Rooms(A), "q")[0] == Quit()
