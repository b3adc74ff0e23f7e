"""Where a person's own things live: keys, the nick, logs. The door of `platformdirs`."""

import getpass
import os
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.text import clean_nick, nick_from

_NICK_FILE = "nick"


def home_folder() -> Path:
    """LANCHAT_HOME, or the place this system has for a program's data. It may not exist yet.

    Raises:
        LanchatError: it begins with the home of somebody who is not on this machine.
    """
    chosen = os.environ.get("LANCHAT_HOME")
    if chosen:
        try:
            return Path(chosen).expanduser().absolute()
        except RuntimeError:
            raise LanchatError(
                f"LANCHAT_HOME is no folder: there is no home for {Path(chosen).parts[0]}",
                "set LANCHAT_HOME to a folder you can write to",
            ) from None
    from platformdirs import user_data_path

    return user_data_path("lanchat", appauthor=False)


def login_nick() -> str:
    """The nick nearest to the login name."""
    try:
        return nick_from(getpass.getuser())
    except (OSError, KeyError, ImportError):  # a user id without a name, as in containers
        return "guest"


def kept_nick(home: Path) -> str | None:
    """The nick this person chose earlier."""
    try:
        return clean_nick((home / _NICK_FILE).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None


def keep_nick(home: Path, nick: str) -> None:
    """
    Raises:
        LanchatError: the folder cannot be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / _NICK_FILE).write_text(nick + "\n", encoding="utf-8")
    except OSError as error:
        raise LanchatError(
            f"cannot write to {home}: {error.strerror or error}", "set LANCHAT_HOME to a folder you can write to"
        ) from None
