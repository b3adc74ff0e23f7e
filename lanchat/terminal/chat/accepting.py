"""Fetches files without being asked, as far as the person has said so: small ones, from those whom they know."""

from collections.abc import Callable
from datetime import datetime

from lanchat.api.room import JoinedRoom
from lanchat.client.events import PrivateFile
from lanchat.errors import LanchatError
from lanchat.protocol.file_messages import FileOffered
from lanchat.protocol.text import safe_text

MOST = 10  # files that may be on their way because of this at once; more are left to the person


class Accepting:
    """Owned by the thread that paints.

    Args:
        most: bytes of the largest file that is fetched; 0: none is.
        under_way: how many transfers run.
        fetch: begins to fetch a file, by the host's name for it.
        note: shows a line.
    """

    def __init__(
        self,
        room: JoinedRoom,
        most: int,
        under_way: Callable[[], int],
        fetch: Callable[[str], None],
        note: Callable[[str], None],
    ) -> None:
        self._room = room
        self._most = most
        self._under_way = under_way
        self._fetch = fetch
        self._note = note
        self._seen: set[str] = set()  # files, by the host's names for them

    def offered(self, file: FileOffered | PrivateFile) -> None:
        """Somebody else sends this file now, and it has a number. It is fetched if it is small, and they are known."""
        if not self._most or file.size > self._most or file.file in self._seen or self._under_way() >= MOST:
            return
        self._seen.add(file.file)
        today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        try:
            if self._room.has_heard(file.by, before=int(today.timestamp() * 1000)):
                self._note(f"Fetching {safe_text(file.name)} automatically, as --accept says.")
                self._fetch(file.file)
        except LanchatError:  # the history cannot be read now, so nobody is known
            pass
