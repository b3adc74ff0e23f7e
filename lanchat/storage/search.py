"""Reading a log while its host goes on writing it. Each call has a read-only connection of its own and may wait.

A reader never writes and never checkpoints, so it stands in nobody's way (see store.py).
"""

import re
import sqlite3
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Event, Said, Told
from lanchat.storage.schema import COLUMNS, PRIVATE_COLUMNS, WITH_PRIVATE, event_of
from lanchat.storage.store import in_words, is_damage, tolerant

_AT_ONCE = 500  # values in one question; SQLite before 3.32 takes 999
BUSY_LIMIT = 2.0  # s to wait while the file is being opened or closed by who writes it

_WORD = re.compile(r"[^\W_]+")  # letters and digits, as the index takes a text apart
_SPACED = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "GEORGIAN", "HANGUL", "MODIFIER", "COMBINING"}


def events_after(path: Path, seq: int, limit: int) -> list[Event]:
    """The first events after this seq.

    Raises:
        LanchatError: the file cannot be read.
    """
    return _events(path, "SELECT {} FROM event WHERE seq > ? ORDER BY seq LIMIT ?", [seq, limit])


def said_by(path: Path, by: str, ids: Collection[str]) -> list[Said]:
    """Those of these messages of one member that are kept; for `by` with a key (the others have no ids of their own).

    Raises:
        LanchatError: the file cannot be read.
    """
    found: list[Event] = []
    wanted = sorted(ids)
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        marks = ", ".join("?" * len(some))  # `by < '~'` lets the index `said_once` serve
        question = f"SELECT {{}} FROM event WHERE kind = 'said' AND by = ? AND by < '~' AND id IN ({marks})"
        found += _events(path, question, [by, *some])
    return [event for event in found if isinstance(event, Said)]


def last_events(path: Path, *, number: int | None = None, since: int = 0, search: str = "") -> list[Event]:
    """The last events, in order.

    Args:
        number: at most so many.
        since: ms since 1970.
        search: only what was said with all of these words in it, or with words that begin so.

    Raises:
        LanchatError: the file cannot be read.
    """
    conditions: list[str] = ["at >= ?"]
    terms: list[str | int] = [since]
    search = search.replace("\0", " ").strip()
    if search:
        indexed, looked_for = _terms(search)
        conditions.append("kind = 'said'")
        if indexed:
            conditions.append(
                "(seq IN (SELECT rowid FROM words WHERE words MATCH ?)"
                " OR seq IN (SELECT seq FROM unindexed) AND holds(text, ?))"
            )
            terms += [" ".join(f'"{word}" *' for word in indexed), " ".join(indexed)]
        for word in looked_for:
            conditions.append("instr(lower(text), lower(?))")
            terms.append(word)
    terms.append(-1 if number is None else number)
    question = f"SELECT {{}} FROM event WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?"
    return _events(path, question, terms)[::-1]


def last_private(path: Path, *, number: int | None = None, since: int = 0, search: str = "") -> list[Told]:
    """The last private messages in a member's own copy; the arguments are those of `last_events`.

    Never for a host's log: what waits there is other people's.

    Raises:
        LanchatError: the file cannot be read.
    """
    indexed, looked_for = _terms(search.replace("\0", " "))
    conditions = ["at >= ?", "text <> ''", "holds(text, ?)", *("instr(lower(text), lower(?))" for _ in looked_for)]
    values = [since, " ".join(indexed), *looked_for, -1 if number is None else number]
    with _reader(path) as db:
        if db.execute("PRAGMA user_version").fetchone()[0] < WITH_PRIVATE:
            return []
        rows = db.execute(
            f"SELECT {PRIVATE_COLUMNS} FROM mail WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT ?", values
        ).fetchall()
    return [Told(*row) for row in reversed(rows)]


def _terms(search: str) -> tuple[list[str], list[str]]:
    """What is asked of the index, and what of the texts themselves.

    The index knows words: letters and digits, so nothing that it is asked can be an operator. Whatever else is in a
    search ("c++", ":-)"), and scripts that do not part words by spaces, are looked for in the texts as they are.
    """
    indexed: list[str] = []
    looked_for: list[str] = []
    for part in search.split():
        words = [word for word in _WORD.findall(part) if all(map(_is_spaced, word))]
        indexed += words
        if words != [part]:
            looked_for.append(part)
    return indexed, looked_for


def _is_spaced(char: str) -> bool:
    """Whether the script of this character parts words by spaces, so that the index knows its words."""
    return char.isascii() or unicodedata.name(char, "").split(" ")[0] in _SPACED


def _holds(text: str, words: str) -> bool:
    """What the index would say to these words, for a text that it does not know yet."""
    begins = [_plain(word) for word in _WORD.findall(text)]
    return all(any(begin.startswith(_plain(word)) for begin in begins) for word in words.split())


def _plain(word: str) -> str:
    """Without case and accents, as the index sees it."""
    return "".join(char for char in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(char))


def _events(path: Path, question: str, values: Sequence[str | int]) -> list[Event]:
    with _reader(path) as db:
        rows = db.execute(question.format(COLUMNS), values).fetchall()
    return [event for row in rows if (event := event_of(row))]


@contextmanager
def _reader(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_LIMIT)) as db:
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.text_factory = tolerant
            db.create_function("holds", 2, _holds, deterministic=True)
            yield db
    except sqlite3.Error as error:
        hint = "open the room once with lanchat host, which mends it" if is_damage(error) else ""
        raise LanchatError(f"cannot read {path}: {in_words(error)}", hint) from None
