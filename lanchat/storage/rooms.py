"""A room's folder: `LANCHAT_HOME/rooms/ID/` of a room hosted here, `LANCHAT_HOME/seen/ID/` of one we were in.

room.json   what the room is; rewritten whole, so that a crash leaves the old one or the new one
log.db      its events (store.py)
lock        held by the one process that writes here
"""

import json
import logging
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.ids import is_room_id
from lanchat.protocol.text import safe_text
from lanchat.storage.files import FileLock, lock_file
from lanchat.threads import Closable

HOSTED, SEEN = "rooms", "seen"
ABOUT, LOG, LOCK = "room.json", "log.db", "lock"


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class About:
    """What room.json says."""

    id: str  # 32 hex digits
    title: str
    created: int = 0  # ms since 1970
    used: int = 0  # ms since 1970; when it was last opened or joined
    keep: str = ""  # as keep.parse_keep reads it
    bans: Mapping[str, str] = field(default_factory=dict)  # nick by member id
    more: Mapping[str, object] = field(default_factory=dict)  # of a later version; kept as it is


class RoomFolder(Closable):
    """The folder of a room we host, locked. `keep_bans` is for any thread, all else for whoever made it."""

    def __init__(self, path: Path, about: About, lock: FileLock) -> None:
        self.path = path
        self.about = about
        self._lock = lock
        self._writing = threading.Lock()  # guards room.json
        self._writers: list[threading.Thread] = []

    @property
    def log_path(self) -> Path:
        return self.path / LOG

    def keep_bans(self, bans: Mapping[str, str]) -> None:
        """Who is banned from now on. Never waits: a thread of its own writes it."""
        self.about = replace(self.about, bans=dict(bans))
        writer = threading.Thread(target=self._write, name="bans")
        self._writers.append(writer)
        writer.start()

    def close(self) -> None:
        """Let go of the folder. May be called twice."""
        for writer in self._writers:
            writer.join()
        self._lock.close()

    def _write(self) -> None:
        with self._writing:
            try:
                _write_about(self.path, self.about)
            except OSError as error:
                _log.warning("cannot write %s: %s", self.path / ABOUT, error)


def open_room(home: Path, title: str, *, new: bool = False, keep: str | None = None, now: int) -> RoomFolder:
    """The folder of the room of this title that was hosted last, or a new one.

    Args:
        new: another room of this title, whatever there is.
        keep: None: as it was.
        now: ms since 1970.

    Raises:
        LanchatError: another lanchat hosts this room now, or the folder cannot be written.
    """
    known = [] if new else rooms_called(home, title, HOSTED)
    about = known[0] if known else About(secrets.token_hex(16), title, created=now)
    path = home / HOSTED / about.id
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = lock_file(path / LOCK)
    except OSError as error:
        raise _unusable(path, error) from None
    if lock is None:
        shown = safe_text(title)
        raise LanchatError(
            f'another lanchat on this machine hosts "{shown}" already',
            f'go in:  lanchat join "{shown}"   or open another of that name:  lanchat host --new "{shown}"',
        )
    try:
        about = replace(about, used=now, keep=about.keep if keep is None else keep)
        _write_about(path, about)
        for folder in () if known else (path.parent, home):
            _sync(folder)  # the log is on the disk only if the folder is
    except OSError as error:
        lock.close()
        raise _unusable(path, error) from None
    return RoomFolder(path, about, lock)


def seen_folder(home: Path, id: str, title: str, now: int) -> Path:
    """The folder for what we see of somebody's room, made if need be.

    Raises:
        ProtocolError: that is no room id. It comes from the network, and it becomes a path.
        LanchatError: the folder cannot be written.
    """
    if not is_room_id(id):
        raise ProtocolError("the host gives its room an id that is none")
    path = home / SEEN / id
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        about = _read_about(path) or About(id, title, created=now)
        _write_about(path, replace(about, title=title, used=now))
    except OSError as error:
        raise _unusable(path, error) from None
    return path


def rooms_called(home: Path, name: str, *kinds: str) -> list[About]:
    """The rooms of this title or id that are kept here, the one used last first; an exact title goes before others."""
    rooms = known_rooms(home, *kinds)
    exact = [about for about in rooms if name in (about.title, about.id)]
    return exact or [about for about in rooms if about.title.casefold() == name.casefold()]


def known_rooms(home: Path, *kinds: str) -> list[About]:
    """All rooms that are kept here, each once, the one used last first."""
    found: dict[str, About] = {}
    for kind in kinds or (HOSTED, SEEN):
        folders = (home / kind).iterdir() if (home / kind).is_dir() else ()
        for about in filter(None, map(_read_about, folders)):
            other = found.get(about.id)
            if other is None or other.used < about.used:
                found[about.id] = about
    return sorted(found.values(), key=lambda about: (about.used, about.created), reverse=True)


def log_paths(home: Path, id: str, *kinds: str) -> list[Path]:
    """The logs that hold something of this room: the host's, our own copy."""
    return [path for kind in kinds or (HOSTED, SEEN) if (path := home / kind / id / LOG).exists()]


def _read_about(path: Path) -> About | None:
    """None where there is no room, or nothing that can be read."""
    if not is_room_id(path.name):
        return None
    try:
        found = json.loads((path / ABOUT).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no object")
        about = {name: found.pop(name) for name in _KINDS if name in found}
        if wrong := [name for name, value in about.items() if not isinstance(value, _KINDS[name])]:
            raise ValueError(f"{', '.join(wrong)} of another kind")
        return replace(About(path.name, ""), **{**about, "id": path.name}, more=found)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("cannot read %s: %s", path / ABOUT, error)
        return None


_KINDS = {"id": str, "title": str, "created": int, "used": int, "keep": str, "bans": dict}
assert _KINDS.keys() == {field.name for field in fields(About)} - {"more"}


def _write_about(path: Path, about: About) -> None:
    values = asdict(about)
    draft = path / f"{ABOUT}.{os.getpid()}-{threading.get_ident()}"
    try:
        with open(draft, "w", encoding="utf-8") as out:
            json.dump({**values.pop("more"), **values}, out, indent=1)
            out.write("\n")
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, path / ABOUT)
    finally:
        draft.unlink(missing_ok=True)
    _sync(path)


def _sync(folder: Path) -> None:
    """What was made in this folder stays in it, whatever happens to the power."""
    if os.name != "posix":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _unusable(path: Path, error: OSError) -> LanchatError:
    return LanchatError(
        f"cannot use {path}: {error.strerror or error}",
        "set LANCHAT_HOME to a folder you can write to, or host a room that keeps nothing: --ephemeral",
    )
