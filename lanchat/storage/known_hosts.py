"""The key that each room's host showed, remembered as SSH's known_hosts does.

One line for each room: `ROOM-ID FINGERPRINT TITLE`. Lines that this version does not understand stay as they are.
Remembering a room appends its line with one write. Forgetting one rewrites the file atomically.

Rooms that are hosted from this home need no line: their key is our own. Else a host could take the id of such a room,
which stands on our card, and what it says would be filed under our room.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lanchat.errors import HostKeyChanged
from lanchat.protocol import ids
from lanchat.protocol.folding import fold
from lanchat.protocol.text import grouped, safe_text, same_title
from lanchat.protocol.weak_keys import is_weak_fingerprint
from lanchat.storage.files import NO_FOLLOW, file_errors, make_folder, write_file
from lanchat.storage.identity import find_public_key
from lanchat.storage.rooms import HOSTED, hosted_path, known_rooms

FILE = "known_hosts"

KeyStatus = Literal["new", "known", "changed"]

_LINE = re.compile(r"([0-9a-f]{32}) ([0-9a-f]{64}) (.*)")
_SHOWN = 16  # hex digits of a fingerprint in an error: enough to see that two differ


@dataclass(frozen=True)
class KnownHost:
    """A remembered host."""

    room: str
    fingerprint: str  # of the host's key, 64 hex digits
    title: str


class KnownHosts:
    """The file of known hosts. Any thread.

    Every call reads the file again, since several lanchat may run at once.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / FILE

    def all(self) -> list[KnownHost]:
        """The remembered hosts, without those of rooms that are hosted from this home.

        Raises:
            LanchatError: the file cannot be read.
        """
        return [known for line in self._lines() if (known := _parsed(line))]

    def key_status(self, room: str, fingerprint: str) -> KeyStatus:
        """Compare a key with the one that this room showed before.

        Args:
            fingerprint: 64 hex digits, or the first of them, which are then compared as a prefix.

        Raises:
            LanchatError: the file cannot be read.
        """
        return _key_status(self._find(room), fingerprint)

    def check(self, room: str, fingerprint: str, title: str) -> KeyStatus:
        """Refuse a host whose key has changed.

        Raises:
            HostKeyChanged: this room showed another key before.
            LanchatError: the file cannot be read.
        """
        known = self._find(room)
        status = _key_status(known, fingerprint)
        if known is not None and status == "changed":
            if (folder := hosted_path(self._home, room)) is not None:
                raise HostKeyChanged(
                    f'"{safe_text(title)}" claims to be a room that you host, and does not have your key.',
                    "Somebody may be impersonating you. If you have moved this room to another machine for good, "
                    f"move its folder away: {folder}",
                )
            raise HostKeyChanged(
                f'The key of "{safe_text(title)}" has changed. Either somebody is impersonating its host, or it was '
                f"set up again. Was {grouped(known.fingerprint[:_SHOWN])} …, is now {grouped(fingerprint[:_SHOWN])} …",
                f"Ask the owner of the room. If the new key is really theirs:  lanchat trust --forget {room}",
            )
        return status

    def remember(self, room: str, fingerprint: str, title: str) -> None:
        """Store the key of a room that has none yet.

        Call this only after the host has admitted us: before that, any machine may have answered.

        Raises:
            HostKeyChanged: another program has remembered another key of this room since it was checked.
            LanchatError: the file cannot be written.
        """
        if self.check(room, fingerprint, title) == "new":
            self._append(f"{room} {fingerprint} {safe_text(title)}")

    def knows_title(self, title: str) -> bool:
        """Whether a room with this title is known, as `called` finds it."""
        return bool(self.called(title))

    def called(self, title: str) -> set[str]:
        """The ids of the rooms with this title that are known, or hosted from this home, by the rules of a search.

        Raises:
            LanchatError: the file cannot be read.
        """
        titles = [(known.room, known.title) for known in self.all()]
        titles += [(about.id, about.title) for about in known_rooms(self._home, HOSTED)]
        return {room for room, known in titles if fold(safe_text(known)) == fold(safe_text(title))}

    def hosts(self, room: str) -> bool:
        """Whether this room is hosted from this home."""
        return hosted_path(self._home, room) is not None

    def forget(self, name: str) -> list[KnownHost]:
        """Remove the rooms with this id or title. If no title is exact, those that a search finds.

        Returns:
            What was removed.

        Raises:
            LanchatError: the file cannot be written.
        """
        lines, title = self._lines(), same_title(name)
        hosts = [known for line in lines if (known := _parsed(line))]
        gone = [known for known in hosts if name == known.room or same_title(known.title) == title]
        gone = gone or [known for known in hosts if fold(known.title) == fold(title)]
        if gone:
            left = [line for line in lines if _parsed(line) not in gone]
            with file_errors(self._path):
                write_file(self._path, b"".join(map(_encoded, left)), durable=True)
        return gone

    def _find(self, room: str) -> KnownHost | None:
        """The known host of a room. A room that is hosted from this home has our own key, whatever a line says.

        For all others the first line counts: nothing appended later replaces a key.
        """
        if self.hosts(room):
            public = find_public_key(self._home)
            return KnownHost(room, "" if public is None else ids.fingerprint(public), "")  # "" fits no key
        return next((known for known in self.all() if known.room == room), None)

    def _lines(self) -> list[str]:
        with file_errors(self._path):
            try:
                text = self._path.read_text(encoding="utf-8", errors="surrogateescape")
            except FileNotFoundError:
                return []
        return text.removesuffix("\n").split("\n")

    def _append(self, line: str) -> None:
        """Add a line with one write, so that two programs that join at once do not lose each other's rooms."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | NO_FOLLOW | getattr(os, "O_BINARY", 0)
        with file_errors(self._path):
            make_folder(self._path.parent)
            fd = os.open(self._path, flags, 0o600)
            try:
                os.write(fd, (b"" if _ends_with_line(fd) else b"\n") + _encoded(line))
                os.fsync(fd)
            finally:
                os.close(fd)


def _key_status(known: KnownHost | None, fingerprint: str) -> KeyStatus:
    if known is None:
        return "new"
    same = fingerprint and known.fingerprint.startswith(fingerprint)
    return "known" if same and not is_weak_fingerprint(fingerprint) else "changed"


def _ends_with_line(fd: int) -> bool:
    """Whether the last line of the file is complete. A crash in the middle of a write may have cut it.

    The write of another program that is half done at this moment looks the same; the empty line that follows it then
    is ignored, as every line without a room is.
    """
    size = os.fstat(fd).st_size
    if size == 0:
        return True
    os.lseek(fd, size - 1, os.SEEK_SET)
    return os.read(fd, 1) == b"\n"


def _encoded(line: str) -> bytes:
    return f"{line}\n".encode("utf-8", "surrogateescape")


def _parsed(line: str) -> KnownHost | None:
    match = _LINE.fullmatch(line)
    return KnownHost(*match.groups()) if match else None
