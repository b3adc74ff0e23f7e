"""Thousands of runs of a room that moves, by the real rules; and that the model would notice if one were missing.

A fault names its seed: `Simulation(seed, ...).run()` shows it again.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from lanchat.protocol import timeline
from tests.room.succession_model import Rules, Simulation
from tests.support.longer import TIMES

SETTINGS: dict[str, dict[str, Any]] = {
    "three computers, five people": {},
    "two computers, two people": {"standbys": 1, "members": 1},
    "four computers, eight people": {"standbys": 3, "members": 4},
    "single pairs are cut off, and disks lag": {"cuts": "pairs", "lazy_disk": True},
    "the owner names and removes standbys": {"changing": True, "standbys": 3},
    "disks are too full to host at times": {"full": True, "standbys": 3},
}
ONE_CRASH: dict[str, Any] = {"cuts": "none", "one_crash": True}


def faults(seeds: range, **settings) -> Iterator[tuple[int, list[str]]]:
    """The seeds of runs that went wrong, and how."""
    runs = ((seed, Simulation(seed, **settings).run()) for seed in seeds)
    return ((seed, wrong) for seed, wrong in runs if wrong)


def found(seeds: Iterator[object]) -> bool:
    """Whether there is one; it is not looked for a second."""
    return next(seeds, None) is not None


def lacking(seeds: range, **settings) -> Iterator[int]:
    """The seeds of runs in which a new host lacked a line that was acknowledged on two disks."""
    for seed in seeds:
        simulation = Simulation(seed, **ONE_CRASH, **settings)
        simulation.run()
        if simulation.absent:
            yield seed


def total(count: str, seeds: range, **settings) -> int:
    """How often something happened in these runs."""
    runs = [Simulation(seed, **settings) for seed in seeds]
    for one in runs:
        one.run()
    return sum(getattr(one, count) for one in runs)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_nobody_has_a_reason_to_complain(settings):
    assert [*faults(range(4), **settings)] == []


@pytest.mark.full
@pytest.mark.parametrize("first", range(4, 4 + 300 * TIMES, 100))
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_nobody_has_a_reason_to_complain_in_hundreds_of_runs(settings, first):
    assert [*faults(range(first, first + 100), **settings)] == []


def test_the_room_does_move():
    simulation = Simulation(0)
    simulation.run()
    assert simulation.terms > 1 and simulation.acknowledged


def test_what_was_acknowledged_on_two_disks_is_there_at_once():
    assert [*lacking(range(8))] == []


@pytest.mark.full
@pytest.mark.parametrize("first", range(8, 8 + 300 * TIMES, 100))
def test_what_was_acknowledged_on_two_disks_is_there_at_once_in_hundreds_of_runs(first):
    assert [*lacking(range(first, first + 100))] == []


def test_what_a_computer_has_that_cannot_host_is_there_at_once_as_well():
    settings: dict[str, Any] = {"full": True, "standbys": 3}
    assert [*lacking(range(10, 20), **settings)] == []
    assert found(lacking(range(18, 20), rules=Rules(fetch=False), **settings))


# The seeds begin where a fault is near, so that the quick tests stay quick.


@pytest.mark.parametrize(
    ("missing", "first"), [("say_again", 81), ("use_timeline", 8), ("own_index", 34), ("term_above", 190)]
)
def test_without_one_of_the_rules_lines_are_lost_or_stand_in_the_wrong_place(missing, first):
    assert found(faults(range(first, first + 20), rules=Rules(**{missing: False})))


@pytest.mark.parametrize(("missing", "first"), [("wait_for_sync", 31), ("ask_first", 9)])
def test_without_one_of_the_rules_a_new_host_lacks_what_was_acknowledged(missing, first):
    assert found(lacking(range(first, first + 40), rules=Rules(**{missing: False})))


def test_with_old_delegations_the_room_is_left_without_one_host():
    assert found(faults(range(176, 196), changing=True, rules=Rules(newest_only=False)))


def test_with_a_key_on_two_computers_that_both_count_the_room_is_left_without_one_host():
    assert [*faults(range(50, 54), twin=True)] == []
    assert found(faults(range(50, 70), twin=True, rules=Rules(instance=False)))


def test_records_that_show_few_terms_leave_holes_where_older_ones_count_as_covered(monkeypatch):
    assert found(faults(range(45, 65), record=2))
    monkeypatch.setattr(timeline, "MAX_ENTRIES", 2)  # so whose last term is not shown asks for everything
    assert [*faults(range(45, 50), record=2)] == []


def test_of_two_hosts_with_and_without_company_fewer_people_are_drawn_away():
    assert total("drawn", range(356, 366)) < total("drawn", range(356, 366), rules=Rules(company=False))


def test_nobody_claims_while_another_standby_has_just_heard_the_host():
    settings = SETTINGS["single pairs are cut off, and disks lag"]
    assert total("rash", range(15, 18), **settings) == 0
    assert total("rash", range(15, 35), rules=Rules(hears=False), **settings) > 0
