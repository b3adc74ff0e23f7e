"""Another user of this machine, and files that this program did not leave as they are."""

import io
import os
import random
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lanchat.client.events import Acked
from lanchat.client.member import Member
from lanchat.errors import LanchatError
from lanchat.protocol.messages import Fetch, Joined, Page, Said, Say, Welcome
from lanchat.server.host import Host
from lanchat.storage.rooms import open_room
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.storage.store import Store
from lanchat.terminal.history import show_history
from tests.support.commands import Commands
from tests.support.people import Listener
from tests.support.sampling import sampled

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes, owners and links are POSIX")


# ---- the folder


def within_reach(folder: Path) -> list[tuple[str, str]]:
    """What another user can read or change, with its mode; but for the certificate, which everybody is shown."""
    found = []
    for path in sorted(folder.iterdir()):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_dir() and mode & 0o005:
            found += within_reach(path)
        if mode & 0o022 or mode & 0o004 and path.is_file() and path.name != "identity.crt":
            found.append((path.name, oct(mode)))
    return found


@pytest.mark.parametrize("exists", [True, False], ids=["a home that everybody may look into", "no home yet"])
def test_no_umask_opens_a_home_to_others(lanchat: Commands, exists):
    for who in ("hal", "ann"):
        if exists:
            lanchat.home(who).mkdir(parents=True, mode=0o755)
    before = os.umask(0)
    try:
        room = lanchat.host("Room A", "--headless")
        assert lanchat.run("join", room.address, "--nick", "ann", input="words\n").code == 0
        room.stop()
    finally:
        os.umask(before)
    for who in ("hal", "ann"):
        home = lanchat.home(who)
        assert {path.name for path in home.iterdir()} >= {"identity.key", "rooms" if who == "hal" else "seen"}
        assert within_reach(home) == []


@pytest.mark.parametrize("owner", ["others may write to it", "somebody else owns it"])
def test_a_home_that_somebody_else_has_prepared(lanchat: Commands, host: Callable[..., Host], tmp_path, owner):
    """In /tmp, say, with links to files that the victim may write and they may not."""
    if owner == "somebody else owns it" and os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    precious, home = tmp_path / "precious", lanchat.home("vera")
    precious.write_text("my own\n")
    home.mkdir(parents=True)
    for name in ("known_hosts", "recent_rooms", "nick"):
        (home / name).symlink_to(precious)
    if owner == "somebody else owns it":
        os.chown(home, 65534, 65534)
    else:
        home.chmod(0o777)
    address = f"127.0.0.1:{host().port}"
    for command in (
        ("join", address, "--nick", "vera"),
        ("host", "Room B", "--headless"),
        ("id",),
        ("trust",),
        ("rooms",),
    ):
        ended = lanchat.run(*command, who="vera")
        assert ended.code == 1 and str(home) in ended.err and "is not used" in ended.err, command
    assert precious.read_text() == "my own\n"
    assert sorted(path.name for path in home.iterdir()) == ["known_hosts", "nick", "recent_rooms"]


def test_links_that_were_put_into_a_home_before_it_was_closed(lanchat: Commands, host: Callable[..., Host], tmp_path):
    precious, home = tmp_path / "precious", lanchat.home("vera")
    precious.write_text("my own\n")
    home.mkdir(parents=True, mode=0o700)
    (home / "known_hosts").symlink_to(precious)
    ended = lanchat.run("join", f"127.0.0.1:{host().port}", "--nick", "vera", input="hello\n")
    assert ended.code == 1 and "known_hosts: it is a symbolic link" in ended.err
    (home / "known_hosts").unlink()
    (home / "nick").symlink_to(precious)
    (home / "recent_rooms").symlink_to(precious)
    assert lanchat.run("join", f"127.0.0.1:{host().port}", "--nick", "vera", input="hello\n").code == 0
    assert precious.read_text() == "my own\n"


# ---- logs

KEPT, TEXT = 30, "needle in the hay"

LONG = "a text of 5 MB"
CRAFTED = {  # what somebody did to the log of a room, or a disk
    "text is a blob": "UPDATE event SET text = x'00ff1b5b324a' WHERE kind = 'said'",
    "nick and sender are blobs": "UPDATE event SET nick = x'1b5d303b', by = x'ff'",
    "time is a word": "UPDATE event SET at = 'soon'",
    "time is too large": "UPDATE event SET at = 9223372036854775807",
    "escape sequences": "UPDATE event SET nick = char(27)||']0;x'||char(7), text = char(27)||'[2J'",
    "the largest number": "UPDATE event SET seq = 9223372036854775807 WHERE seq = 2",
    "the smallest number": "UPDATE event SET seq = -9223372036854775808 WHERE seq = 2",
    "unknown kinds": "UPDATE event SET kind = 'zz'",
    LONG: "UPDATE event SET text = printf('%.*c', 5000000, 'x') WHERE kind = 'said' AND seq < 9",
    "nothing in it": "UPDATE event SET id = NULL, text = NULL",
    "owners are blobs": "UPDATE owner SET nick = x'ff', by = 5, seq = 'a'",
    "facts are words": "UPDATE fact SET value = 'x'",
    "facts are too large": "UPDATE fact SET value = 9223372036854775807",
    "terms of the future": "INSERT INTO timeline VALUES (9007199254740991, 3), (70, 9007199254740991)",
    "terms are words": "INSERT INTO timeline VALUES (7, 'x')",
    "private messages are blobs": (
        "INSERT INTO private (id, at, by, nick, whom, whom_nick, text) VALUES ('q', 'soon', 5, 7, 'b', 'c', x'00')"
    ),
    "a view in place of the table": "DROP TABLE event; CREATE VIEW event AS SELECT 1 AS seq",
    "a trigger that deletes": "CREATE TRIGGER z AFTER INSERT ON event BEGIN DELETE FROM event; END",
    "a schema that is no text": "PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = CAST(x'43ff' AS TEXT)",
}


