"""Reading a log while its host goes on writing it. Each call has its own read-only connection, in a thread that may wait.

A reader never writes and never checkpoints, so it stands in nobody's way (see store.py).
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Event
from lanchat.room.store import COLUMNS, event_of, in_words, is_damage, tolerant

BUSY_LIMIT = 2.0  # s to wait while the file is being opened or closed by who writes it

_WORD = re.compile(r"\w+")


def events_after(path: Path, seq: int, limit: int) -> list[Event]:
    """The first events after this seq.

    Raises:
        LanchatError: the file cannot be read.
    """
    return _events(path, "SELECT {} FROM event WHERE seq > ? ORDER BY seq LIMIT ?", [seq, limit])


def last_events(path: Path, *, number: int | None = None, since: int = 0, search: str = "") -> list[Event]:
    """The last events, in order.

    Args:
        number: at most so many.
        since: ms since 1970.
        search: only what was said with all of these words in it, or with words that begin so.

    Raises:
        LanchatError: the file cannot be read.
    """
    conditions, values = ["at >= ?"], [since]
    terms: list[str | int] = [*values]
    if search.strip():
        conditions.append("kind = 'said'")
        indexed, looked_for = _terms(search)
        if indexed:
            conditions.append("seq IN (SELECT rowid FROM words WHERE words MATCH ?)")
            terms.append(indexed)
        for text in looked_for:
            conditions.append("text LIKE ? ESCAPE '\\'")
            terms.append(f"%{text}%")
    terms.append(-1 if number is None else number)
    question = f"SELECT {{}} FROM event WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?"
    return _events(path, question, terms)[::-1]


def _terms(search: str) -> tuple[str, list[str]]:
    """What is asked of the index, and what of the texts themselves.

    The index knows words, so it is asked for words that begin like these, in quotes: nothing that people type is an
    operator. It cuts "c++" down to "c", and knows no words in scripts without spaces: such is looked for as it is.
    """
    words = search.replace("\0", " ").split()
    indexed = [
        word for word in words if all(_has_words(char) for char in word if char.isalnum()) and _WORD.search(word)
    ]
    looked_for = [word for word in words if not (word.isalnum() and word in indexed)]
    return (
        " ".join(f'"{word.replace(chr(34), chr(34) * 2)}" *' for word in indexed),
        [re.sub(r"([%_\\])", r"\\\1", word) for word in looked_for],
    )


def _has_words(char: str) -> bool:
    """Whether the script of this letter parts words with spaces."""
    return char < "\u0e00" or unicodedata.name(char, "").split()[0] in _SPACED


_SPACED = {"LATIN", "GREEK", "CYRILLIC", "GEORGIAN", "HANGUL", "ETHIOPIC", "CHEROKEE", "FULLWIDTH"}


def _events(path: Path, question: str, values: list[int] | list[str | int]) -> list[Event]:
    with _reader(path) as db:
        rows = db.execute(question.format(COLUMNS), values).fetchall()
    return [event for row in rows if (event := event_of(row))]


@contextmanager
def _reader(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_LIMIT)) as db:
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.text_factory = tolerant
            yield db
    except sqlite3.Error as error:
        hint = "open the room once with lanchat host, which mends it" if is_damage(error) else ""
        raise LanchatError(f"cannot read {path}: {in_words(error)}", hint) from None
