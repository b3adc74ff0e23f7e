"""What is to be painted, from a room of a test."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Closed, Connected, Disconnected, Item
from lanchat.errors import Refused
from lanchat.protocol.ids import member_id
from lanchat.protocol.messages import Card, Joined, Left, Moved, Present, Said, Welcome
from lanchat.protocol.text import grouped
from lanchat.terminal.chat.feed import Feed
from tests.support.scripted import ScriptedRoom
from tests.support.waiting import PATIENCE

SEVEN_IN_TOKYO = 1_764_194_400_000  # ms; 22:00 of the day before in UTC


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
    feed = Feed(cast(JoinedRoom, room), wake=lambda: None, colour=False)

    def shown(text: str) -> str:
        room.items.append(Said(1, SEVEN_IN_TOKYO, "b" * 32, "bob", "1", text))
        fragments, _ = feed.portion(PATIENCE, 80)
        return "".join(text for _, text in fragments).splitlines()[-1]

    assert shown("in London") == "22:00 bob in London"
    in_utc.setenv("TZ", "Asia/Tokyo")
    assert shown("in Tokyo") == "07:00 bob in Tokyo", "although it is the same minute"


def test_before_the_first_private_message_to_a_nick_of_two_keys_the_person_is_asked():
    """The second one may be the host's own key, of which nothing was seen: it came with a reconnect."""
    room = ScriptedRoom()
    feed = Feed(cast(JoinedRoom, room), wake=lambda: None, colour=False)
    bob, false = (Present(member_id(key), "bob", key=key) for key in (b"b" * 32, b"f" * 32))
    for somebody in (bob, false):
        room.state.roster.welcome(Welcome("me", "ann", 1, 1, 1), (somebody,))
    with pytest.raises(ValueError, match=f"{grouped(bob.id)} , and is  {grouped(false.id)} .* Press Enter again"):
        feed.private.tell("bob", "psst")
    assert room.private == []
    feed.private.tell("bob", "psst")
    assert room.private == [(false.id, "psst")]


ANN, BOB, CAT = "a" * 32, "b" * 32, "c" * 32
GREETING = "-- You are in Room A (hosted by hal) as ann. /help lists the commands."


def connected(seq: int, since: int = 0) -> Connected:
    card = Card(1, "r" * 32, "Room A", "hal", 1, False, bytes(32))
    return Connected(card, Welcome(ANN, "ann", seq, seq, 0, since), (), BOB)


def said(seq: int, text: str, by: str = BOB) -> Said:
    return Said(seq, SEVEN_IN_TOKYO + seq * 60_000, by, "ann" if by == ANN else "bob", str(seq), text)


def lines_of(room: ScriptedRoom, *notes: str) -> tuple[Feed, list[str]]:
    feed = Feed(cast(JoinedRoom, room), wake=lambda: None, colour=False)
    for note in notes:
        feed.note(note)
    return feed, shown_by(feed)


def shown_by(feed: Feed) -> list[str]:
    fragments, _ = feed.portion(PATIENCE, 100)
    return "".join(text for _, text in fragments).splitlines()


def test_history_stands_above_the_greeting_and_the_notices(in_utc):
    room = ScriptedRoom()
    room.items = [connected(2), said(1, "one"), said(2, "two"), Joined(3, SEVEN_IN_TOKYO, ANN, "ann"), said(4, "three")]
    _, lines = lines_of(room, "A notice.")
    assert lines[-6:] == [
        "22:01 bob one",
        "22:02 bob two",
        GREETING,
        "-- A notice.",
        "22:00 -- you joined",
        "22:04 bob three",
    ]


@pytest.mark.parametrize(
    "items",
    [
        [connected(0)],
        [connected(7, since=7)],
        [connected(2), said(2, "two")],
        [connected(2), Disconnected("It is gone.")],
    ],
    ids=["no past", "no past that is sent", "nothing but the past", "a lost link"],
)
def test_the_greeting_waits_for_no_more_than_the_history(items, in_utc):
    room = ScriptedRoom()
    room.items = [*items]
    feed, lines = lines_of(room, "A notice.")
    notices = [line for line in lines if line.startswith("--") and "Reconnecting" not in line and "Nov" not in line]
    assert notices == [GREETING, "-- A notice."]
    feed.note("Later.")
    assert shown_by(feed) == ["-- Later."]


def test_while_the_history_is_coming_the_notices_wait(in_utc):
    room = ScriptedRoom()
    room.items = [connected(2), said(1, "one")]
    feed, lines = lines_of(room, "A notice.")
    assert lines[-1] == "22:01 bob one"
    room.items = [said(2, "two")]
    assert shown_by(feed) == ["22:02 bob two", GREETING, "-- A notice."]


def test_a_rule_stands_above_what_others_said_since_the_last_visit(in_utc):
    room = ScriptedRoom()
    room.state.seen = said(2, "two")
    left = Joined(3, SEVEN_IN_TOKYO, ANN, "ann")
    room.items = [connected(6), said(2, "two"), left, said(4, "mine", ANN), said(5, "new"), said(6, "newer")]
    _, lines = lines_of(room)
    at = lines.index("22:05 bob new")
    assert lines[at - 1].startswith("─── new since ") and lines[at - 1].endswith("22:02 ───")
    assert sum("new since" in line for line in lines) == 1


