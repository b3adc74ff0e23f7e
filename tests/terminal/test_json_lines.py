"""The lines of --json: each item as its line, which keeps the contract, and the page that tells users of it."""

import json
import re
from pathlib import Path

import lanchat
from lanchat.client.events import Acked, Connected, Disconnected, Item, PrivateFile, PrivateMessage
from lanchat.client.state import RoomState
from lanchat.protocol.file_messages import FileOffered, FileRemoved, FileStored
from lanchat.protocol.messages import Card, Joined, Left, Moved, Notice, Present, Renamed, Said, Welcome
from lanchat.protocol.status import Status
from lanchat.protocol.topic import Topic
from lanchat.terminal.json_events import Answer, Ended, written
from lanchat.terminal.json_lines import JsonLines
from tests.support.cases import cases
from tests.support.contract import PERSON, VERSION_1, all_parsed, parsed

ANN, BOB = "a" * 32, "b" * 32
CARD = Card(2, "r" * 32, "Room A", "hal", 1, False, bytes(32))
CAME = Connected(CARD, Welcome(ANN, "ann", 5, 5, 1), (Present(BOB, "bob", bot=True, away="out"),), BOB)
FILE = "f" * 32


def printed(*items: Item, **options: bool) -> list[dict]:
    """What is printed for these items in a room where ann has just come."""
    state = RoomState()
    lines = JsonLines(state)
    out = []
    for item in (CAME, *items):
        out += [written(line) for line in lines.lines(item, **options)]
        state.follow(item)
    return all_parsed(out)


@cases(
    "item",
    [
        Said(6, 1, BOB, "bob", "1", "hi"),
        Joined(6, 1, BOB, "bob"),
        Left(6, 1, BOB, "bob", "lost"),
        Renamed(6, 1, BOB, "bob", "rob"),
        Moved(6, 1, BOB, "bob", 2, "hal", "handover"),
        FileOffered(6, 1, BOB, "bob", "1", FILE, "a.txt", 3),
        FileStored(6, 1, BOB, "bob", FILE, "0" * 64),
        FileRemoved(6, 1, BOB, "bob", FILE, "age"),
        PrivateMessage("1", 1, BOB, "bob", ANN, "ann", "psst"),
        PrivateFile("1", FILE, 1, BOB, "bob", ANN, "ann", "offered", "a.txt", 3),
        Topic(6, 1, BOB, "bob", "tea"),
        Status(BOB, "bob", "lunch"),
        Notice("slow", "Slow down."),
        Notice("unsent", "The disk is full."),
        Disconnected("it is gone"),
        Connected(CARD, Welcome(ANN, "ann", 6, 6, 0), (), BOB, again=True),
        Acked(("7",), "here"),
    ],
)
def test_each_line_keeps_the_contract(item):
    assert len(printed(item)) == 2


def test_the_lines_of_commands_keep_the_contract():
    assert parsed(written(Answer("yes", BOB, "bob", False)))["text"] == "yes"
    assert parsed(written(Ended(6, "gone")))["code"] == 6


@cases("text", ["plain", "\x7f", "é\u202e", "\ud800", "\x1b[2J\0", "\U0001f600", '"\\\n'])
def test_whatever_is_in_a_line_it_is_ascii_in_one_form(text):
    line = written(Ended(6, text))
    assert line == json.dumps({"event": "ended", "code": 6, "reason": text}, separators=(",", ":")) + "\n"
    assert line.isascii() and line[:-1].isprintable()


def test_the_first_line_tells_where_we_are():
    [came] = printed()
    assert (came["v"], came["title"], came["me"], came["nick"], came["seq"]) == (1, "Room A", ANN, "ann", 5)
    assert came["people"] == [
        {"id": BOB, "nick": "bob", "host": False, "verified": True, "web": False, "bot": True, "away": "out"},
    ]


def test_a_message_says_whether_it_is_old_and_of_a_program_and_names_us():
    _, old, new, mine = printed(
        Said(5, 1, BOB, "bob", "1", "hi"), Said(6, 1, BOB, "bob", "2", "ann: hi"), Said(7, 1, ANN, "ann", "3", "I, ann")
    )
    assert (old["history"], old["mention"], old["bot"], old["mine"]) == (True, False, True, False)
    assert (new["history"], new["mention"]) == (False, True)
    assert (mine["mine"], mine["mention"], mine["bot"]) == (True, False, False)


def test_our_own_message_is_told_once_it_is_kept_with_its_number():
    said = Said(6, 1, ANN, "ann", "x-1", "hi")
    assert [(line["event"], line.get("seq")) for line in printed(said, Acked(("x-1",)), own=True)] == [
        ("came", 5),
        ("kept", 6),
    ]


def test_the_page_names_every_event_with_its_fields():
    page = (Path(lanchat.__file__).parent / "help" / "json.md").read_text(encoding="utf-8")
    table = page.split("## Events")[1].split("## Fields")[0]
    rows = {
        found[1]: set(re.findall("`([a-z_0-9]+)`", found[2])) for found in re.finditer(r"\| `(\w+)` \| (.*?) \|", table)
    }
    assert rows.pop("back") == {"came", "v"}
    assert rows == {event: set(fields) for event, fields in VERSION_1.items() if event != "back"}
    assert all(f"`{name}`" in page for name in PERSON)
