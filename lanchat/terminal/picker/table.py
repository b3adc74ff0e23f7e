"""Rooms as a table that fits: its columns get narrower, then fewer, before a title is cut to nothing. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lanchat.protocol.ids import MEMBER_ID_LENGTH
from lanchat.terminal.cells import Fragments, apart, cells, fitted
from lanchat.terminal.chat.nicks import nick_colour
from lanchat.terminal.phrases import people_text

if TYPE_CHECKING:
    from lanchat.discovery.sighting import Listing

TITLE, PEOPLE = "class:room.title", "class:room.people"
NOTE, WARNING, ALARM = "class:room.note", "class:room.warning", "class:room.alarm"

LEAST_TITLE = 10  # cells of a title that are worth more than another column
WIDE_HOST, NARROW_HOST = 16, 9  # cells
_GAP = 2  # cells between two columns


@dataclass(frozen=True)
class _Column:
    """One cell for each room, as style and text."""

    cells: Fragments
    at_most: int = 1000  # cells of the screen

    @property
    def width(self) -> int:
        return min(self.at_most, max((cells(text) for _, text in self.cells), default=0))


def table(
    listings: "Sequence[Listing]",
    width: int | None = None,
    *,
    closed: "Listing | None" = None,
    addresses: bool = False,
) -> list[Fragments]:
    """One line for each room, without its end: title, host, people, a note.

    Args:
        width: cells of the screen; None for as many as it takes.
        closed: the one that is in the list no more.
        addresses: to be printed as they are, with the address of each, as long as there is room for it.
    """
    titles = [(TITLE, listing.title if addresses else apart(listing.title)) for listing in listings]
    longest = _Column(titles).width
    for others in _arrangements(listings, closed, addresses=addresses):
        others = [column for column in others if column.width]
        room = longest if width is None else width - sum(_GAP + column.width for column in others)
        if room >= min(longest, LEAST_TITLE):
            break
    columns = [_Column(titles, max(1, room)), *others]
    return [_line(columns, row) for row in range(len(listings))]


def _arrangements(
    listings: "Sequence[Listing]", closed: "Listing | None", *, addresses: bool
) -> Iterator[list[_Column]]:
    """What can stand beside the title, from the most to the least."""
    hosts = [(_host_style(listing), listing.host) for listing in listings]
    inside = [None if listing is closed else listing.people for listing in listings]
    people = _Column([(PEOPLE, "" if number is None else people_text(number)) for number in inside])
    gone = (WARNING, "closed")
    notes = _Column([gone if listing is closed else _note(listing, "does not answer") for listing in listings])
    if addresses:
        where = _Column([(NOTE, str(listing.endpoints[0].shared)) for listing in listings])
        yield [_Column(hosts, WIDE_HOST), people, where, notes]
    yield [_Column(hosts, WIDE_HOST), people, notes]
    short_people = _Column([(PEOPLE, "" if number is None else f"{number} in") for number in inside])
    short_notes = _Column([gone if listing is closed else _note(listing, "silent") for listing in listings])
    yield [_Column(hosts, NARROW_HOST), short_people, short_notes]
    yield [short_people, short_notes]
    yield [short_notes]


def _host_style(listing: "Listing") -> str:
    """The colour that this person has in the room as well."""
    return nick_colour(listing.fingerprint[:MEMBER_ID_LENGTH], listing.host)


def _note(listing: "Listing", silent: str) -> tuple[str, str]:
    """What is special about this room. A room that was visited before is nothing to warn of."""
    if listing.state == "silent":
        return WARNING, silent
    if listing.key_status == "changed":
        return ALARM, "KEY CHANGED"
    visited = ["visited"] if listing.key_status == "known" else []
    return (WARNING, ", ".join(["password", *visited])) if listing.password else (NOTE, "".join(visited))


def _line(columns: list[_Column], row: int) -> Fragments:
    row_cells = [(*column.cells[row], column.width) for column in columns]
    fragments = [(style, fitted(text, width) + " " * _GAP) for style, text, width in row_cells]
    while fragments and not fragments[-1][1].strip():
        fragments.pop()
    return [*fragments[:-1], *((style, text.rstrip()) for style, text in fragments[-1:])]
