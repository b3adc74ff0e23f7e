"""The folders of rooms: `LANCHAT_HOME/rooms/ID/` for a room hosted here, `LANCHAT_HOME/seen/ID/` for one joined.
`LANCHAT_HOME/standby/ID/` holds a complete copy of a room that this computer may host (replica.py).
`LANCHAT_HOME/beside/ID/` has the log and the files of somebody's room that this computer hosts as well, on an engine.

room.json   facts about the room; rewritten whole, so that a crash leaves the old file or the new one
log.db      the events (store.py): a host's log, or a member's history
lock        locked by the one process that writes log.db
typed       what this person has typed in the room (input_history.py)
own.json    what this person has settled for the room (own_settings.py)
files/      the files that members sent, if the room is hosted here (blobs.py)
"""

import json
import logging
import secrets
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.folding import fold
from lanchat.protocol.ids import is_room_id
from lanchat.protocol.text import last_argument, safe_text, same_title
from lanchat.storage.files import SET_HOME, FileLock, file_errors, lock_file, make_folder, sync_folder, write_file
from lanchat.storage.retention import parse_retention
from lanchat.threads import Closable

# The kinds of rooms, and the names of their folders. A room of the kind BESIDE has its room.json among the joined ones.
HOSTED, BESIDE, JOINED, STANDBY = "rooms", "beside", "seen", "standby"
TYPED = "typed"  # the name of the file of the input history in either
ABOUT, LOG, LOCK, FILES = "room.json", "log.db", "lock", "files"

_HINT = f"{SET_HOME} Or host a room that stores nothing: --ephemeral"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class About:
    """The content of room.json."""

    id: str  # 32 hex digits
    title: str  # "": the file is damaged, so it is not known
    created: int = 0  # ms since 1970
    used: int = 0  # ms since 1970; when it was last opened or joined, above all others even if the clock was wrong
    keep: str = ""  # the retention of its log, as `parse_retention` reads it
    bans: Mapping[str, str] = field(default_factory=dict)  # nick by member id
    locked: bool = False  # only members who have been in the room before are admitted
    engine: str = ""  # the address, without its password, of the server that numbers it; "": it was hosted without one
    more: Mapping[str, object] = field(default_factory=dict)  # fields of a later version, which are left as they are


class RoomFolder(Closable):
    """The locked folder of a room hosted here. Saving is for any thread, all else for the one that opened it."""

    def __init__(self, path: Path, about: About, lock: FileLock) -> None:
        self.path = path
        self.about = about
        self._lock = lock
        self._changing = threading.Lock()  # guards `about` and the writers; for memory work only
        self._writing = threading.Lock()  # guards room.json, in threads that may wait for the disk
        self._writers: list[threading.Thread] = []

    @property
    def log_path(self) -> Path:
        return self.path / LOG

    @property
    def files_path(self) -> Path:
        return self.path / FILES

    def save_access(self, bans: Mapping[str, str], locked: bool) -> None:
        """Store who is banned and whether the room is locked. Never waits: a thread of its own writes it."""
        self._save(bans=dict(bans), locked=locked)

    def note_engine(self, address: str) -> None:
        """Store which engine numbers the room, for a person who forgets it. As `save_access` for the rest."""
        if address != self.about.engine:
            self._save(engine=address)

    def note_keep(self, keep: str) -> None:
        """Store another retention of the log. As `save_access` for the rest."""
        if keep != self.about.keep:
            self._save(keep=keep)

    def close(self) -> None:
        """Finish writing and release the folder. May be called twice."""
        for writer in self._writers:
            writer.join()
        self._lock.close()

    def _save(self, **changes: Any) -> None:
        with self._changing:
            self.about = replace(self.about, **changes)
            writer = threading.Thread(target=self._write, name="access")
            try:
                writer.start()
            except RuntimeError:  # no thread is left; the hub, which calls this, must not end by that
                self._write()
                return
            self._writers.append(writer)

    def _write(self) -> None:
        with self._writing:
            try:
                _write_about(self.path, self.about)
            except OSError as error:
                _log.warning("cannot write %s: %s", self.path / ABOUT, error)


def open_room(home: Path, title: str, *, new: bool = False, keep: str | None = None, now: int) -> RoomFolder:
    """Open the room with this title that was hosted last, or make a new one.

    Args:
        new: make another room, even if there is one with this title.
        keep: the retention of its log; None: as before.
        now: ms since 1970.

    Raises:
        LanchatError: another lanchat hosts this room now, or the folder cannot be written; or no room has this title,
            and the title of a room is damaged, so that it may be the one.
    """
    hosted = known_rooms(home, HOSTED)
    known = [] if new else _called(hosted, title)
    if not known and not new:
        _check_titles(home, hosted, title)
    about = known[0] if known else About(secrets.token_hex(16), title, created=now)
    path = home / HOSTED / about.id
    with file_errors(path, _HINT):
        make_folder(path)
        lock = lock_file(path / LOCK)
    if lock is None:
        shown, typed = safe_text(title), last_argument(safe_text(title))
        raise LanchatError(
            f'Another lanchat on this machine hosts "{shown}" already.',
            f"Join it:  lanchat join {typed}   Or open another room of that name:  lanchat host --new {typed}",
        )
    try:
        used = _latest([*hosted, *known_rooms(home, JOINED)], now)
        about = replace(about, used=used, keep=about.keep if keep is None else keep)
        with file_errors(path, _HINT):
            _write_about(path, about)
            for folder in () if known else (path.parent, home):
                sync_folder(folder)  # the log is on the disk only if its folder is
    except LanchatError:
        lock.close()
        raise
    return RoomFolder(path, about, lock)


