"""A room outlives the program that opened it: real programs, one of them in a terminal."""

import json
import re

import pytest

from tests.support.ptyscreen import PtyScreen

_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")


def said_by(output: str) -> list[str]:
    """What a script with --json has heard others say."""
    events = [json.loads(line) for line in output.splitlines()]
    return [event["text"] for event in events if event["event"] == "said"]


@pytest.mark.full
def test_who_quits_leaves_the_room_to_the_computer_that_was_named_and_it_continues_the_next_morning(lanchat):
    env = {name: value for name, value in lanchat.env("ann").items() if value is not None}
    hosting = lanchat.argv("host", "Room A", "--nick", "ann", "--port", "0", "--no-announce")
    with PtyScreen(hosting, columns=100, env=env) as ann:
        ann.wait_until(lambda: bool(_ADDRESS.search(ann.text)))
        found = _ADDRESS.search(ann.text)
        assert found is not None
        bob = lanchat.start("join", found[0], "--nick", "bob", "--standby", stdin="pipe")
        cat = lanchat.start("join", found[0], "--nick", "cat", "--json", stdin="pipe")
        ann.wait_until(lambda: "3 people" in ann.text)
        ann.press("/standbys bob\r")
        ann.wait_until(lambda: "backup: bob" in ann.text)
        cat.say("before\n")
        bob.wait_out("cat: before")
        ann.press("/quit\r")
        assert ann.wait_exit() == 0
        assert 'bob hosts "Room A" from here on.' in ann.text
    bob.wait_err("ann has handed the room to bob")
    cat.say("after\n")
    bob.wait_out("cat: after")
    bob.say("still here\n")
    cat.wait_out("still here")
    moved = [json.loads(line) for line in cat.out.splitlines() if '"moved"' in line]
    assert [(one["event"], one["nick"], one["before"], one["reason"]) for one in moved] == [
        ("moved", "bob", "ann", "handover")
    ]
    assert said_by(cat.out) == ["still here"]
    assert [line for line in bob.out.splitlines() if line.startswith("cat: ")] == ["cat: before", "cat: after"]
    assert "Reconnecting" not in cat.err + bob.err
    cat.end_input()
    assert cat.wait().code == 0  # only now all of it is certainly on its disk
    history = lanchat.run("history", "Room A", who="cat")
    assert [history.out.count(text) for text in ("before", "after", "still here")] == [1, 1, 1]
    bob.end_input()
    assert bob.wait().code == 0
    morning = lanchat.start("host", "Room A", "--nick", "bob", who="bob", stdin="pipe")
    morning.wait_err(
        'Nobody hosts "Room A" now: you continue it from the copy on this computer. It stays the room of ann.'
    )
    morning.say("good morning\n")
    morning.end_input()
    assert morning.wait().code == 0
    history = lanchat.run("history", "Room A", who="bob")
    assert [history.out.count(text) for text in ("before", "still here", "good morning")] == [1, 1, 1]
