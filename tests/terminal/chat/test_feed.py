"""What is to be painted, from a room of a test."""

import os
import time
from collections.abc import Iterator, Sequence
from typing import cast

import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Item
from lanchat.client.state import RoomState
from lanchat.protocol.ids import member_id
from lanchat.protocol.messages import Present, Said, Welcome
from lanchat.protocol.text import grouped
from lanchat.terminal.chat.feed import Feed

SEVEN_IN_TOKYO = 1_764_194_400_000  # ms; 22:00 of the day before in UTC


class ScriptedRoom:
    """A room in which happens what the test puts into `items`."""

    def __init__(self) -> None:
        self.state = RoomState()
        self.items: list[Item] = []
        self.private: list[tuple[str, str]] = []  # recipient and text

    def send_private(self, nick: str, text: str, *, to: str = "") -> None:
        self.private.append((to, text))

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        items, self.items = self.items, []
        return items

    def follow(self, item: Item) -> None:
        self.state.follow(item)


@pytest.fixture
def in_utc() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield patch
    time.tzset()


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps the zone of the start")
def test_times_follow_the_time_zone_of_the_machine(in_utc):
    room = ScriptedRoom()
    feed = Feed(cast(JoinedRoom, room), wake=lambda: None, on_nick=None, colour=False)

    def shown(text: str) -> str:
        room.items.append(Said(1, SEVEN_IN_TOKYO, "b" * 32, "bob", "1", text))
        fragments, _ = feed.portion(1.0, 80)
        return "".join(text for _, text in fragments).splitlines()[-1]

    assert shown("in London") == "22:00 bob in London"
    in_utc.setenv("TZ", "Asia/Tokyo")
    assert shown("in Tokyo") == "07:00 bob in Tokyo", "although it is the same minute"


def test_before_the_first_private_message_to_a_nick_of_two_keys_the_person_is_asked():
    """The second one may be the host's own key, of which nothing was seen: it came with a reconnect."""
    room = ScriptedRoom()
    feed = Feed(cast(JoinedRoom, room), wake=lambda: None, on_nick=None, colour=False)
    bob, false = (Present(member_id(key), "bob", key=key) for key in (b"b" * 32, b"f" * 32))
    for somebody in (bob, false):
        room.state.roster.welcome(Welcome("me", "ann", 1, 1, 1), (somebody,))
    with pytest.raises(ValueError, match=f"{grouped(bob.id)} , and is  {grouped(false.id)} .* Press Enter again"):
        feed.tell("bob", "psst")
    assert room.private == []
    feed.tell("bob", "psst")
    assert room.private == [(false.id, "psst")]