def note_keep(path: Path, keep: str | None) -> str | None:
    """The retention of a room hosted from this folder, which the caller has locked.

    Args:
        keep: what it is from now on; None: as before.

    Returns:
        None: room.json is damaged, and is left as it is.

    Raises:
        LanchatError: the folder cannot be written.
    """
    about = _read_about(path)
    if about is None or not about.title:
        return keep
    if keep is not None and keep != about.keep:
        about = replace(about, keep=keep)
        with file_errors(path):
            _write_about(path, about)
    return about.keep


def hosted_path(home: Path, id: str) -> Path | None:
    """The folder of a room that is hosted from this home; None: it is not hosted here."""
    path = home / HOSTED / id
    return path if is_room_id(id) and path.is_dir() else None


def member_file(home: Path, id: str, name: str) -> Path | None:
    """Where something is kept that this person alone has of a room; None: the room has no folder here."""
    path = hosted_path(home, id) or home / JOINED / id
    return path / name if is_room_id(id) and path.is_dir() else None


def joined_folder(home: Path, id: str, title: str, now: int) -> Path:
    """The folder for a room that somebody else hosts, made on first use.

    Args:
        now: ms since 1970.

    Raises:
        ProtocolError: the id is not a room id. It comes from the network, and it becomes a path.
        LanchatError: the folder cannot be written.
    """
    if not is_room_id(id):
        raise ProtocolError("The host gives its room an invalid id.")
    path = home / JOINED / id
    with file_errors(path):
        make_folder(path)
        about = _read_about(path) or About(id, title, created=now)
        _write_about(path, replace(about, title=title, used=_latest(known_rooms(home), now)))
    return path


def rooms_called(home: Path, name: str, *kinds: str) -> list[About]:
    """The rooms with this title or id: first those hosted from this home, then the others, each the last used first.

    Titles that only a search would find (see folding.py) count if none is exact.
    """
    return _called(sorted(known_rooms(home, *kinds), key=lambda about: hosted_path(home, about.id) is None), name)


def _called(rooms: Sequence[About], name: str) -> list[About]:
    """The rooms with this title or id; those whose title only a search would find count if none is exact."""
    title = same_title(name)
    exact = [about for about in rooms if name == about.id or same_title(about.title) == title]
    return exact or [about for about in rooms if fold(about.title) == fold(name)]


def known_rooms(home: Path, *kinds: str) -> list[About]:
    """All rooms that have a folder here, each once, the one used last first.

    A room whose room.json is damaged has no title, and is found by its id. A room that is both hosted here and joined
    has the title that it is hosted with.

    Args:
        kinds: HOSTED or JOINED; none means both.
    """
    found: dict[str, About] = {}
    for kind in kinds or (HOSTED, JOINED):
        folders = (home / kind).iterdir() if (home / kind).is_dir() else ()
        for about in filter(None, map(_read_about, folders)):
            first = found.setdefault(about.id, about)
            found[about.id] = replace(first, title=first.title or about.title, used=max(first.used, about.used))
    return sorted(found.values(), key=lambda about: (about.used, about.created), reverse=True)


def log_paths(home: Path, id: str, *kinds: str) -> list[Path]:
    """The files of this room on this machine: the log of its host, and the history of a member."""
    return [path for kind in kinds or (HOSTED, BESIDE, JOINED) if (path := home / kind / id / LOG).exists()]


_TYPES = {each.name: type(getattr(About("", ""), each.name)) for each in fields(About) if each.name != "more"}


def _read_about(path: Path) -> About | None:
    """Read room.json. Of a damaged one nothing is known but the id, which names the folder; None: there is no room."""
    if not is_room_id(path.name):
        return None
    try:
        found = json.loads((path / ABOUT).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is not a JSON object")
        about = {name: found.pop(name) for name in _TYPES if name in found}
        if wrong := [name for name, value in about.items() if type(value) is not _TYPES[name]]:
            raise ValueError(f"wrong type of {', '.join(wrong)}")
        if not all(isinstance(nick, str) for nick in about.get("bans", {}).values()):
            raise ValueError("wrong type of bans")
        parse_retention(about.get("keep", ""))
        return replace(About(path.name, ""), **{**about, "id": path.name}, more=found)
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, FileNotFoundError) and not (path / LOG).exists():
            return None
        _log.warning("cannot read %s: %s", path / ABOUT, error)
        return About(path.name, "")


def _check_titles(home: Path, hosted: Iterable[About], title: str) -> None:
    """Refuse to make a room that may be there already.

    Args:
        hosted: all rooms that are hosted from this home.

    Raises:
        LanchatError: the title of a room that is hosted from this home cannot be read.
    """
    for about in hosted:
        if not about.title:
            raise LanchatError(
                f"{home / HOSTED / about.id / ABOUT} is damaged, so its room may be this one.",
                f"If it is, write into that file:  {json.dumps({'title': title}, ensure_ascii=False)}   "
                f"If not:  lanchat host --new {last_argument(safe_text(title))}",
            )


def _latest(rooms: Iterable[About], now: int) -> int:
    """A time at which a room is used: now, or later if a clock that was wrong has left a later one."""
    return max([now, *(about.used + 1 for about in rooms)])


def _write_about(path: Path, about: About) -> None:
    values = asdict(about)
    text = json.dumps({**values.pop("more"), **values}, indent=1)
    write_file(path / ABOUT, f"{text}\n".encode(), durable=True)
