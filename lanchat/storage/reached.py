"""Stores how far a member's history reaches: for each term the last `n` with no hole before it.

A later run resumes from there along the timeline of its host, as after a lost link. The highest number in the file is
not enough: after a host has yielded to one that began earlier, the numbers of the room are lower.
"""

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.messages import Event
from lanchat.protocol.timeline import MAX_N, epoch_of, make_seq, n_of
from lanchat.storage.migrations import WITH_STATE
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.readonly import ReadOnlyFile
from lanchat.storage.schema import COLUMNS, event_of

NAME = "reached"  # of the value in the state of the file
_LAST = f"SELECT {COLUMNS} FROM event WHERE seq <= ? ORDER BY seq DESC LIMIT 1"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reached:
    """How far the history of earlier runs reaches.

    Args:
        positions: by epoch; nothing where there is no history.
        event: the last one that an earlier run has stored, if it can be read.
    """

    positions: Mapping[int, int] = field(default_factory=dict)
    event: Event | None = None


def read_reached(path: Path) -> Reached:
    """How far the history in this file reaches; nothing is known of one that cannot be read now."""
    if not path.exists():
        return Reached()
    try:
        with closing(ReadOnlyFile(path).connect()) as db:
            [version] = db.execute("PRAGMA user_version").fetchone()
            question = "SELECT value FROM state WHERE name = ?"
            row = db.execute(question, (NAME,)).fetchone() if version >= WITH_STATE else None
            positions = _read(row[0]) if row is not None else {}
            last = db.execute(_LAST, (_seq(positions),)).fetchone()
    except (*FAILURES, OSError) as error:
        _log.warning("cannot read %s: %s", path, in_words(error))
        return Reached()
    event = event_of(last) if last is not None else None
    if not positions and event is not None:  # a version that did not note it has written the file, or it was repaired
        positions = {epoch_of(event.seq): n_of(event.seq)}
    return Reached(positions, event)


def write_positions(positions: Mapping[int, int], before: Mapping[str, bytes]) -> dict[str, bytes]:
    """The value for the state of the file.

    Args:
        before: the current state. Another program of this person, at the same host, may have got further.
    """
    noted = _read(before.get(NAME, b""))
    if noted.keys() == positions.keys():
        positions = {epoch: max(n, noted[epoch]) for epoch, n in positions.items()}
    return {NAME: " ".join(f"{epoch}:{n}" for epoch, n in sorted(positions.items())).encode()}


def _read(data: object) -> dict[int, int]:
    """The positions in a value; nothing if the value is damaged."""
    try:
        pairs = [entry.split(b":") for entry in data.split()] if isinstance(data, bytes) else []
        positions = {int(epoch): int(n) for epoch, n in pairs}
    except ValueError:
        return {}
    whole = all(0 <= n <= MAX_N and 0 <= epoch <= epoch_of(MAX_NUMBER) for epoch, n in positions.items())
    return positions if whole else {}


def _seq(positions: Mapping[int, int]) -> int:
    """The number of the last event; the highest of all where nothing is known."""
    return make_seq(max(positions), positions[max(positions)]) if positions else MAX_NUMBER
