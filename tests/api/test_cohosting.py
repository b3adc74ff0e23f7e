"""When a host of a room on an engine is told that others host it, too."""

from lanchat.api.cohosting import SeenHosts

ANN, BOB, CAT = b"ann", b"bob", b"cat"


def test_who_comes_to_those_who_are_there_is_a_newcomer_and_who_was_found_at_the_beginning_is_not():
    seen = SeenHosts()
    assert not seen.has_newcomer({ANN, BOB})
    assert seen.has_newcomer({ANN, BOB, CAT})
    assert not seen.has_newcomer({ANN, CAT}), "one has gone"
    assert seen.has_newcomer({ANN, BOB, CAT})


def test_when_all_are_back_after_the_engine_was_away_nobody_is_a_newcomer():
    seen = SeenHosts()
    seen.has_newcomer({ANN, BOB, CAT})
    seen.lost()
    seen.lost()
    assert not seen.has_newcomer({ANN}), "the others come back a moment later"
    seen.lost()
    assert not seen.has_newcomer({ANN, BOB})
    assert not seen.has_newcomer({ANN, BOB, CAT})
    assert not seen.has_newcomer({ANN, BOB})
    assert seen.has_newcomer({ANN, BOB, CAT}), "that one had gone by itself"


def test_who_has_come_while_the_engine_was_away_is_a_newcomer():
    seen = SeenHosts()
    seen.has_newcomer({ANN, BOB})
    seen.lost()
    assert seen.has_newcomer({ANN, CAT})
