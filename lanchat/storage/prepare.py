"""Prepares the file of a log for writing: migrations of its tables, and checks of its content."""

import logging
import sqlite3

from lanchat.errors import LanchatError
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.storage.migrations import SCHEMA, TABLES
from lanchat.storage.problems import Damaged, StoreProblem, problem_of
from lanchat.storage.schema import TYPES, strange_rows

_log = logging.getLogger(__name__)


def migrate(db: sqlite3.Connection) -> None:
    """Bring the tables to the newest version. Requires a transaction.

    Raises:
        Damaged: this is no log, or no longer one.
        LanchatError: a later version has written the file.
    """
    [version] = db.execute("PRAGMA user_version").fetchone()
    names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    if version > len(SCHEMA):
        raise LanchatError(
            "A later version of lanchat has written this room's log.", "Use that one, or open another room: --new"
        )
    if version == 0 and names:
        raise Damaged("it is the database of another program")
    if version == len(SCHEMA) and not names >= TABLES:
        raise Damaged("tables are missing")
    for migration in SCHEMA[version:]:
        _run(db, migration)
    if version < len(SCHEMA):
        db.execute(f"PRAGMA user_version = {len(SCHEMA)}")


def check_facts(db: sqlite3.Connection) -> None:
    """Check what the last run has noted, which the numbers of new events depend on.

    Raises:
        Damaged: it holds values of a wrong type.
    """
    if _is_strange(db, "fact"):
        raise Damaged("it holds values of a wrong type: fact")


def check(db: sqlite3.Connection) -> None:
    """Check the whole file. A damaged index is rebuilt, since it follows from the texts.

    Raises:
        Damaged: the tables are damaged.
    """
    [found] = db.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise Damaged(str(found))
    if strange := [table for table in TYPES if _is_strange(db, table)]:
        raise Damaged(f"it holds values of a wrong type: {', '.join(strange)}")
    try:
        db.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        if problem_of(error) is not StoreProblem.DAMAGED:
            raise
        _log.warning("the full-text index is damaged and is rebuilt")
        with db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO words (words) VALUES ('rebuild')")
            db.execute("DELETE FROM unindexed")
            last = f"SELECT max(0, coalesce(max(seq), 0)) FROM event WHERE seq <= {MAX_NUMBER}"
            db.execute(f"UPDATE fact SET value = ({last}) WHERE name = 'indexed'")


def _is_strange(db: sqlite3.Connection, table: str) -> bool:
    """Whether a table holds a value that this program never stores."""
    return db.execute(strange_rows(table)).fetchone() is not None


def _run(db: sqlite3.Connection, script: str) -> None:
    """Execute several statements in the current transaction; `executescript` would commit it first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
