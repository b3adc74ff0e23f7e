"""What a log says about its reader."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from lanchat.errors import LogDamaged
from lanchat.protocol.messages import Said
from lanchat.room.roster import Roster
from lanchat.storage.home import save_nick
from lanchat.storage.identity import load_identity
from lanchat.storage.own_settings import own_settings
from lanchat.storage.repair import open_store
from lanchat.storage.rooms import LOG, joined_folder
from lanchat.terminal.chat.mentioned import LONGEST, mentions_text
from lanchat.terminal.chat.render import MARK, TIME, Renderer
from lanchat.terminal.logged import Me, find_mentions, me_in

BOB, ANN, ROOM = "b" * 32, "a" * 32, "1" * 32
NOON = 1_700_049_600_000  # ms: 12:00 in UTC
ME = Me(ANN, "ann", ("deploy", "c++"))


def said(seq: int, text: str, by: str = BOB) -> Said:
    return Said(seq, NOON, by, "bob", str(seq), text)


@pytest.fixture
def folder(own_world: Path) -> Path:
    return joined_folder(own_world, ROOM, "Room A", NOON)


def keep(folder: Path, *events: Said) -> None:
    log, _ = open_store(folder / LOG, durable=False)
    log.add(events)
    log.close()


def test_the_last_messages_that_name_us_are_found_each_once_in_order(own_world, folder):
    texts = ["hello", "Ann?", "annual report", "deploy, ann", "I like c++", "ann again"]
    keep(folder, *(said(seq, text) for seq, text in enumerate(texts, 1)), said(9, "ann is me", by=ANN))
    assert [one.seq for one in find_mentions(own_world, ROOM, ME, 10)] == [2, 4, 5, 6]
    assert [one.seq for one in find_mentions(own_world, ROOM, ME, 2)] == [5, 6]
    assert find_mentions(own_world, ROOM, Me(ANN), 10) == []
    assert find_mentions(own_world, "2" * 32, ME, 10) == []


def test_a_copy_that_cannot_be_read_is_an_error(own_world, folder):
    (folder / LOG).write_bytes(b"no log" * 1000)
    with pytest.raises(LogDamaged):
        find_mentions(own_world, ROOM, ME, 10)


def test_who_reads_is_who_was_in_the_room(own_world, folder):
    assert me_in(own_world, ROOM, ()).names == () and not own_world.joinpath("id.pem").exists()
    save_nick(own_world, "zoe")
    identity = load_identity(own_world)
    assert me_in(own_world, ROOM, ()) == Me(identity.id, "zoe")
    own_settings(own_world, ROOM).keep_nick("ann")
    assert me_in(own_world, ROOM, ("x",)).names == ("ann", "x")


def test_the_history_marks_what_calls_its_reader_and_not_what_they_said():
    renderer = Renderer(Roster(), date(2023, 11, 15), UTC, words=ME.names, me=ME.id)

    def style(event: Said) -> str:
        line = renderer.render(event)
        assert line is not None
        return line.fragments(0)[0][0]

    assert style(said(1, "deploy it, ann")) == MARK
    assert style(said(2, "annual")) == style(said(3, "I am ann", by=ANN)) == TIME


def test_the_answer_has_a_line_for_each_of_them():
    today = datetime.fromtimestamp(NOON / 1000).date()
    clock = f"{datetime.fromtimestamp(NOON / 1000):%H:%M}"
    text = mentions_text([said(1, "ann\x1b[2J\nlook"), said(2, "ann " + "x" * 500, by="~1")], ["ann"], today)
    first, second, third = text.split("\n")
    assert first == "The last 2 messages that name you (ann):"
    assert second == f"{clock} bob: ann\\x1b[2J look"
    assert third.startswith(f"{clock} ~bob: ann xxx") and len(third) == len(f"{clock} ~bob: ") + LONGEST
    assert mentions_text([said(1, "ann")], ["ann", "deploy"], today).startswith(
        "The last message that names you (ann or "
    )
    assert mentions_text([Said(1, 10**17, BOB, "bob", "1", "ann")], ["ann"], today).endswith("--:-- bob: ann")
    assert mentions_text([], ["ann"], today).startswith("Nobody has named you (ann), as far as")
