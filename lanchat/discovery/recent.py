"""Rooms of before: the addresses where this person was in one, tried again at once.

One line for each place, the latest first: `ADDRESS:PORT ROOM-ID TIME TITLE`, TIME in seconds since 1970.
Lines this version does not understand are kept as they are. The file is rewritten whole, so that a
crash leaves the old one or the new one; of two that write at once, one place is forgotten, no more.

What answers there is listed whatever room it is: a host that opens another one has not moved.
"""

import ipaddress
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lanchat.discovery.sighting import LOWEST_PORT, Sighting, Vanished
from lanchat.protocol.address import Endpoint, parse_endpoint
from lanchat.protocol.text import safe_text
from lanchat.storage.files import make_folder, write_file

WAY = "remembered"
FILE = "places"
MAX_PLACES = 32  # more than a person goes to; each is a connection when a list is shown
MAX_FILE = 64 * 1024  # bytes that are read

_LINE = re.compile(r"(\S+) ([0-9a-f]{32}) (\d{1,12})(?: (.*))?")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    endpoint: Endpoint
    room_id: str
    seen: int  # s since 1970
    title: str


class Places:
    """Reads the file at each question: several lanchat may run at once. Any thread. Trouble is logged, never raised."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def all(self) -> list[Place]:
        return [place for line in self._lines() if (place := parsed(line))]

    def add(self, place: Place) -> None:
        """Remember that this person was in a room there."""
        if ipaddress.ip_address(place.endpoint.host.partition("%")[0]).is_loopback:
            return  # this machine is looked at anyway
        try:
            self._rewrite(added(self._lines(), place))
        except OSError as error:
            _log.warning("cannot remember the place of a room: %s", error)

    def _lines(self) -> list[str]:
        try:
            with open(self._path, encoding="utf-8", errors="surrogateescape") as file:
                return file.read(MAX_FILE).splitlines()
        except OSError:
            return []

    def _rewrite(self, lines: list[str]) -> None:
        make_folder(self._path.parent)
        text = "".join(line + "\n" for line in lines)
        write_file(self._path, text.encode("utf-8", "surrogateescape"), durable=False)


class Remembered:
    """The places of before as a way of seeing: all told at once, and then no more."""

    def __init__(self, places: Places, report: Callable[[Sighting | Vanished], None]) -> None:
        for place in places.all()[:MAX_PLACES]:
            report(sighting(place))

    def close(self) -> None:
        pass


def sighting(place: Place) -> Sighting:
    where = place.endpoint
    return Sighting(WAY, str(where), "", place.title, "", (where,), source=where.host, joined=True)


def added(lines: list[str], place: Place) -> list[str]:
    """The lines of the file with this place on top, no more than MAX_PLACES of them. Pure."""
    title = safe_text(place.title)
    new = f"{place.endpoint} {place.room_id} {place.seen} {title}".rstrip()
    known = [(line, parsed(line)) for line in lines]
    strange = [line for line, old in known if old is None]
    others = [line for line, old in known if old is not None and old.endpoint != place.endpoint]
    return [new, *others[: MAX_PLACES - 1], *strange]


def parsed(line: str) -> Place | None:
    """A line of the file; None: it says nothing that we know. Pure."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    endpoint = parse_endpoint(match[1])
    if endpoint is None or endpoint.port < LOWEST_PORT:
        return None
    try:
        ipaddress.ip_address(endpoint.host)
    except ValueError:
        return None  # a name would have to be asked for
    return Place(endpoint, match[2], int(match[3]), match[4] or "")
