"""The certificate of the door for browsers in LANCHAT_HOME. It is kept, so that a browser warns of it once."""

import datetime
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from lanchat.protocol.web_certificate import is_good, make_certificate
from lanchat.storage.files import file_errors, write_file

WEB_FILE = "web.pem"  # the key and the certificate in one, so that they always belong together


def load_web_certificate(home: Path, places: Collection[str]) -> Path:
    """The file with the certificate and its key. It is made again if it does not fit or ends soon.

    Args:
        places: the addresses and names of this machine.

    Raises:
        LanchatError: the folder cannot be written.
    """
    path, now = home / WEB_FILE, datetime.datetime.now(datetime.UTC)
    with file_errors(path):
        pem = b""
        with suppress(FileNotFoundError):
            pem = path.read_bytes()
        if not is_good(pem, places, now):
            write_file(path, make_certificate(places, now), durable=False)
    return path
