"""The certificates of the doors for browsers and IRC clients in LANCHAT_HOME. They are kept, so that a browser warns
once, and an IRC client can be told which one to expect."""

import datetime
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from lanchat.protocol.web_certificate import VALID, is_good, make_certificate
from lanchat.storage.files import file_errors, write_file

IRC_FILE = "irc.pem"  # one for all rooms
IRC_NAME = "lanchat.local"  # in it; IRC clients compare the whole certificate, not the name
IRC_VALID = datetime.timedelta(days=20 * 365)  # a new one would have to be made known to every client
WEB_FILE = "web.pem"  # the key and the certificate in one, so that they always belong together


def load_web_certificate(home: Path, places: Collection[str]) -> Path:
    """The file with the certificate and its key. It is made again if it does not fit or ends soon.

    Args:
        places: the addresses and names of this machine.

    Raises:
        LanchatError: the folder cannot be written.
    """
    return _load(home / WEB_FILE, places, VALID)


def load_irc_certificate(home: Path) -> Path:
    """The file with the certificate for IRC clients and its key, which is made once.

    Raises:
        LanchatError: the folder cannot be written.
    """
    return _load(home / IRC_FILE, [IRC_NAME], IRC_VALID)


def _load(path: Path, places: Collection[str], valid: datetime.timedelta) -> Path:
    now = datetime.datetime.now(datetime.UTC)
    with file_errors(path):
        pem = b""
        with suppress(FileNotFoundError):
            pem = path.read_bytes()
        if not is_good(pem, places, now):
            write_file(path, make_certificate(places, now, valid), durable=False)
    return path
