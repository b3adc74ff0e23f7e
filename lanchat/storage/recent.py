"""The rooms that this person was in before, with their addresses.

The file has one line for each address, the latest first: `ADDRESS:PORT ROOM-ID TIME TITLE`, TIME in seconds since 1970.
Lines that this version does not understand are kept as they are. The file is rewritten as a whole, so that a crash
leaves the old one or the new one. If two programs write at once, one of the two rooms is forgotten, and nothing else.
"""

import ipaddress
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from lanchat.protocol.address import Endpoint, is_ip, parse_endpoint
from lanchat.protocol.text import safe_text
from lanchat.storage.files import make_folder, write_file

FILE = "recent_rooms"
MAX_RECENT = 32  # more than one person visits; each is probed when a list is shown
MAX_FILE = 64 * 1024  # bytes that are read

_LINE = re.compile(r"(\S+) ([0-9a-f]{32}) (\d{1,12})(?: (.*))?")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecentRoom:
    """A room where this person was."""

    endpoint: Endpoint
    room_id: str
    joined_at: int  # s since 1970
    title: str


class RecentRooms:
    """The file of recent rooms. It is read each time, because several programs may use it. Any thread.

    A file that cannot be read counts as empty, and one that cannot be written is only logged: it is a convenience.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def all(self) -> list[RecentRoom]:
        return [room for line in self._lines() if (room := parsed(line))]

    def add(self, room: RecentRoom) -> None:
        """Remember that this person joined a room at this address."""
        if ipaddress.ip_address(room.endpoint.host.partition("%")[0]).is_loopback:
            return  # the rooms of this machine are found anyway
        try:
            self._rewrite(added(self._lines(), room))
        except OSError as error:
            _log.warning("cannot remember the address of a room: %s", error)

    def _lines(self) -> list[str]:
        try:
            with open(self._path, encoding="utf-8", errors="surrogateescape") as file:
                return file.read(MAX_FILE).splitlines()
        except OSError:
            return []

    def _rewrite(self, lines: list[str]) -> None:
        make_folder(self._path.parent)
        data = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
        write_file(self._path, data, durable=False)


def added(lines: list[str], room: RecentRoom) -> list[str]:
    """The lines of the file with this room on top, and at most MAX_RECENT rooms. Pure."""
    title = safe_text(room.title)
    new = f"{room.endpoint} {room.room_id} {room.joined_at} {title}".rstrip()
    known = [(line, parsed(line)) for line in lines]
    strange = [line for line, old in known if old is None]
    others = [line for line, old in known if old is not None and old.endpoint != room.endpoint]
    return [new, *others[: MAX_RECENT - 1], *strange]


def parsed(line: str) -> RecentRoom | None:
    """The room of a line of the file; None if the line is not understood. Pure."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    endpoint = parse_endpoint(match[1])
    if endpoint is None or not is_ip(endpoint.host):
        return None  # a name would have to be looked up
    return RecentRoom(endpoint, match[2], int(match[3]), match[4] or "")
