"""The file of a log: which problems are damage, and which may pass."""

import errno
import sqlite3
from contextlib import closing
from itertools import islice, product
from pathlib import Path

import pytest
from msgspec.structs import replace

from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.file_messages import FilePrivate
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.messages import Got, Joined, Renamed, Said, Told
from lanchat.protocol.timeline import MAX_N, Timeline, make_epoch, make_seq
from lanchat.storage import prepare
from lanchat.storage import store as store_module
from lanchat.storage.log_state import LogState
from lanchat.storage.migrations import SCHEMA, TABLES
from lanchat.storage.problems import Damaged, StoreProblem, in_words, problem_of
from lanchat.storage.reader import LogReader
from lanchat.storage.repair import open_store
from lanchat.storage.retention import Retention
from lanchat.storage.set_aside import set_aside_in
from lanchat.storage.store import Store, add_functions
from tests.support.cases import cases

ANN, BOB, EVE = (letter * 32 for letter in "abe")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def sqlite_error(code: int, text: str = "in the words of SQLite") -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@cases(
    ("error", "problem", "words"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), StoreProblem.DISK_FULL, "the disk is full"),
        (OSError(errno.ENOSPC, "No space left on device"), StoreProblem.DISK_FULL, "the disk is full"),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), StoreProblem.LOCKED, "another program holds the file"),
        (sqlite_error(sqlite3.SQLITE_READONLY_DIRECTORY), StoreProblem.READ_ONLY, "the file is read-only"),
        (sqlite_error(sqlite3.SQLITE_CORRUPT_VTAB), StoreProblem.DAMAGED, "the file is damaged"),
        (sqlite_error(sqlite3.SQLITE_ERROR, "no such table: event"), StoreProblem.OTHER, "no such table: event"),
        (OSError(errno.EIO, "Input/output error"), StoreProblem.OTHER, "Input/output error"),
        (sqlite3.ProgrammingError("the database is closed"), StoreProblem.OTHER, "the database is closed"),
    ],
)
def test_a_problem_is_recognised_by_its_code_and_has_a_text(error, problem, words):
    assert problem_of(error) is problem and in_words(error) == words


def test_a_file_that_another_program_holds_is_not_damaged(path, monkeypatch):
    Store(path, durable=True).close()
    monkeypatch.setattr(store_module, "BUSY_LIMIT", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            Store(path, durable=True)
    assert problem_of(caught.value) is StoreProblem.LOCKED


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_file_that_lacks_a_table_is_damaged(path, table):
    Store(path, durable=True).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"DROP TABLE {table}")
    with pytest.raises(Damaged, match="tables are missing"):
        Store(path, durable=True)


def test_a_file_of_any_earlier_version_gets_all_tables(path):
    for version in range(1, len(SCHEMA)):
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as db:
            add_functions(db)
            for step in SCHEMA[:version]:
                db.executescript(step)
            db.execute(f"PRAGMA user_version = {version}")
        Store(path, durable=True).close()
        with closing(sqlite3.connect(path)) as db:
            names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
            assert names >= TABLES and db.execute("PRAGMA user_version").fetchone() == (len(SCHEMA),)


def test_the_index_of_an_earlier_version_is_made_again(path, monkeypatch):
    """It held the texts as they were written; now it holds them folded."""
    text = "Straße 5"
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "SCHEMA", SCHEMA[:5])
        with closing(Store(path, durable=True)) as old:
            old.add([Said(1, 0, ANN, "ann", "1", text), Said(2, 0, ANN, "ann", "2", "not indexed")])
            old.indexing.step()
            old.add([Said(3, 0, ANN, "ann", "3", text)])
    assert [event.seq for event in LogReader(path).events(search="strasse")] == [1, 3], "by reading every text"
    with closing(Store(path, durable=True, suspect=True)) as new:
        assert new.state().unindexed == 0
    assert [event.seq for event in LogReader(path).events(search="strasse")] == [1, 3]


def test_what_is_deleted_leaves_no_word_in_the_index(path):
    with closing(Store(path, durable=True)) as store:
        store.add([Said(seq, 0, ANN, "ann", str(seq), f"Ärger “{seq}”") for seq in range(1, 6)])
        while store.indexing.step():
            pass
        store.pruning.drop_uncovered(Retention(entries=2), 5, 0)
    with closing(sqlite3.connect(path)) as db:
        [terms] = db.execute("SELECT count(*) FROM words WHERE words MATCH 'arger'").fetchone()
    assert terms == 2


