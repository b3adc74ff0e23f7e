"""The newest list of standbys that each room has shown to this home, signed by its owner: LANCHAT_HOME/papers/ROOM.

Beside it, in ROOM.clock, stands by how much the owner's clock is ahead of ours, since the list ends by that clock.
"""

import logging
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.delegation import Delegation, read_delegation
from lanchat.protocol.papers import AHEAD_MATTERS, Papers
from lanchat.protocol.standby import MAX_PAPER
from lanchat.storage.files import file_errors, make_folder, write_file

FOLDER = "papers"
_CLOCK = ".clock"
_DIGITS = 16  # characters; more ms than any clock shows

_log = logging.getLogger(__name__)


class KnownPapers:
    """Any thread. Several programs may keep lists at once: what is there is read and judged again each time."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def newest(self, room: str, owner: bytes) -> bytes:
        """The newest list that this owner has signed for this room, as far as we know; b"": none.

        Args:
            owner: raw public key.
        """
        paper = self._read(room)
        return paper if _read(paper, room, owner) is not None else b""

    def ahead(self, room: str) -> int:
        """By how many ms the clock of this room's owner is ahead of ours, as far as we know."""
        text = self._read(room + _CLOCK).decode("ascii", "replace").strip()
        return int(text) if text.removeprefix("-").isdecimal() and len(text) <= _DIGITS else 0

    def keep(self, papers: Papers) -> None:
        """Remember the list that a room has shown, if it is newer. An error of the disk is only logged."""
        shown = _read(papers.delegation, papers.room, papers.owner)
        if shown is None:
            return
        known = _read(self._read(papers.room), papers.room, papers.owner)
        if known is None or known.number < shown.number:
            self._write(papers.room, papers.delegation)
        if abs(papers.ahead - self.ahead(papers.room)) > AHEAD_MATTERS:
            self._write(papers.room + _CLOCK, f"{papers.ahead}\n".encode())

    def _write(self, name: str, data: bytes) -> None:
        try:
            with file_errors(self._folder / name):
                make_folder(self._folder)
                write_file(self._folder / name, data, durable=False)
        except LanchatError as error:
            _log.warning("the list of standbys is not remembered: %s", error)

    def _read(self, name: str) -> bytes:
        try:
            with open(self._folder / name, "rb") as file:
                return file.read(MAX_PAPER + 1)
        except OSError:
            return b""


def _read(paper: bytes, room: str, owner: bytes) -> Delegation | None:
    try:
        delegation = read_delegation(paper, owner)
    except LanchatError:
        return None
    return delegation if delegation.room == room else None
