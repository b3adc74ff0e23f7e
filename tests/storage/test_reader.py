"""Reading a log: pages of it, the last events, and searches."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import LanchatError, LogDamaged
from lanchat.protocol.messages import Said, Told
from lanchat.storage.reader import LogReader
from lanchat.storage.schema import SCHEMA
from lanchat.storage.store import Store

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


def told(id: str, text: str) -> Told:
    return Told(id, NOW, ANN, "ann", BOB, "bob", text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture(params=["indexed", "not indexed yet"])
def reader(request: pytest.FixtureRequest, path: Path) -> LogReader:
    """A reader of a log with TEXTS, numbered from 0."""
    with closing(Store(path, durable=True)) as store:
        store.add([said(seq, text) for seq, text in enumerate(TEXTS)])
        while request.param == "indexed" and store.index():
            pass
    return LogReader(path)


@pytest.mark.parametrize(
    ("search", "found"),
    [
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
    ],
)
def test_a_search_finds_the_messages_with_all_its_words(reader, search, found):
    assert [event.seq for event in reader.last_events(search=search)] == found


def test_a_search_for_nothing_finds_everything(reader):
    assert len(reader.last_events(search="  \0")) == len(TEXTS)


def test_the_last_events_are_bounded_by_number_and_time(reader):
    assert [event.seq for event in reader.last_events(number=2)] == [6, 7]
    assert reader.last_events(since=NOW + 1) == []


@pytest.fixture(scope="module")
def half_indexed(tmp_path_factory: pytest.TempPathFactory) -> LogReader:
    """TEXTS twice: from 0 on they are indexed, from 100 on they are not."""
    path = tmp_path_factory.mktemp("search") / "log.db"
    with closing(Store(path, durable=False)) as store:
        store.add([said(seq, text) for seq, text in enumerate(TEXTS)])
        store.index()
        store.add([said(seq + 100, text) for seq, text in enumerate(TEXTS)])
    return LogReader(path)


@given(st.text(max_size=30) | st.text(alphabet="\"*():^-+{}ANDORNEAR '\\%_;", max_size=20))
def test_any_search_finds_the_same_with_and_without_the_index(half_indexed, search):
    found = [event.seq for event in half_indexed.last_events(search=search)]
    assert [seq + 100 for seq in found if seq < 100] == [seq for seq in found if seq >= 100]


def test_private_messages_in_a_members_history_can_be_searched(path):
    with closing(Store(path, durable=False)) as store:
        store.add([told("1", "Tea at five?"), told("2", "coffee"), told("3", "c++ (:"), told("4", "")])
        store.add([told("2", "coffee")])
    reader = LogReader(path)
    assert [told.id for told in reader.last_private()] == ["1", "2", "3"], "without a text it is no longer there"
    assert [told.id for told in reader.last_private(number=1)] == ["3"]
    assert [told.id for told in reader.last_private(search="tea fi")] == ["1"]
    assert [told.id for told in reader.last_private(search="c++")] == ["3"]
    assert reader.last_private(since=NOW + 1) == reader.last_private(search="milk") == []


@pytest.mark.parametrize("content", [b"notes" * 1000, b""], ids=["notes", "empty"])
def test_a_file_that_is_no_log_is_damaged_and_the_error_says_what_to_do(path, content):
    path.write_bytes(content)
    with pytest.raises(LogDamaged, match="Cannot read") as caught:
        LogReader(path).last_events()
    assert "lanchat host" in caught.value.hint


def test_a_log_of_the_first_version_can_be_read_but_not_searched(path):
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA[0])
        db.execute("PRAGMA user_version = 1")
        db.execute("INSERT INTO event VALUES (1, 0, 'said', ?, 'ann', '1', 'tea', 0)", [ANN])
        db.commit()
    reader = LogReader(path)
    assert [event.seq for event in reader.last_events()] == [1] and reader.last_private() == []
    with pytest.raises(LogDamaged, match="too old"):
        reader.last_events(search="tea")


def test_a_file_that_is_held_or_missing_may_be_readable_later(path, monkeypatch):
    with pytest.raises(LanchatError) as missing:
        LogReader(path).last_events()
    Store(path, durable=False).close()
    monkeypatch.setattr("lanchat.storage.reader.BUSY_LIMIT", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LanchatError, match="another program holds the file") as held:
            LogReader(path).last_events()
    assert not isinstance(missing.value, LogDamaged) and not isinstance(held.value, LogDamaged)
