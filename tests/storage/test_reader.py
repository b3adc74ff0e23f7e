"""Reading a log: pages of it, the last events, and searches."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import LanchatError, LogDamaged
from lanchat.protocol.messages import Got, Said, Told
from lanchat.storage import reader as reader_module
from lanchat.storage import readonly
from lanchat.storage.migrations import SCHEMA, WITH_BOXES, WITH_PRIVATE
from lanchat.storage.reader import LogReader
from lanchat.storage.store import Store, add_functions
from tests.support.waiting import PATIENCE

ANN, BOB = "a" * 64, "b" * 64
NOW = 1_800_000_000_000
TEXTS = [
    "The quick brown fox",
    "quickly now, über alles",
    "c++ is not c",
    "you said NEAR or AND :-)",
    "100% of it_all",
    "你好世界",
    'she said "stop" and don\'t',
    "สวัสดีชาวโลก",
]


def said(seq: int, text: str) -> Said:
    return Said(seq, NOW, ANN, "ann", f"id-{seq}", text)


def told(id: str, box: str) -> Told:
    """Sealed, as far as a log knows; with "" it is over."""
    return Told(id, NOW, ANN, "ann", BOB, "bob", box.encode())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture(params=["indexed", "not indexed yet"])
def reader(request: pytest.FixtureRequest, path: Path) -> LogReader:
    """A reader of a log with TEXTS, numbered from 0."""
    with closing(Store(path, durable=True)) as store:
        store.add([said(seq, text) for seq, text in enumerate(TEXTS)])
        while request.param == "indexed" and store.indexing.step():
            pass
    return LogReader(path)


SEARCHES = [
    ("quick", [0, 1]),
    ("FOX quick", [0]),
    ("uber", [1]),
    ("ÜBER", [1]),
    ("c++", [2]),
    (":-)", [3]),
    ("near", [3]),
    ("AND", [3, 6]),
    ("NEAR(quick fox)", []),
    ("quick AND fox", []),
    ("100%", [4]),
    ("%", [4]),
    ("it_all", [4]),
    ("世界", [5]),
    ('"stop"', [6]),
    ('"', [6]),
    ("don't", [6]),
    ("ชาว", [7]),
    ("*", []),
    ("qu*", []),
    ("text:fox", []),
    ("^The", []),
    ("-fox", []),
    ("a" * 5000, []),
    ("(((", []),
    ("uick", []),
]


def test_a_search_finds_the_messages_with_all_its_words(reader):
    for search, found in SEARCHES:
        assert [event.seq for event in list(reader.events(search=search))] == found, search


def test_a_search_for_nothing_finds_everything(reader):
    assert len(list(reader.events(search="  \0"))) == len(TEXTS)


def test_the_last_events_are_bounded_by_number_and_time(reader):
    assert [event.seq for event in list(reader.events(number=2))] == [6, 7]
    assert list(reader.events(since=NOW + 1)) == []


@pytest.mark.parametrize(("rows", "size"), [(1, 10**6), (3, 10**6), (10**6, 1), (10**6, 30)])
def test_what_is_read_in_portions_is_the_same(reader, path, monkeypatch, rows, size):
    with closing(Store(path, durable=True)) as store:
        store.add([told("1", "Tea at five?"), told("2", "coffee"), told("3", "more tea")])
    asked: list[dict[str, Any]] = [
        {},
        {"number": 3},
        {"number": 0},
        {"number": 99},
        {"search": "quick"},
        {"search": "c++"},
    ]

    def answers() -> list[list[object]]:
        private = [options for options in asked if "search" not in options]
        events = [list(reader.events(**options)) for options in asked]
        return [*events, *(list(reader.private(**options)) for options in private)]

    whole = answers()
    monkeypatch.setattr(reader_module, "PORTION", rows)
    monkeypatch.setattr(reader_module, "PORTION_SIZE", size)
    assert answers() == whole and len(whole[1]) == len(whole[7]) == 3 and whole[2] == whole[8] == []


def test_a_reader_that_waits_in_the_middle_delays_no_writer(path, monkeypatch):
    """Somebody looks at a long history with a pager, and the room goes on."""
    monkeypatch.setattr(reader_module, "PORTION", 2)
    with closing(Store(path, durable=True)) as store:
        store.add([said(seq, "a word") for seq in range(10)])
        events = LogReader(path).events()
        assert next(events).seq == 0
        store.add([said(seq, "a word") for seq in range(10, 20)])
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "no reader holds the WAL"
        assert [event.seq for event in events] == list(range(1, 20))


@pytest.fixture(scope="module")
def half_indexed(tmp_path_factory: pytest.TempPathFactory) -> LogReader:
    """TEXTS twice: from 0 on they are indexed, from 100 on they are not."""
    path = tmp_path_factory.mktemp("search") / "log.db"
    with closing(Store(path, durable=False)) as store:
        store.add([said(seq, text) for seq, text in enumerate(TEXTS)])
        store.indexing.step()
        store.add([said(seq + 100, text) for seq, text in enumerate(TEXTS)])
    return LogReader(path)


@given(st.text(max_size=30) | st.text(alphabet="\"*():^-+{}ANDORNEAR '\\%_;", max_size=20))
def test_any_search_finds_the_same_with_and_without_the_index(half_indexed, search):
    found = [event.seq for event in list(half_indexed.events(search=search))]
    assert [seq + 100 for seq in found if seq < 100] == [seq for seq in found if seq >= 100]


@given(
    st.sampled_from(["q", "c", "it", "quick fox", "s", "now all", "你", "nothing"]), st.integers(0, 9) | st.just(600)
)
def test_the_last_few_that_a_search_finds_are_the_end_of_all(half_indexed, search, number):
    found = list(half_indexed.events(search=search))
    assert list(half_indexed.events(search=search, number=number)) == (found[-number:] if number else [])


def test_private_messages_in_a_members_history_can_be_read_as_they_were_stored(path):
    with closing(Store(path, durable=False)) as store:
        store.add([told("1", "one"), told("2", "two"), told("3", "three"), told("4", "")])
        store.add([told("2", "two")])
    reader = LogReader(path)
    assert list(reader.private()) == [told("1", "one"), told("2", "two"), told("3", "three")]
    assert [told.id for told in reader.private(number=1)] == ["3"]
    assert list(reader.private(since=NOW + 1)) == []


@pytest.mark.parametrize("version", [WITH_PRIVATE, WITH_BOXES - 1])
def test_private_messages_of_an_older_copy_are_still_there_in_the_clear(path, version):
    """Before they were sealed; read-only, as `lanchat history` does, and after the next write."""
    with closing(sqlite3.connect(path)) as db:
        add_functions(db)
        for step in SCHEMA[:version]:
            db.executescript(step)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute(
            "INSERT INTO private (id, at, by, nick, whom, whom_nick, text) VALUES ('1', ?, ?, 'ann', ?, 'bob', 'psst')",
            (NOW, ANN, BOB),
        )
        db.commit()
    in_the_clear = Told("1", NOW, ANN, "ann", BOB, "bob", text="psst")
    assert list(LogReader(path).private()) == [in_the_clear] and LogReader(path).shown_private(9) == []
    with closing(Store(path, durable=False)) as store:
        store.add([told("2", "sealed")])
    assert list(LogReader(path).private()) == [in_the_clear, told("2", "sealed")]


def test_private_messages_that_were_shown_are_marked(path):
    with closing(Store(path, durable=False)) as store:
        store.add([told("1", "one"), told("2", "two"), Got(ANN, "2"), Got(BOB, "1"), Got(ANN, "nobody's")])
        store.add([told("3", "three"), told("2", "two"), Got(ANN, "3")])
    reader = LogReader(path)
    assert reader.was_shown(ANN, "2") and not reader.was_shown(ANN, "9")
    assert reader.shown_private(9) == [(ANN, "2"), (ANN, "3")] and reader.shown_private(1) == [(ANN, "3")]
    assert [told.id for told in reader.private()] == ["1", "2", "3"]


@pytest.mark.parametrize("content", [b"notes" * 1000, b""], ids=["notes", "empty"])
def test_a_file_that_is_no_log_is_damaged_and_the_error_says_what_to_do(path, content):
    path.write_bytes(content)
    with pytest.raises(LogDamaged, match="Cannot read") as caught:
        list(LogReader(path).events())
    assert "lanchat host" in caught.value.hint


def test_a_log_that_is_just_being_created_is_waited_for_and_not_called_damaged(path, monkeypatch):
    monkeypatch.setattr(readonly, "CREATED", PATIENCE)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")  # as far as a store has come before its tables are there

    def finish(seconds: float) -> None:
        with closing(Store(path, durable=False)) as store:
            store.add([said(1, "tea")])

    monkeypatch.setattr("lanchat.storage.readonly.time.sleep", finish)
    assert [event.seq for event in LogReader(path).events()] == [1]


def test_a_log_of_the_first_version_can_be_read_and_searched(path):
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA[0])
        db.execute("PRAGMA user_version = 1")
        db.execute("INSERT INTO event VALUES (1, 0, 'said', ?, 'ann', '1', 'tea', 0)", [ANN])
        db.commit()
    reader = LogReader(path)
    assert [event.seq for event in list(reader.events())] == [1] and list(reader.private()) == []
    assert [event.seq for event in reader.events(search="TEA")] == [1] and list(reader.events(search="milk")) == []


@pytest.fixture
def unwritable(path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call this to make the folder of the log one in which nothing can be written, for root as well."""

    def forbid() -> None:
        path.with_name(f"{path.name}-shm").mkdir()  # SQLite cannot make its file of that name
        monkeypatch.setattr(os, "access", lambda *_: False)

    return forbid