@pytest.fixture
def kept(own_world: Path) -> Path:
    """The log of ann's Room A, closed in order, with some messages in it."""
    with open_room(own_world, "Room A", now=1) as folder:
        with closing(Store(folder.log_path, durable=True)) as store:
            people = [Joined(1, 0, "a" * 32, "ann", True), Joined(2, 0, "b" * 32, "bob")]
            store.add([*people, *(Said(seq, 0, "a" * 32, "ann", str(seq), TEXT) for seq in range(3, KEPT))])
            store.indexing.step()
            store.begin(KEPT)
            store.end()
        return folder.log_path


def craft(log: Path, statements: str) -> None:
    with closing(sqlite3.connect(log)) as db:
        db.executescript(statements)
        db.commit()


def outcome(home: Path, **options: Any) -> str:
    """What `lanchat history` shows, or why it does not."""
    out, talk = io.StringIO(), io.StringIO()
    options = {"search": "", "since": 0, "number": None, "as_json": False, **options}
    try:
        show_history(home, "Room A", out=out, talk=talk, **options)
    except LanchatError as error:
        return f"{error}\n{error.hint}\n"
    return out.getvalue() + talk.getvalue()


def looked_at(home: Path) -> None:
    """Each way of looking at the history gives lines of text, or an error in words."""
    for options in ({}, {"as_json": True}, {"search": "needle"}, {"since": 1}, {"number": 3}):
        assert "".join(outcome(home, **options).split("\n")).isprintable()


def hosted(log: Path, host: Callable[..., Host], join: Callable[..., Member]) -> None:
    """The room opens, or says in words why not; who joins hears the past, and talks."""
    try:
        room = host(log=SqliteLog(log))
    except LanchatError as error:
        assert str(error).isprintable() and error.hint
        return
    carl = Listener(join(room, "carl"))
    carl.round_trip("still here")
    room.close()


@pytest.mark.parametrize(
    "statements",
    [pytest.param(CRAFTED[name], id=name, marks=pytest.mark.full if name == LONG else ()) for name in CRAFTED],
)
def test_a_crafted_log(own_world, kept, host, join, statements):
    craft(kept, statements)
    looked_at(own_world)
    hosted(kept, host, join)
    looked_at(own_world)


@pytest.mark.parametrize("seed", sampled(range(12), 1))
def test_a_log_with_flipped_bytes(own_world, kept, host, join, seed):
    chance, data = random.Random(seed), bytearray(kept.read_bytes())
    for _ in range(60):
        data[chance.randrange(100 if seed % 2 else 0, len(data))] = chance.randrange(256)
    kept.write_bytes(data)
    looked_at(own_world)
    hosted(kept, host, join)
    looked_at(own_world)


def test_a_log_that_is_damaged_while_its_host_runs(host, join, stranger, identity, tmp_path):
    """Pages and resends are read from the file. A member gets what is sound, and nobody else notices."""
    log = tmp_path / "log.db"
    room = host(log=SqliteLog(log))
    ann = Listener(join(room, "ann"))
    for number in range(3):
        ann.round_trip(f"words {number}")
    ann.hear_kind(Acked)

    def page(nick: str) -> list[str]:
        visitor = stranger(room)
        assert isinstance(visitor.come_in(identity(nick), nick), Welcome)
        visitor.send(Fetch(0), Say("1", f"{nick} again", again=True))
        visitor.hear(Joined)  # its own, which ends the snapshot
        texts = []
        while not isinstance(message := visitor.hear(Said | Page), Page):
            texts.append(message.text)
        ann.hear_text(f"{nick} again")
        return [text for text in texts if text != f"{nick} again"]

    assert page("vera") == ["words 0", "words 1", "words 2"]
    craft(log, "UPDATE event SET text = x'00ff', at = 'soon' WHERE text = 'words 1'; UPDATE fact SET value = 'x'")
    assert page("carl") == ["words 0", "words 2", "vera again"]
    ann.round_trip("and nobody notices")


@pytest.mark.parametrize(
    "crafted", sampled(["text is a blob", "time is a word", "facts are words", "a schema that is no text"], 1)
)
def test_programs_on_a_crafted_log_say_what_is_wrong(own_world, kept, crafted):
    craft(kept, CRAFTED[crafted])
    with Commands(own_world, env={"LANCHAT_HOME": str(own_world)}) as lanchat:
        history = lanchat.run("history", "Room A")
        assert "Traceback" not in history.err and history.code in (0, 1)
        host = lanchat.start("host", "Room A", "--nick", "hal", "--port", "0", "--no-announce", "--headless")
        host.wait_err("The log was damaged")
        assert host.port and "Traceback" not in host.stop().err
        assert lanchat.run("history", "Room A").code == 0
