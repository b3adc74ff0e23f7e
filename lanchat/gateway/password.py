"""The password of the gateway: without it every program of this computer could use its port and speak as its person."""

from contextlib import suppress
from pathlib import Path

from lanchat.network.password import make_password
from lanchat.storage.files import file_errors, make_folder, write_file

FILE = "irc-password"


def gateway_password(home: Path) -> str:
    """The password in this home, which is made at the first run and can be read by its owner alone.

    Raises:
        LanchatError: the folder cannot be read or written.
    """
    path = home / FILE
    with file_errors(path):
        make_folder(home)
        with suppress(FileNotFoundError, UnicodeDecodeError):
            if known := path.read_text(encoding="utf-8").strip():
                return known
        password = make_password()
        write_file(path, f"{password}\n".encode(), durable=False)
    return password
