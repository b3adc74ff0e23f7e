"""Thousands of evenings of a room that moves, by the real rules; and that the model would notice if one were missing.

A fault names its seed: `Evening(seed, ...).run()` shows it again.
"""

from typing import Any

import pytest

from tests.room.succession_model import Evening, Rules

EVENINGS: dict[str, dict[str, Any]] = {
    "three computers, five people": {},
    "two computers, two people": {"standbys": 1, "members": 1},
    "four computers, eight people": {"standbys": 3, "members": 4},
    "single pairs are cut off, and disks lag": {"cuts": "pairs", "lazy_disk": True},
    "the owner names and removes standbys": {"changing": True, "standbys": 3},
}
ONE_CRASH: dict[str, Any] = {"cuts": "none", "one_crash": True}


def faults(seeds: range, **settings) -> dict[int, list[str]]:
    runs = ((seed, Evening(seed, **settings).run()) for seed in seeds)
    return {seed: wrong for seed, wrong in runs if wrong}


def absent(seeds: range, **settings) -> int:
    """Lines that were acknowledged on two disks, and that a new host lacked."""
    evenings = [Evening(seed, **ONE_CRASH, **settings) for seed in seeds]
    for evening in evenings:
        evening.run()
    return sum(evening.absent for evening in evenings)


@pytest.mark.parametrize("settings", EVENINGS.values(), ids=EVENINGS)
def test_nobody_has_a_reason_to_complain(settings):
    assert faults(range(15), **settings) == {}


@pytest.mark.full
@pytest.mark.parametrize("first", range(15, 615, 100))
@pytest.mark.parametrize("settings", EVENINGS.values(), ids=EVENINGS)
def test_nobody_has_a_reason_to_complain_in_hundreds_of_evenings(settings, first):
    assert faults(range(first, first + 100), **settings) == {}


def test_the_room_does_move():
    evening = Evening(0)
    evening.run()
    assert evening.terms > 1 and evening.acknowledged


def test_what_was_acknowledged_on_two_disks_is_there_at_once():
    assert absent(range(40)) == 0


@pytest.mark.full
@pytest.mark.parametrize("first", range(40, 640, 100))
def test_what_was_acknowledged_on_two_disks_is_there_at_once_in_hundreds_of_evenings(first):
    assert absent(range(first, first + 100)) == 0


# The seeds begin where a fault is near, so that the quick tests stay quick.


@pytest.mark.parametrize(("missing", "first"), [("say_again", 81), ("use_timeline", 0), ("own_index", 30)])
def test_without_one_of_the_rules_the_room_loses_lines(missing, first):
    assert faults(range(first, first + 20), rules=Rules(**{missing: False}))


@pytest.mark.parametrize("missing", ["wait_for_sync", "ask_first"])
def test_without_one_of_the_rules_a_new_host_lacks_what_was_acknowledged(missing):
    assert absent(range(40), rules=Rules(**{missing: False}))


def test_with_old_delegations_the_room_is_left_without_one_host():
    assert faults(range(170, 190), changing=True, rules=Rules(newest_only=False))
