"""What an engine answers is as hostile as anything else from outside."""

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Present
from lanchat.server.engine.replies import beat_of, entered_of, entries_of, places_of, stream_of
from lanchat.server.engine.shared_log import Beat, Entered, Entry, Living, Position
from lanchat.server.engine.state import EngineState, Person, here
from tests.support.cases import cases

START = Position(0)


def test_the_replies_of_an_engine():
    there = Person(Present("ann-id", "ann"), (3,))
    table = [text.encode() if isinstance(text, str) else text for text in here(there.present, there.leases)]
    assert entered_of([b"3", b"12", b"1", b"11-0", b"5", b"1700", b"1", [b"2", b"3"], table]) == Entered(
        3, Position(12, 1), Position(11), 5, 1700, (2, 3), True, EngineState((there,))
    )
    assert entered_of([b"1", b"0", b"0", b"", b"0", b"1700", b"0", [], []]).rules is None
    assert beat_of([b"1", b"7", b"5", b"ann", b"3", b"4500", b"x", b"bob", b"2", b"-700", b""]) == Beat(
        1, 7, (Living("ann", 3, 4.5, b"x"), Living("bob", 2, -0.7, b"")), 5
    )
    assert places_of([1, 3], 3) == {1, 3}
    assert entries_of([[b"1-0", [b"e", b"hi", b"i", b'["key"]']], [b"1-1", [b"p", b"box", b"i", b"key"]]], START) == [
        Entry(Position(1), "e", b"hi"),
        Entry(Position(1, 1), "p", b"box", "key"),
    ]
    assert stream_of(None, START) == []
    assert stream_of([[b"log", [[b"1-0", [b"e", b"hi"]]]]], START) == [Entry(Position(1), "e", b"hi")]


def test_events_that_were_appended_together_are_told_apart():
    reply = [[b"9-0", [b"e", b"seven\neight\nnine"]], [b"10-0", [b"e", b"ten"]]]

    def read(after):
        return [(entry.position.seq, entry.body) for entry in entries_of(reply, after)]

    all_four = [(7, b"seven"), (8, b"eight"), (9, b"nine"), (10, b"ten")]
    assert read(Position(6)) == read(START) == all_four
    assert read(Position(7)) == all_four[1:]
    assert read(Position(8, 1)) == all_four[2:]
    assert read(Position(9)) == all_four, "an engine that gives what was not asked for is found out by its places"


STRANGE: list[object] = [None, 7, b"OK", "OK", [], [[]], [None], {b"a": b"b"}, [[b"x", None]], [[b"1-0", [b"e"]]]]
STRANGE += [
    [b"-1", b"0", b"0", b"", b"0", b"0", b"0", [], []],
    [b"9" * 17, b"0", b"0", b"", b"0", b"0", b"0", [], []],
    [b"9007199254740992", b"0", b"0", b"", b"0", b"0", b"0", [], []],
    [b"1", b"0", b"0", b"", b"0", b"0", b"0", [b"x"], []],
    [b"1", b"0", b"0", b"", b"0", b"0", b"0", [], [b"locked"]],
    [b"1", b"0", b"0", b"", b"0", b"0", b"0", [], [b"in ann-id ann", b"[]"]],
    [b"1", b"0", b"0", b"", b"0", b"0", b"0", [], None],
]
STRANGE += [[[b"1-0", [b"z", b"body"]]], [[b"1-0", [b"e", 5]]], [[b"x", [b"e", b"hi"]]], [[b"1-0-0", [b"e", b"hi"]]]]
STRANGE += [
    [b"1", b"1", b"0", b"\xff", b"1", b"1", b""],
    [b"1", b"1", b"0", b"a" * 65, b"1", b"1", b""],
    [b"1", b"1", b"0", b"a", b"1", b"1", b"f" * 5000],
]
STRANGE += [[b"1", b"1", b"0", *[b"a", b"1", b"1", b""] * 200]]
STRANGE += [[[b"1-0", [b"e", b"two\nlines"]]], [[b"5-1", [b"e", b"two\nlines"]]], [[b"5-0", [[], b"list"]]]]
STRANGE += [[0], [3], [-1], [1, 1], [b"1"], [1, None], [1, 2, 3], [[1]]]


@cases("reply", STRANGE)
def test_anything_else_is_refused(reply):
    for read in (entered_of, beat_of, lambda reply: places_of(reply, 2)):
        with pytest.raises(LanchatError):
            read(reply)
    for read_entries in (entries_of, stream_of):
        if reply not in (None, []):
            with pytest.raises(LanchatError):
                read_entries(reply, START)
