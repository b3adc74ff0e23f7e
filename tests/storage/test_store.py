"""The file of a log: which problems are damage, and which may pass."""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lanchat.storage import store as store_module
from lanchat.storage.schema import SCHEMA, TABLES
from lanchat.storage.store import Damaged, Store, StoreProblem, in_words, problem_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def sqlite_error(code: int, text: str = "in the words of SQLite") -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
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
            for step in SCHEMA[:version]:
                db.executescript(step)
            db.execute(f"PRAGMA user_version = {version}")
        Store(path, durable=True).close()
        with closing(sqlite3.connect(path)) as db:
            names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
            assert names >= TABLES and db.execute("PRAGMA user_version").fetchone() == (len(SCHEMA),)