def test_a_message_that_was_said_late_is_stored_once_and_stays_late(path):
    first = Said(1, 0, ANN, "ann", "x", "hi", late=True)
    resent, another = replace(first, seq=2), replace(first, seq=3, text="other words")
    with closing(Store(path, durable=True)) as store:
        assert store.add([first, resent, another]) == 1
        assert store.add_reused([first, resent, replace(resent, late=False), another]) == 1
    assert LogReader(path).events_after(0, 10) == [first, replace(another, id="")]


# ---- owners of nicks


def joined(seq: int, id: str, nick: str) -> Joined:
    return Joined(seq, 0, id, nick)


def owners(path: Path) -> tuple[tuple[str, str], ...]:
    with closing(Store(path, durable=False)) as store:
        return store.state().owners


def spellings(number: int) -> list[str]:
    """One nick, spelled in so many ways."""
    ways = product(*zip("abcdefghijklmn", "ABCDEFGHIJKLMN", strict=True))
    return ["".join(way) for way in islice(ways, number)]


def test_a_nick_is_stored_once_however_it_is_spelled(path):
    with closing(Store(path, durable=False)) as store:
        store.add([joined(seq, EVE, nick) for seq, nick in enumerate(spellings(500), start=1)])
        store.add([joined(501, ANN, "ann"), Renamed(502, 0, ANN, "ann", "Ann"), joined(503, BOB, "ANN")])
    assert owners(path) == (("abcdefghijklmn", EVE), ("ann", ANN))


def test_all_owners_are_known_when_a_log_opens(path):
    with closing(Store(path, durable=False)) as store:
        store.add([joined(seq, f"key {seq}", f"n{seq}x") for seq in range(1, 12_000)])
        store.add([joined(12_000, ANN, "victor")])
    assert len(owners(path)) == 12_000 and owners(path)[-1] == ("victor", ANN)


def test_the_number_of_stored_owners_is_limited_and_the_first_ones_stay(path, monkeypatch):
    monkeypatch.setattr(store_module, "MAX_OWNED", 10)
    for first in (1, 21):  # before and after a restart
        with closing(Store(path, durable=False)) as store:
            for seq in range(first, first + 20, 4):
                store.add([joined(seq + more, f"key {seq + more}", f"n{seq + more}x") for more in range(4)])
    assert owners(path) == tuple((f"n{seq}x", f"key {seq}") for seq in range(1, 11))


def test_a_log_with_a_row_for_each_spelling_gets_one_for_each_nick(path):
    with closing(sqlite3.connect(path)) as db:
        for step in SCHEMA[:4]:
            db.executescript(step)
        db.execute("PRAGMA user_version = 4")
        rows = [(nick, EVE, seq) for seq, nick in enumerate(spellings(10_050), start=2)]
        db.executemany("INSERT INTO owner VALUES (?, ?, ?)", [("ann", ANN, 1), *rows, ("victor", BOB, 20_000)])
        db.execute("INSERT INTO owner VALUES ('Victor', ?, 20001)", [EVE])
        db.execute("INSERT INTO owner VALUES (x'ff', ?, 20002)", [EVE])  # damaged, and no nick
        db.commit()
    assert owners(path) == (("ann", ANN), ("abcdefghijklmn", EVE), ("victor", BOB))


def test_a_repair_keeps_the_owners_whose_entries_were_deleted(path):
    with closing(Store(path, durable=True)) as store:
        store.add([joined(1, BOB, "bob"), *(joined(seq, ANN, "ann") for seq in range(2, 12))])
        assert store.pruning.drop_uncovered(Retention(entries=2), 11, 0) == (9, True)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT min(seq) FROM event").fetchone() == (10,)
    damage(path)
    assert repaired(path).owners == (("bob", BOB), ("ann", ANN))


