"""A crowd: so many people that a count takes the place of who comes and goes."""

import pytest
from msgspec.structs import replace

from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Joined, Left, Moved, Renamed, Said
from lanchat.protocol.people import PeopleEnd, PeopleList
from lanchat.room.crowd import PAGE, is_crowd, is_lost_in_crowd
from tests.support.rooms import LiveRoom, admit, room_with

FEW = replace(DEFAULT_LIMITS, crowd=3, crowd_over=2)


def test_a_room_is_a_crowd_above_one_limit_and_until_it_is_below_the_other():
    assert [is_crowd(people, FEW, before=False) for people in (1, 2, 3, 4)] == [False, False, False, True]
    assert [is_crowd(people, FEW, before=True) for people in (1, 2, 3, 4)] == [False, True, True, True]


@pytest.mark.parametrize(
    ("event", "lost"),
    [
        (Joined(1, 0, "b", "bob"), True),
        (Joined(1, 0, "h", "hal", host=True), False),
        (Left(1, 0, "b", "bob", "lost"), True),
        (Left(1, 0, "b", "bob", "kicked"), False),
        (Left(1, 0, "b", "bob", "banned"), False),
        (Renamed(1, 0, "b", "bob", "rob"), True),
        (Said(1, 0, "b", "bob", "1", "hi"), False),
        (Moved(1, 0, "b", "bob"), False),
    ],
    ids=str,
)
def test_what_is_lost_in_a_crowd(event, lost):
    assert is_lost_in_crowd(event) is lost


def test_a_room_that_starts_again_is_no_crowd():
    past = [Joined(seq, 0, f"id-{seq}", f"n{seq}") for seq in range(1, 6)]
    assert not LiveRoom("5" * 32, "Room A", "id-hal", past=past, limits=FEW).crowd


def listed(room, member, prefix="", after="") -> tuple[list[str], bool]:
    """The nicks of a page, and whether there are more."""
    *people, end = [reply.message for reply in room.act(member, PeopleList(prefix, after))]
    assert isinstance(end, PeopleEnd)
    return [one.nick for one in people], end.more


def test_a_crowd_is_listed_page_by_page_and_each_person_once():
    room, hal = room_with("hal")
    for number in range(2 * PAGE + 5):
        admit(room, f"Guest{number:03}")
    pages, after, more = [], "", True
    while more:
        page, more = listed(room, hal, after=after)
        pages.append(page)
        after = page[-1]
    assert [len(page) for page in pages] == [PAGE, PAGE, 6]
    assert [nick for page in pages for nick in page] == [f"Guest{number:03}" for number in range(2 * PAGE + 5)] + [
        "hal"
    ]


def test_somebody_is_found_by_the_beginning_of_their_nick_in_any_case():
    room, hal, *_ = room_with("hal", "Bob", "bobby", "cat")
    assert listed(room, hal, "BO") == (["Bob", "bobby"], False)
    assert listed(room, hal, "x") == ([], False)
    assert listed(room, hal, "b", after="bob") == (["bobby"], False)
