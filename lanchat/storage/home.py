"""The folder of everything that lanchat writes, and the nick stored in it. Only here `platformdirs` is used."""

import getpass
import os
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.text import clean_nick, nick_from
from lanchat.storage.files import SET_HOME, check_own, file_errors, make_folder, write_file

_NICK_FILE = "nick"


def home_folder() -> Path:
    """LANCHAT_HOME, or this system's folder for the data of programs. It may not exist yet.

    Raises:
        LanchatError: somebody else owns it or may write to it; or LANCHAT_HOME begins with the home of an unknown user,
            as in `~nobody/lanchat`.
    """
    home = _chosen_folder()
    check_own(home)
    return home


def login_nick() -> str:
    """The nick nearest to the login name."""
    try:
        return nick_from(getpass.getuser())
    except (OSError, KeyError, ImportError):  # a user id without a name, as in containers
        return "guest"


def saved_nick(home: Path) -> str | None:
    """The nick this person used last, or None when there is no valid one."""
    try:
        return clean_nick((home / _NICK_FILE).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None


def save_nick(home: Path, nick: str) -> None:
    """Store the nick for the next time.

    Raises:
        LanchatError: the folder cannot be written.
    """
    with file_errors(home):
        make_folder(home)
        write_file(home / _NICK_FILE, f"{nick}\n".encode(), durable=False)


def _chosen_folder() -> Path:
    chosen = os.environ.get("LANCHAT_HOME")
    if chosen:
        try:
            return Path(chosen).expanduser().absolute()
        except RuntimeError:
            user = Path(chosen).parts[0]
            raise LanchatError(f"LANCHAT_HOME is not a folder: no user has the home {user}.", SET_HOME) from None
    from platformdirs import user_data_path

    return user_data_path("lanchat", appauthor=False)
