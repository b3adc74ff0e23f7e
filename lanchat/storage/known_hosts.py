"""The hosts we have met: which key each room showed, as SSH's known_hosts.

One line for each room: `ROOM-ID FINGERPRINT TITLE`. Lines this version does not understand are kept as they are.
A new room is one line more, in one write; to forget one rewrites the file, and a crash leaves the old one or the new.
"""

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lanchat.errors import HostKeyChanged, LanchatError
from lanchat.protocol.text import safe_text

FILE = "known_hosts"

KeyStatus = Literal["new", "known", "changed"]

_LINE = re.compile(r"([0-9a-f]{32}) ([0-9a-f]{64}) (.*)")


@dataclass(frozen=True)
class KnownHost:
    room: str
    fingerprint: str  # of the host's key, 64 hex digits
    title: str


class KnownHosts:
    """Reads the file at each question: several lanchat may run at once. Any thread."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def all(self) -> list[KnownHost]:
        return [known for line in self._lines() if (known := _parsed(line))]

    def key_status(self, room: str, fingerprint: str) -> KeyStatus:
        """How this key stands to what we know of this room. A prefix of a fingerprint is compared as a prefix."""
        for known in self.all():
            if known.room == room:
                return "known" if fingerprint and known.fingerprint.startswith(fingerprint) else "changed"
        return "new"

    def check(self, room: str, fingerprint: str, title: str) -> KeyStatus:
        """Refuse a host whose key has changed.

        Raises:
            HostKeyChanged: this room showed another key before.
            LanchatError: the file cannot be read.
        """
        key_status = self.key_status(room, fingerprint)
        if key_status == "changed":
            raise HostKeyChanged(
                f'"{safe_text(title)}" shows another key than before: somebody may pose as its host, '
                "or its owner set it up again",
                f"ask its owner; if it is really theirs:  lanchat trust --forget {room}",
            )
        return key_status

    def remember(self, room: str, fingerprint: str, title: str) -> None:
        """From now on this room has this key. Only once we are in: who cannot let us in may be anybody.

        Raises:
            LanchatError: the file cannot be written.
        """
        if self.key_status(room, fingerprint) == "new":
            self._append(f"{room} {fingerprint} {safe_text(title)}")

    def forget(self, name: str) -> list[KnownHost]:
        """Forget the rooms of this id or title.

        Returns:
            What was forgotten.
        """
        lines = self._lines()
        gone = [known for line in lines if (known := _parsed(line)) and name in (known.room, known.title)]
        if gone:
            self._rewrite([line for line in lines if _parsed(line) not in gone])
        return gone

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text(encoding="utf-8", errors="surrogateescape").removesuffix("\n").split("\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unusable(self._path, error) from None

    def _append(self, line: str) -> None:
        """With one write: two that join at once do not lose each other's rooms."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(self._path, flags, 0o600)
            try:
                size = os.fstat(fd).st_size
                whole = not size or os.lseek(fd, size - 1, os.SEEK_SET) < 0 or os.read(fd, 1) == b"\n"
                os.write(fd, ("" if whole else "\n").encode() + f"{line}\n".encode("utf-8", "surrogateescape"))
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise _unusable(self._path, error) from None

    def _rewrite(self, lines: list[str]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            number, draft = tempfile.mkstemp(prefix=f"{FILE}.", dir=self._path.parent)  # not by process id: threads
            try:
                with os.fdopen(number, "w", encoding="utf-8", errors="surrogateescape") as out:
                    out.writelines(line + "\n" for line in lines)
                    out.flush()
                    os.fsync(out.fileno())
                os.replace(draft, self._path)
            except OSError:
                os.unlink(draft)
                raise
        except OSError as error:
            raise _unusable(self._path, error) from None


def _parsed(line: str) -> KnownHost | None:
    match = _LINE.fullmatch(line)
    return KnownHost(*match.groups()) if match else None


def _unusable(path: Path, error: OSError) -> LanchatError:
    return LanchatError(
        f"cannot use {path}: {error.strerror or error}", "set LANCHAT_HOME to a folder you can write to"
    )
