"""Rows of a log, which may hold anything once a file is damaged."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.messages import Event, Joined, Left, Renamed, Said, Told
from lanchat.protocol.text import MAX_TEXT
from lanchat.storage.migrations import SCHEMA
from lanchat.storage.schema import (
    PRIVATE_COLUMNS,
    TYPES,
    event_of,
    looks_of,
    private_of,
    private_row,
    row_of,
    strange_rows,
)
from lanchat.storage.store import add_functions
from tests.support.cases import cases

ANN = "a" * 32
EVENTS: list[Event] = [
    Said(1, 5, ANN, "ann", "id-1", "tea?", True),
    Said(MAX_NUMBER, MAX_NUMBER, ANN, "ann", "", "x" * MAX_TEXT),
    Joined(2, 5, ANN, "ann", True),
    Left(3, 5, ANN, "ann"),
    Left(4, 5, ANN, "ann", "slow", "too slow"),
    Renamed(5, 5, ANN, "ann", "anna"),
]
TOLD = Told("id-1", 5, ANN, "ann", "b" * 32, "bob", b"psst")
ANYTHING = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=300) | st.binary(max_size=9)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_the_same_after_it_was_a_row(event):
    assert event_of(row_of(event)) == event


def test_a_private_message_is_the_same_after_it_was_a_row():
    assert private_of(private_row(TOLD)) == TOLD


STRANGE: dict[str, Any] = {
    "a blob": b"\x00\xff",
    "a number": 5,
    "a fraction": 0.5,
    "nothing": None,
    "too long": "x" * 5000,
    "negative": -1,
    "too large": 2**63 - 1,
    "words": "soon",
}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (0, ["negative", "too large", "words"]),
        (1, ["a blob", "a fraction", "nothing", "negative", "too large", "words"]),
        (2, ["a blob", "a number", "nothing", "words"]),
        (3, ["a blob", "a number", "nothing", "too long"]),
        (4, ["a blob", "a number", "nothing", "too long"]),
        (5, ["a blob", "a number", "too long"]),
        (6, ["a blob", "a number", "too long"]),
    ],
)
def test_a_row_with_a_strange_value_is_no_event(column, values):
    for value in values:
        row = list(row_of(EVENTS[0]))
        row[column] = STRANGE[value]
        assert event_of(row) is None, value


def test_a_row_of_a_later_version_is_no_event():
    assert event_of((1, 5, "reacted", ANN, "ann", None, "+1", 0)) is None


@given(
    st.tuples(ANYTHING, ANYTHING, st.sampled_from(["said", "joined", "left", "renamed"]) | ANYTHING, *[ANYTHING] * 5)
)
def test_any_row_is_an_event_that_can_be_stored_or_none(row):
    event = event_of(row)
    assert event is None or event_of(row_of(event)) == event


@given(st.tuples(*[ANYTHING] * 8))
def test_any_row_is_a_private_message_or_none(row):
    told = private_of(row)
    assert told is None or private_row(told) == row


def test_spellings_of_a_nick_have_one_key_and_nicks_that_look_alike_by_a_capital_have_two():
    assert looks_of("Ann") == looks_of("\u0430nn") == looks_of("ann") != looks_of("anne")
    assert looks_of("\u039dick") == "nlck vlck"


@cases(
    ("table", "damage"),
    [
        ("event", "at = 'soon'"),
        ("event", "nick = x'ff'"),
        ("event", "text = x'ff'"),
        ("event", "by = x'00'"),
        ("event", "mark = 'x'"),
        ("event", "seq = -5"),
        ("event", "seq = 9223372036854775807"),
        ("event", "at = 9223372036854775807"),
        ("private", "text = x'00'"),
        ("private", "whom = x'00'"),
        ("private", "box = 'x'"),
        ("private", "at = 'soon'"),
        ("owner", "nick = x'ff'"),
        ("owner", "seq = 'a'"),
        ("fact", "value = 'x'"),
        ("fact", "value = -1"),
    ],
)
def test_strange_values_in_a_table_are_found(table, damage):
    with closing(sqlite3.connect(":memory:")) as db:
        add_functions(db)
        for migration in SCHEMA:
            db.executescript(migration)
        db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(row_of, EVENTS))
        db.execute(f"INSERT INTO private ({PRIVATE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", private_row(TOLD))
        db.execute("INSERT INTO owner VALUES ('ann', 'ann', ?, 1)", [ANN])
        db.execute("INSERT INTO fact VALUES ('first', 5)")
        assert [name for name in TYPES if db.execute(strange_rows(name)).fetchone()] == []
        limit = " WHERE seq = 3" if "seq" in damage and table == "event" else ""
        db.execute(f"UPDATE {table} SET {damage}{limit}")
        assert [name for name in TYPES if db.execute(strange_rows(name)).fetchone()] == [table]
