"""`lanchat ask` in a terminal, where a person waits for the answer."""

import json
from collections.abc import Sequence
from io import StringIO
from typing import cast

import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Closed, Connected, Item
from lanchat.client.state import RoomState
from lanchat.errors import ConnectionLost
from lanchat.protocol.messages import Card, Joined, Welcome
from lanchat.terminal.ask import Asking, AskOptions

ANN, BOB = "a" * 32, "b" * 32
CARD = Card(1, "r" * 32, "Room A", "hal", 1, False, bytes(32))
CAME = Connected(CARD, Welcome(ANN, "ann", 0, 0, 0), (), BOB)
GONE = Closed(ConnectionLost("The room is gone."))


class FakeRoom:
    """A room that ends once ann has asked."""

    nick = "ann"

    def __init__(self) -> None:
        self.state = RoomState()
        turns: list[Sequence[Item]] = [[CAME], [Joined(1, 0, ANN, "ann")], [GONE]]
        self._turns = iter(turns)

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        return next(self._turns)

    def follow(self, item: Item) -> None:
        self.state.follow(item)

    def say(self, text: str) -> str:
        return "1"


class Window(StringIO):
    """Where a person looks."""

    def isatty(self) -> bool:
        return True


def talk_of(talk: StringIO) -> str:
    with pytest.raises(ConnectionLost):
        Asking(cast(JoinedRoom, FakeRoom()), AskOptions("deploy?"), None, StringIO(), talk).run()
    return talk.getvalue()


def test_a_person_reads_that_the_question_was_asked_and_how_it_is_withdrawn():
    assert "Waiting for an answer; Ctrl-C withdraws the question." in talk_of(Window())


def test_a_script_is_told_nothing_but_the_answer():
    assert talk_of(StringIO()) == ""


def test_json_without_an_answer_is_a_line_that_says_why():
    """`lanchat tail --json` ends in the same way. Without a line a script could not tell this from a broken pipe."""
    out = StringIO()
    with pytest.raises(ConnectionLost):
        Asking(cast(JoinedRoom, FakeRoom()), AskOptions("deploy?", as_json=True), None, out, StringIO()).run()
    assert json.loads(out.getvalue()) == {"event": "ended", "code": 6, "reason": "The room is gone."}
