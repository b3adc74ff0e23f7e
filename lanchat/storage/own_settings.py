"""A person's own settings for one room: the nick, the people to ignore, perhaps the password.

They stay on this disk, in the folder of the room. A damaged file counts as empty: everything in it can be set again.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from lanchat.protocol.ids import is_fingerprint
from lanchat.protocol.nicks import clean_nick
from lanchat.storage.files import file_errors, write_file
from lanchat.storage.home import save_nick, saved_nick
from lanchat.storage.rooms import member_file

OWN = "own.json"  # the name of the file
MAX_IGNORED = 1000  # people; the one ignored first is forgotten

_log = logging.getLogger(__name__)


class OwnSettings:
    """Belongs to one thread.

    Args:
        home: also stores the nick for rooms without settings; None: it does not.
        path: the file; None: the settings are forgotten with this object.
    """

    def __init__(self, home: Path | None = None, path: Path | None = None) -> None:
        self._home = home
        self._path = path
        self.nick = ""  # the last one that this room has accepted; "": none
        self.ignored: Mapping[str, str] = {}  # nick by member id
        self.password = ""  # "": it is not remembered
        if path is not None:
            self._read(path)

    def keep_nick(self, nick: str, *, everywhere: bool = True) -> None:
        """Store a nick that the room has accepted.

        Args:
            everywhere: use it also in rooms without settings.

        Raises:
            LanchatError: the folder cannot be written.
        """
        if self._home is not None and (everywhere or saved_nick(self._home) is None):
            save_nick(self._home, nick)
        self.change(nick=nick)

    def change(
        self, *, nick: str | None = None, ignored: Mapping[str, str] | None = None, password: str | None = None
    ) -> None:
        """Change settings and store them; those that are None stay as they are.

        Raises:
            LanchatError: the folder cannot be written. The change holds for this run all the same.
        """
        before = self._values()
        self.nick = self.nick if nick is None else nick
        self.ignored = self.ignored if ignored is None else dict([*ignored.items()][-MAX_IGNORED:])
        self.password = self.password if password is None else password
        if self._path is not None and (values := self._values()) != before:
            with file_errors(self._path.parent):
                write_file(self._path, json.dumps(values).encode() + b"\n", durable=False)

    def _values(self) -> dict[str, object]:
        values = {"nick": self.nick, "ignored": {**self.ignored}, "password": self.password}
        return {name: value for name, value in values.items() if value}

    def _read(self, path: Path) -> None:
        try:
            found = json.loads(path.read_bytes())
            nick, password, ignored = found.get("nick", ""), found.get("password", ""), found.get("ignored", {})
            if not isinstance(password, str):
                raise ValueError("wrong type of password")
            self.nick = clean_nick(nick) if nick else ""
            self.ignored = {id: str(known) for id, known in ignored.items() if is_fingerprint(id)}
            self.password = password
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
            _log.warning("cannot read %s: %s", path, error)


def own_settings(home: Path, room: str | None) -> OwnSettings:
    """The settings for the room with this id; None, or a room that stores nothing here: empty ones, never stored."""
    return OwnSettings(home, member_file(home, room, OWN) if room else None)