def test_a_log_in_a_folder_that_cannot_be_written_can_be_read(reader, path, unwritable):
    unwritable()
    assert [event.seq for event in reader.events(search="quick")] == [0, 1]
    assert len(list(LogReader(path).events())) == len(TEXTS)


def test_what_a_crash_left_in_the_wal_can_be_read_there_as_well(tmp_path, path, unwritable):
    with closing(Store(tmp_path / "running.db", durable=True)) as store:
        store.add([said(1, "in the file")])
        store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.add([said(2, "in the WAL alone")])
        for tail in ("", "-wal"):
            shutil.copyfile(tmp_path / f"running.db{tail}", path.with_name(path.name + tail))
    before = path.read_bytes()
    unwritable()
    reader = LogReader(path)
    assert [event.seq for event in reader.events()] == [1, 2] == [event.seq for event in reader.events()]
    assert path.read_bytes() == before


DAMAGE = {  # what is done to the messages 2 and 3
    "text is a blob": "text = x'00ff1b5b324a'",
    "nick is a blob": "nick = x'ff'",
    "time is a word": "at = 'soon'",
    "time is too large": "at = 9223372036854775807",
    "text is too long": "text = printf('%.*c', 50000, 'x')",
    "sender is a blob": "by = x'ff'",
    "kind is unknown": "kind = 'zz'",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
def test_damaged_entries_are_left_out_and_counted(path, damage):
    with closing(Store(path, durable=True)) as store:
        store.add([said(seq, text) for seq, text in enumerate(TEXTS)])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE event SET {damage} WHERE seq IN (2, 3)")
    counts: list[int] = []
    reader = LogReader(path, counts.append)
    sound = [seq for seq in range(len(TEXTS)) if seq not in (2, 3)]
    assert [event.seq for event in reader.events()] == sound and counts == [2]
    assert [event.seq for event in reader.events(number=5)] == sound[1:], "a damaged entry takes nobody's place"
    assert [event.seq for event in reader.events_after(1, 2)] == [4, 5], "a page does not end at a damaged place"
    assert [event.seq for event in reader.events(search="quick")] == [0, 1]
    assert [event.seq for event in reader.find(ANN, {"id-1", "id-2", "id-3", "id-4"})] == [1, 4]


def test_damaged_entries_of_all_portions_are_counted_together(path, monkeypatch):
    monkeypatch.setattr(reader_module, "PORTION", 2)
    with closing(Store(path, durable=True)) as store:
        store.add([said(seq, "tea") for seq in range(9)])
        store.indexing.step()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE event SET at = 'soon' WHERE seq IN (0, 3, 4, 5, 8)")
    counts: list[int] = []
    reader = LogReader(path, counts.append)
    assert [event.seq for event in reader.events()] == [1, 2, 6, 7] and counts == [5]
    assert [event.seq for event in reader.events(search="tea", number=3)] == [2, 6, 7] and counts == [5, 4]


@pytest.mark.parametrize("damage", ["text = x'00'", "box = 'dGVh'", "at = 'soon'", "whom_nick = x'ff'"])
def test_damaged_private_messages_are_left_out_and_counted(path, damage):
    with closing(Store(path, durable=False)) as store:
        store.add([told("1", "tea"), told("2", "coffee"), told("3", "more tea")])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE private SET {damage} WHERE id = '2'")
    counts: list[int] = []
    reader = LogReader(path, counts.append)
    assert [told.id for told in reader.private()] == ["1", "3"] and counts == [1]
    assert [told.id for told in reader.private(number=2)] == ["1", "3"]


def test_a_file_whose_damage_sqlite_quotes_in_bytes_that_are_no_text_is_damaged(path):
    with closing(Store(path, durable=False)) as store:
        store.add([said(1, "tea")])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA writable_schema = 1")
        db.execute("UPDATE sqlite_master SET sql = CAST(x'4352454154452054ff' AS TEXT) WHERE name = 'fact'")
    with pytest.raises(LogDamaged, match="the file is damaged"):
        list(LogReader(path).events())


def test_a_file_that_is_held_or_missing_may_be_readable_later(path, monkeypatch):
    with pytest.raises(LanchatError) as missing:
        list(LogReader(path).events())
    Store(path, durable=False).close()
    monkeypatch.setattr("lanchat.storage.reader.BUSY_LIMIT", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LanchatError, match="another program holds the file") as held:
            list(LogReader(path).events())
    assert not isinstance(missing.value, LogDamaged) and not isinstance(held.value, LogDamaged)
