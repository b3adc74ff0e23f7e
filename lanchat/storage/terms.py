"""The highest term that this computer has begun in a room, in a file beside the log.

It is no part of the log, because a log that was damaged and has lost its end must begin a later term all the same: no
number may ever mean two events.
"""

from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.timeline import MAX_TERM, epoch_of, index_of, make_epoch, make_seq, term_of
from lanchat.storage.files import write_file

_FILE = "term"


def begin_term(log: Path, given: int, least: int, index: int, *, goes_on: bool) -> int:
    """Begin the next term of a room, or go on with the last one.

    Args:
        log: the path of the room's log.
        given: the highest number that the log says was given out.
        least: the least number of the term.
        index: of the host, see protocol/delegation.py.
        goes_on: whether the host's last term may go on, because every event of it is in the log, and the room never
            moves.

    Returns:
        The number that the first event follows.

    Raises:
        LanchatError: there have been too many terms.
        OSError: the folder cannot be written.
    """
    last, noted = epoch_of(given), _noted(log)
    if goes_on and term_of(last) >= max(least, noted) and index_of(last) == index:
        return given
    term = max(least, noted + 1, term_of(last) + 1)
    if term > MAX_TERM:
        raise LanchatError("This room's log has no numbers left.", "Open another room: --new")
    note_term(log, term)
    return make_seq(make_epoch(term, index), 0)


def note_term(log: Path, term: int) -> None:
    """Note that this term begins while its host runs.

    Raises:
        OSError: the folder cannot be written.
    """
    write_file(log.with_name(_FILE), f"{term}\n".encode(), durable=True)


def _noted(log: Path) -> int:
    """The term in the file; 0: none. A file that cannot be read counts as none."""
    try:
        text = log.with_name(_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return 0
    return min(int(text), MAX_TERM) if text.isdecimal() and len(text) < 10 else 0
