"""Errors of SQLite: which of them mean that a file is damaged, and their texts for a person."""

import errno
import sqlite3
from enum import Enum

from lanchat.protocol.text import safe_text

# sqlite3 raises the last two for a damaged file: its message is no text, or a number is too large.
FAILURES = (sqlite3.Error, UnicodeDecodeError, OverflowError)
Failure = sqlite3.Error | UnicodeDecodeError | OverflowError


class Damaged(Exception):
    """The file is not a log, or no longer one."""


class StoreProblem(Enum):
    """Why a file cannot be read or written. The value is a text for a person."""

    DISK_FULL = "the disk is full"
    LOCKED = "another program holds the file"
    READ_ONLY = "the file is read-only"
    DAMAGED = "the file is damaged"
    OTHER = ""  # the error has a text of its own


_PROBLEMS = {
    sqlite3.SQLITE_FULL: StoreProblem.DISK_FULL,
    sqlite3.SQLITE_BUSY: StoreProblem.LOCKED,
    sqlite3.SQLITE_LOCKED: StoreProblem.LOCKED,
    sqlite3.SQLITE_READONLY: StoreProblem.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: StoreProblem.DAMAGED,
    sqlite3.SQLITE_NOTADB: StoreProblem.DAMAGED,
}


def problem_of(error: Failure | OSError) -> StoreProblem:
    """The kind of a problem, by the code of SQLite or of the system."""
    if isinstance(error, UnicodeDecodeError | OverflowError):
        return StoreProblem.DAMAGED
    if isinstance(error, OSError):
        return StoreProblem.DISK_FULL if error.errno == errno.ENOSPC else StoreProblem.OTHER
    return _PROBLEMS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, StoreProblem.OTHER)


def in_words(error: Failure | OSError) -> str:
    """Why a file cannot be used now, as a text for a person. SQLite quotes what it finds in a file."""
    own = error.strerror if isinstance(error, OSError) else None
    return problem_of(error).value or own or safe_text(str(error))


def tolerant(data: bytes) -> str:
    """Decode text from the file; a damaged character must not cost a whole line."""
    return data.decode(errors="replace")


def passes(error: Failure) -> bool:
    """Whether this error says nothing about the file itself, and may pass."""
    return problem_of(error) in (StoreProblem.DISK_FULL, StoreProblem.LOCKED)
