"""The folder for everything that lanchat writes, the stored nick, and the path of the settings."""

import atexit
import getpass
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.nicks import clean_nick, nick_from
from lanchat.storage.files import SET_HOME, check_own, existing_folder, file_errors, make_folder, write_file

_NICK_FILE = "nick"
_CONFIG_FILE = "config.toml"


def home_folder(*, needed: bool = True) -> Path:
    """LANCHAT_HOME, or this system's folder for the data of programs. It may not exist yet.

    Args:
        needed: False for what stores nothing, as a list of rooms or an ephemeral room. A user who has no such folder
            and cannot make one, as in some containers, then gets an empty one that is deleted when this program ends.

    Raises:
        LanchatError: there is none, or somebody else owns it or may write to it; or LANCHAT_HOME begins with the home
            of an unknown user, as in `~nobody/lanchat`.
    """
    home = _chosen_folder()
    if not needed and (home is None or not ("LANCHAT_HOME" in os.environ or _can_exist(home))):
        return _temporary_folder()
    if home is None:
        raise LanchatError("This user has no home folder.", SET_HOME)
    check_own(home)
    return home


def downloads_folder() -> Path:
    """LANCHAT_DOWNLOADS, or `lanchat` in this system's folder for downloads. It may not exist yet."""
    chosen = os.environ.get("LANCHAT_DOWNLOADS")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_downloads_path

    return user_downloads_path() / "lanchat"


def config_path() -> Path | None:
    """The file of this person's settings, which may not exist.

    It is LANCHAT_CONFIG, or config.toml in LANCHAT_HOME, or in this system's folder for settings.

    Returns:
        None: there is none, because LANCHAT_CONFIG is empty or this user has no home.

    Raises:
        LanchatError: as `home_folder`.
    """
    named = os.environ.get("LANCHAT_CONFIG")
    if named is not None:
        return Path(os.path.expanduser(named)).absolute() if named else None
    if os.environ.get("LANCHAT_HOME"):
        home = _chosen_folder()
        return None if home is None else home / _CONFIG_FILE
    from platformdirs import user_config_path

    try:
        folder = user_config_path("lanchat", appauthor=False)
    except RuntimeError:  # as in _chosen_folder
        return None
    return folder / _CONFIG_FILE if folder.is_absolute() else None


def shown_path(path: Path) -> str:
    """The path, with `~` for the home of this user."""
    try:
        return str("~" / path.absolute().relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)


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


def _chosen_folder() -> Path | None:
    chosen = os.environ.get("LANCHAT_HOME")
    if chosen:
        try:
            return Path(chosen).expanduser().absolute()
        except RuntimeError:
            user = Path(chosen).parts[0]
            raise LanchatError(f"LANCHAT_HOME is not a folder: no user has the home {user}.", SET_HOME) from None
    from platformdirs import user_data_path

    try:
        path = user_data_path("lanchat", appauthor=False)
    except RuntimeError:  # neither HOME nor a name of this user id says where its home is
        return None
    return path if path.is_absolute() else None  # versions of platformdirs differ: some give "~/..." as it is


def _can_exist(folder: Path) -> bool:
    """Whether a folder exists or can be made."""
    there = existing_folder(folder)
    return there == folder or os.access(there, os.W_OK | os.X_OK)


@cache
def _temporary_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="lanchat-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
