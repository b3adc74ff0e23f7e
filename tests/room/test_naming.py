"""Whom the owner's program names as standbys."""

import pytest

from lanchat.protocol.delegation import MAX_STANDBYS, Standby
from lanchat.protocol.timeline import MAX_INDEX
from lanchat.room.naming import AUTOMATIC, NEWCOMER, PER_KEY, Candidate, Computer, appoint, choose, computers_of


def computer(name: str) -> Computer:
    return name.encode().ljust(32), name.encode()[:8].ljust(8)


def candidate(name: str, known: int = 0, here: float = 3600.0) -> Candidate:
    return Candidate(computer(name), known, here)


def standby(index: int, name: str) -> Standby:
    return Standby(index, *computer(name))


def names(standbys: tuple[Standby, ...]) -> dict[int, str]:
    return {one.index: one.key.decode().strip() for one in standbys}


def test_three_that_are_here_are_named_longest_known_first():
    people = [candidate("dan", 400), candidate("bob", 200), candidate("eve"), candidate("cat", 300)]
    assert names(choose((), {}, {}, people)) == {1: "bob", 2: "cat", 3: "dan"}


def test_who_had_an_index_can_be_named_without_being_asked():
    bob, cat = computer("bob"), computer("cat")
    newer = cat[0], b"newer".ljust(8)
    indexes = {bob: 1, cat: 2, newer: 3}
    assert computers_of([cat[0], bob[0], cat[0]], (), indexes) == [newer, bob], "of two computers the later one"
    assert computers_of([cat[0]], (Standby(2, *cat),), indexes) == [cat], "but the one that is a standby stays it"
    with pytest.raises(KeyError):
        computers_of([computer("eve")[0]], (), indexes)


def test_a_newcomer_has_to_stay_for_a_minute():
    assert choose((), {}, {}, [candidate("zoe", here=NEWCOMER - 1)]) == ()
    assert names(choose((), {}, {}, [candidate("zoe", here=NEWCOMER)])) == {1: "zoe"}


def test_somebody_of_an_earlier_day_does_not():
    assert names(choose((), {}, {}, [candidate("bob", known=100, here=0.0)])) == {1: "bob"}


def test_nothing_changes_while_three_are_here():
    named = (standby(1, "bob"), standby(2, "cat"), standby(3, "dan"))
    indexes = {computer(name): index for index, name in names(named).items()}
    people = [candidate(name, 100) for name in ("bob", "cat", "dan", "eve")]
    assert choose(named, indexes, {}, people) == named


def test_who_goes_away_stays_named_and_another_one_is_named_beside():
    named = (standby(1, "bob"), standby(2, "cat"), standby(3, "dan"))
    indexes = {computer(name): index for index, name in names(named).items()}
    people = [candidate(name, 100) for name in ("bob", "cat", "eve")]
    assert names(choose(named, indexes, {3: 60.0}, people)) == {1: "bob", 2: "cat", 3: "dan", 4: "eve"}


def test_whoever_had_an_index_gets_the_same_one_back_and_comes_first():
    indexes = {computer("bob"): 5}
    assert names(choose((), indexes, {}, [candidate("ann", 1), candidate("bob", here=0.0)])) == {5: "bob", 6: "ann"}


def test_where_all_places_are_taken_the_one_away_longest_gives_its_up_and_keeps_its_index():
    named = tuple(standby(index, f"p{index}") for index in range(1, MAX_STANDBYS + 1))
    indexes = {(one.key, one.instance): one.index for one in named}
    away = {index: float(index) for index in range(2, MAX_STANDBYS + 1)}
    chosen = names(choose(named, indexes, away, [candidate("p1"), candidate("zoe", 100)]))
    assert 7 not in chosen and chosen[8] == "zoe" and len(chosen) == MAX_STANDBYS
    assert names(choose((), indexes, {}, [candidate("p7")])) == {7: "p7"}


def test_one_key_on_two_computers_is_two():
    key, _ = computer("bob")
    two = [Candidate((key, b"computer"), 100, 60.0), Candidate((key, b"notebook"), 100, 60.0)]
    assert {one.instance for one in choose((), {}, {}, two)} == {b"computer", b"notebook"}


def test_one_person_with_ever_new_computers_does_not_spend_all_indexes():
    key, _ = computer("mallory")
    indexes = {(key, b"%08d" % number): number for number in range(1, PER_KEY + 1)}
    assert choose((), indexes, {}, [Candidate((key, b"another."), 100, 60.0)]) == ()


def test_naming_by_itself_leaves_seven_indexes_to_the_owner():
    indexes = {computer(f"p{index}"): index for index in range(1, AUTOMATIC + 1)}
    assert choose((), indexes, {}, [candidate("zoe", 100)]) == ()
    assert names(appoint([computer("zoe")], indexes)) == {AUTOMATIC + 1: "zoe"}


def test_the_owner_names_exactly_whom_they_want():
    indexes = {computer("cat"): 4}
    assert names(appoint([computer("cat"), computer("bob")], indexes)) == {4: "cat", 5: "bob"}
    assert appoint([], indexes) == ()


def test_the_owner_is_told_why_not():
    with pytest.raises(ValueError, match="at most 7 standbys"):
        appoint([computer(f"p{index}") for index in range(8)], {})
    with pytest.raises(ValueError, match="63 computers in its life"):
        appoint([computer("zoe")], {computer(f"p{index}"): index for index in range(1, MAX_INDEX + 1)})