@pytest.mark.parametrize("seen", [None, said(6, "newer"), said(99, "of a log that the host has lost")])
def test_without_anything_new_there_is_no_rule(seen, in_utc):
    room = ScriptedRoom()
    room.state.seen = seen
    room.items = [connected(6), said(5, "new"), said(6, "newer"), said(7, "live")]
    _, lines = lines_of(room)
    assert not any("new since" in line for line in lines)


def test_who_keeps_coming_and_going_is_told_of_once_more_and_then_no_longer(in_utc):
    room = ScriptedRoom()
    room.items = [connected(0)]
    feed, _ = lines_of(room)
    assert feed.due_at is None
    for visit in range(1, 13, 2):
        room.items += [Joined(visit, SEVEN_IN_TOKYO, CAT, "cat"), Left(visit + 1, SEVEN_IN_TOKYO, CAT, "cat")]
    assert [line.removeprefix("22:00 ") for line in shown_by(feed) if "Nov" not in line][-8:] == [
        "-- cat·cccc joined",
        "-- cat left",
        "-- cat·cccc joined",
        "-- cat left",
        "-- cat·cccc joined",
        "-- cat left",
        "-- cat·cccc joined",
        "-- cat keeps coming and going. That is not shown any more until it stops.",
    ]
    assert feed.due_at is not None, "the screen comes back to tell how that has ended"


def test_a_host_that_starts_again_is_told_in_one_line(in_utc):
    """However often, and nobody is said to come and go."""
    room = ScriptedRoom()
    people = [(BOB, "bob"), (CAT, "cat"), (ANN, "ann")]
    came = [Joined(seq, SEVEN_IN_TOKYO, id, nick, host=id == BOB) for seq, (id, nick) in enumerate(people, start=1)]
    room.items = [connected(0), *came]
    feed, _ = lines_of(room)
    for seq in range(10, 60, 10):
        at = SEVEN_IN_TOKYO + 60_000
        room.items = [
            Left(seq, at, BOB, "bob"),
            Disconnected("The host has closed the room.", closed=True),
            replace(connected(seq), again=True),
            *(
                Left(seq + 1 + n, at, id, nick, "lost", "lost")
                for n, (id, nick) in enumerate(((CAT, "cat"), (ANN, "ann")))
            ),
            Joined(seq + 3, at, BOB, "bob", host=True),
            Joined(seq + 4, at, ANN, "ann"),
            Joined(seq + 5, at, CAT, "cat"),
        ]
        left, closed, *others = shown_by(feed)
        assert left == "22:01 -- bob left" and "Waiting in case it opens again" in closed
        assert others == ["-- Connected again.", "22:01 -- bob·bbbb opened the room"]


def test_who_came_and_went_while_we_were_away_is_not_told(in_utc):
    room = ScriptedRoom()
    room.state.seen = said(1, "old")
    came, went = Joined(3, SEVEN_IN_TOKYO, CAT, "cat"), Left(4, SEVEN_IN_TOKYO, CAT, "cat")
    again = Joined(6, SEVEN_IN_TOKYO, CAT, "cat")
    room.items = [connected(5), said(2, "missed"), came, went, said(5, "too"), again]
    _, lines = lines_of(room)
    assert [line for line in lines if "Nov" not in line] == [
        "─── new since 2025-11-26 22:01 ───",
        "22:02 bob missed",
        "22:05 bob too",
        GREETING,
        "22:00 -- cat·cccc joined",
    ]


@pytest.mark.parametrize("copied", [True, False])
def test_who_has_a_copy_of_a_closed_room_is_told_how_to_go_on(copied, in_utc):
    room = ScriptedRoom()
    room.continues_here = copied
    room.items = [connected(0), Disconnected("The host has closed the room.", closed=True)]
    _, lines = lines_of(room)
    command = '-- This computer keeps a copy of the room. To go on with it here, leave and enter: lanchat host "Room A"'
    assert (" ".join(line.strip() for line in lines[-2:]) == command) is copied


def test_how_many_are_in_a_room_that_is_closed_to_us_is_not_known():
    room = ScriptedRoom()
    feed, _ = lines_of(room)

    def people_after(item: Item) -> int | None:
        room.items.append(item)
        shown_by(feed)
        return feed.people

    assert people_after(connected(0)) == 0
    assert people_after(Disconnected("The connection broke.")) == 0, "it is looked for, and is thought to be as it was"
    assert people_after(Disconnected("The host has closed the room.", closed=True)) is None
    assert people_after(connected(0)) == 0
    assert people_after(Closed(Refused("The host removed you from the room."))) is None


@pytest.mark.parametrize("owned", [True, False])
def test_an_owner_whose_computer_was_replaced_is_told_how_to_host_again(owned, in_utc):
    room = ScriptedRoom()
    room.owned = owned
    room.items = [connected(0), Moved(1, SEVEN_IN_TOKYO, BOB, "bob", 65, "ann", "takeover")]
    _, lines = lines_of(room)
    words = ["22:00 -- this computer did not answer for a while; bob now hosts the room"]
    assert lines[-1 - owned :] == words + ["-- /takeback makes you the host again."] * owned
