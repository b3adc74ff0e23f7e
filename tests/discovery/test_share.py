"""Which rooms of a machine with many are listed. Time is a number in seconds."""

from dataclasses import replace

import pytest

from lanchat.discovery.share import CHOOSING, MAX_OF_ONE_MACHINE, TOLD_FOR, Shares
from lanchat.discovery.sighting import Sighting
from lanchat.protocol.address import Endpoint

PORT = 47474


def room(number: int, machine: str = "192.168.1.7") -> Sighting:
    """The room that was opened as this one of its machine."""
    where = (Endpoint(machine, PORT + number),)
    return Sighting("announce", str(number), f"{number:032}", f"Room {number}", "ann", where, machine=machine)


def listed(shares: Shares, numbers: list[int], seen_at: dict[int, float] | None = None) -> list[int]:
    """The rooms of one machine that are listed when these are seen in this order."""
    present: dict[int, tuple[Sighting, float]] = {}
    for number in numbers:
        now = (seen_at or {}).get(number, 0.0)
        if shares.is_full(room(number), present):
            replaced = shares.replaced_by(room(number), present, now)
            if replaced is None:
                continue
            del present[replaced]
        present[number] = room(number), now
    return sorted(present)


def test_the_oldest_rooms_of_a_machine_are_listed_in_whatever_order_they_are_seen():
    oldest = list(range(MAX_OF_ONE_MACHINE))
    assert listed(Shares(), list(range(30))) == listed(Shares(), list(range(30))[::-1]) == oldest


def test_a_known_room_and_the_one_that_is_looked_for_are_listed_in_any_case():
    shares = Shares(known={room(20).room_id}, wanted="room 25")
    expected = [*range(MAX_OF_ONE_MACHINE - 2), 20, 25]
    assert listed(shares, list(range(30))) == listed(shares, list(range(30))[::-1]) == expected
    assert 27 in listed(Shares(wanted=room(27).room_id), list(range(30)))


@pytest.mark.parametrize(("title", "wanted"), [("Café", "cafe"), ("It’s Room 25", "it's room 25"), ("Größe", "GRÖSSE")])
def test_the_room_that_is_looked_for_is_listed_by_every_title_that_a_search_finds(title, wanted):
    present = {number: (room(number), 0.0) for number in range(MAX_OF_ONE_MACHINE)}
    newcomer = replace(room(25), title=title)
    assert Shares(wanted=wanted).replaced_by(newcomer, present, CHOOSING) == MAX_OF_ONE_MACHINE - 1
    assert Shares(wanted="Tea").replaced_by(newcomer, present, CHOOSING) is None


def test_later_an_older_room_does_not_push_out_a_listed_one():
    """Otherwise a flood in the name of that machine could empty the list."""
    late = list(range(10, 10 + MAX_OF_ONE_MACHINE))
    assert listed(Shares(), [*late, 1], {1: CHOOSING}) == late
    assert 1 in listed(Shares(), [*late, 1], {1: CHOOSING - 0.1})


def test_that_there_are_more_rooms_is_said_as_long_as_they_are_announced():
    shares = Shares()
    listed(shares, list(range(MAX_OF_ONE_MACHINE)))
    assert shares.crowded(0.0) == []
    listed(shares, list(range(MAX_OF_ONE_MACHINE + 1)))
    assert shares.crowded(TOLD_FOR - 0.1) == ["192.168.1.7"]
    assert shares.crowded(TOLD_FOR) == []


def test_rooms_of_this_machine_have_no_share():
    assert not Shares().is_full(room(1, "127.0.0.1"), range(100))
