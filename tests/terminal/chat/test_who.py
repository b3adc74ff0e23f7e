"""The command /who, and what a screen says of a crowd."""

from typing import cast

import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Closed, Connected, Disconnected, ListedPeople
from lanchat.errors import NotConnected, Refused
from lanchat.protocol.messages import Card, Joined, Present, Welcome
from lanchat.protocol.people import Crowd
from lanchat.terminal.chat.crowd import MORE
from lanchat.terminal.chat.feed import Feed
from lanchat.terminal.chat.who import WhoIsHere
from tests.support.scripted import ScriptedRoom

CARD = Card(2, "5" * 32, "Room A", "hal", 2, False, b"n" * 32)


class AskedRoom(ScriptedRoom):
    """It notes what the host is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []

    def list_people(self, prefix: str, after: str) -> None:
        self.asked.append((prefix, after))


class Stage:
    """Ann's screen in a room with hal and bob."""

    def __init__(self, crowd: int = 0) -> None:
        self.room = AskedRoom()
        self.feed = Feed(cast(JoinedRoom, self.room), wake=lambda: None, colour=False)
        self.who = WhoIsHere(cast(JoinedRoom, self.room), self.feed)
        present = (Present("id-hal", "hal", host=True), *(() if crowd else (Present("id-bob", "Bob"),)))
        welcome = Welcome("id-ann", "ann", 1, 1, len(present), crowd=crowd)
        self.first = self.shown(Connected(CARD, welcome, present, "id-hal"), Joined(2, 0, "id-ann", "ann"))

    def shown(self, *items: object) -> str:
        """What the screen shows once these have come."""
        self.room.items += items  # type: ignore[arg-type]
        fragments, _ = self.feed.portion(60.0, 200)
        return "".join(text for _, text in fragments)


def test_who_lists_all_or_those_whose_nick_begins_so():
    stage = Stage()
    stage.who.show("")
    assert "3 people: ann·id-a (you), Bob·id-b, hal·id-h (host)" in stage.shown()
    stage.who.show("b")
    assert "1 person: Bob" in stage.shown()
    with pytest.raises(ValueError, match="No one here is called eve. /who lists everyone."):
        stage.who.show("eve")
    assert stage.room.asked == []


def test_who_lists_nobody_of_a_room_that_is_closed_to_us():
    stage = Stage()
    stage.shown(Disconnected("hal has closed the room.", closed=True))
    with pytest.raises(NotConnected):
        stage.who.show("")
    stage.shown(Closed(Refused("The host removed you from the room.")))
    with pytest.raises(ValueError, match="You are not in this room any more."):
        stage.who.show("")


def test_in_a_crowd_who_asks_the_host_page_by_page():
    stage = Stage(crowd=612)
    stage.who.show("")
    shown = stage.shown(ListedPeople((Present("id-bea", "bea"), Present("id-bob", "bob")), more=True))
    assert "bea" in shown and "bob" in shown
    assert "/who + shows more of them, /who NICK finds somebody." in shown
    stage.who.show(MORE)
    assert stage.room.asked == [("", ""), ("", "bob")]
    stage.shown(ListedPeople((Present("id-cat", "cat"),)))
    with pytest.raises(ValueError, match="There is no further page. /who shows the first one."):
        stage.who.show(MORE)


def test_the_next_page_is_of_those_who_were_looked_for():
    stage = Stage(crowd=612)
    stage.who.show("b")
    stage.shown(ListedPeople((Present("id-bob", "bob"),), more=True))
    stage.who.show(MORE)
    assert stage.room.asked == [("b", ""), ("b", "bob")]


def test_nobody_of_that_name_is_said_so():
    stage = Stage(crowd=612)
    assert "There is nobody of that name among the 612 people here." in stage.shown(ListedPeople(()))


def test_the_screen_says_once_that_a_crowd_has_come_and_when_it_is_over():
    stage = Stage()
    assert "501 people are here: joins and leaves are no longer shown. /who NICK" in stage.shown(Crowd(501))
    assert stage.shown(Crowd(1204)) == ""
    assert stage.feed.roster.number == 1204
    over = stage.shown(ListedPeople((Present("id-hal", "hal", host=True), Present("id-ann", "ann")), all=True))
    assert "2 people are here now: joins and leaves are shown again." in over


def test_the_greeting_counts_a_crowd():
    assert "with hal and 1,202 others." in Stage(crowd=1204).first