def damage(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE words")


def repaired(path: Path) -> LogState:
    store, words = open_store(path, durable=True)
    with closing(store):
        assert "was damaged" in words
        return store.state()


def test_a_repair_keeps_the_terms_that_are_over(path):
    first, second, third, fourth = (make_epoch(term, OWNER_INDEX) for term in (1, 2, 3, 4))
    with closing(Store(path, durable=True)) as store:
        for epoch in (first, second, third):
            store.begin(make_seq(epoch, 0))
            store.add([joined(make_seq(epoch, n), ANN, "ann") for n in range(1, 4)])
        store.pruning.drop_uncovered(Retention(entries=1), 9, 0)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO timeline VALUES (-1, 5), (?, ?), (0, 'x')", [fourth + 1, MAX_N + 1])
    damage(path)
    repaired(path)
    with closing(Store(path, durable=True)) as store:
        assert store.begin(make_seq(fourth, 0)) == Timeline(fourth, ((first, 3), (second, 3), (third, 3)))
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM timeline").fetchone() == (3,), "and nothing that is no term"


def test_a_repair_keeps_the_keys_of_members(path):
    """Private messages for those who are away are sealed to them."""
    key = key_from_seed(bytes(32)).public_key().public_bytes_raw()
    by = member_id(key)
    with closing(Store(path, durable=True)) as store:
        store.add([Joined(1, 0, by, "cat", key=key), joined(2, BOB, "bob")])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO member_key VALUES (?, ?)", [BOB, key])
    damage(path)
    assert repaired(path).keys == {by: key}, "and none that is somebody else's"


def test_a_repair_keeps_which_private_messages_were_shown(path):
    with closing(Store(path, durable=False)) as store:
        store.add([Told(id, 0, ANN, "ann", BOB, "bob", text="hi") for id in ("1", "2")])
        store.add([Got(ANN, "1")])
    damage(path)
    repaired(path)
    reader = LogReader(path)
    assert reader.was_shown(ANN, "1") and not reader.was_shown(ANN, "2")


def test_a_repair_keeps_the_rules_and_papers_of_a_room_that_moves(path):
    papers = {"rules": b"{}", "rev": b"4", "owner": b"key", "delegation": b"paper"}
    with closing(Store(path, durable=True)) as store:
        store.moving.set_state({**papers, "private": b"7", "count": b"9", "instance": b"8 bytes!", "whole": b"1"})
    damage(path)
    store, _ = open_store(path, durable=True)
    with closing(store):
        assert store.moving.state() == papers, "and not how much was in the copy before"


def test_a_repair_that_finds_no_rules_keeps_no_revision_of_them(path):
    """Who has a revision is not sent the rules again."""
    with closing(Store(path, durable=True)) as store:
        store.moving.set_state({"rev": b"4", "owner": b"key"})
    damage(path)
    store, _ = open_store(path, durable=True)
    with closing(store):
        assert store.moving.state() == {"owner": b"key"}


def test_a_repair_keeps_what_was_set_aside(path):
    ours, theirs = make_epoch(1, 0), make_epoch(2, 1)
    events = [Said(make_seq(ours, n), 0, ANN, "ann", str(n), f"text {n}") for n in range(1, 4)]
    with closing(Store(path, durable=True)) as store:
        store.add(events)
        assert store.moving.follow(Timeline(theirs, ((ours, 1),))) == (make_seq(ours, 1), 2)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO set_aside (seq, kind) VALUES (9, 'said')")  # no event
    damage(path)
    repaired(path)
    assert set_aside_in(path) == events[1:]


def test_a_file_for_one_person_is_stored_once_with_its_last_state(path):
    offered = FilePrivate("1", "a" * 32, 5, ANN, "ann", BOB, "bob", 100, "offered", b"box", b"copy")
    stored = offered.become("stored", sha256="5" * 64)
    told = Told("1", 5, EVE, "eve", BOB, "bob", b"box")
    with closing(Store(path, durable=True)) as store:
        for record in (offered, offered, stored, stored.got()):
            store.add([record])
        store.add([told])
        assert (store.private(), store.files()) == ((told,), (stored.got(),))
        store.add([stored.become("removed", reason="expired")])
        assert (store.private(), store.files()) == ((told,), ())


def test_a_history_marks_a_file_for_one_person_as_shown_and_a_damaged_one_keeps_it(path):
    offered = FilePrivate("1", "a" * 32, 5, ANN, "ann", BOB, "bob", 100, "offered", b"box", b"copy")
    with closing(Store(path, durable=False)) as store:
        store.add([offered, Got(ANN, "1")])
    assert LogReader(path).was_shown(ANN, "1") and list(LogReader(path).private_files()) == [offered.got()]
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE fact SET value = 'x'")
        db.execute("INSERT OR REPLACE INTO fact VALUES ('clean', 'x')")
        db.commit()
    store, damage = open_store(path, durable=False, suspect=True)
    with closing(store):
        assert damage and store.files() == (offered.got(),)
