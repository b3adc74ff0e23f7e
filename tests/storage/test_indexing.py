"""The full-text index follows the log, in whatever order messages come and go."""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanchat.protocol.messages import Said
from lanchat.storage import indexing, prepare
from lanchat.storage.migrations import SCHEMA
from lanchat.storage.reader import LogReader
from lanchat.storage.store import Store

ANN = "a" * 32
WORDS = ("tea", "cup", "Straße")
SEQS = st.integers(0, 12)
STEPS = st.one_of(
    st.tuples(st.just("add"), st.lists(SEQS, min_size=1, max_size=6, unique=True), st.sampled_from(WORDS)),
    st.tuples(st.just("delete"), SEQS),
    st.just(("index",)),
    st.just(("open",)),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def said(seq: int, text: str) -> Said:
    return Said(seq, 0, ANN, "ann", f"{seq}-{text}".replace("ß", "s"), text)


def found(path: Path, word: str) -> list[int]:
    return [event.seq for event in LogReader(path).events(search=word)]


def in_index(path: Path, word: str) -> list[int]:
    with closing(sqlite3.connect(path)) as db:
        return [seq for (seq,) in db.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid", [word])]


@pytest.mark.full
@settings(max_examples=20)
@given(st.lists(STEPS, max_size=12))
def test_whatever_comes_and_goes_is_found_before_and_after_it_is_indexed(steps):
    there: dict[int, str] = {}
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "log.db"
        patch.setattr(indexing, "STEP", 2)
        store = Store(path, durable=False)
        for step in steps:
            match step:
                case ("add", list(seqs), str(word)):
                    store.add([said(seq, word) for seq in seqs])
                    there = {**dict.fromkeys(seqs, word), **there}
                case ("delete", int(last)):
                    with closing(sqlite3.connect(path)) as db, db:
                        db.create_function("fold", 1, lambda text: text.lower().replace("ß", "ss"))
                        db.execute("PRAGMA trusted_schema = ON")
                        db.execute("DELETE FROM event WHERE seq >= ?", [last])
                    there = {seq: word for seq, word in there.items() if seq < last}
                case ("index",):
                    store.indexing.step()
                case ("open",):
                    store.close()
                    store = Store(path, durable=False)
        expected = {word: sorted(seq for seq in there if there[seq] == word) for word in WORDS}
        assert {word: found(path, word) for word in WORDS} == expected
        while store.indexing.step():
            pass
        assert store.state().unindexed == 0
        store.close()
        assert {word: found(path, word) for word in WORDS} == expected
        assert [in_index(path, word) for word in ("tea", "cup", "strasse")] == list(expected.values()), "each once"


def test_what_waits_in_a_file_of_an_earlier_version_is_indexed(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "SCHEMA", SCHEMA[:13])
        with closing(Store(path, durable=True)) as old:
            old.add([said(1, "tea"), said(2, "tea")])
    assert found(path, "tea") == [1, 2], "nobody has opened it since"
    with closing(Store(path, durable=True)) as store:
        assert store.state().unindexed == 2
        store.add([said(3, "tea")])
        assert found(path, "tea") == [1, 2, 3]
        store.indexing.step()
    assert in_index(path, "tea") == found(path, "tea") == [1, 2, 3]


def test_what_is_stored_in_order_costs_the_index_no_row(path):
    with closing(Store(path, durable=True)) as store:
        store.add([said(seq, "tea") for seq in (1, 2, 3)])
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT count(*) FROM unindexed").fetchone() == (0,)
        assert store.state().unindexed == 3
        store.indexing.step()
        store.add([said(0, "tea"), said(2, "tea"), said(4, "tea")])
        assert store.state().unindexed == 2, "2 is known"
