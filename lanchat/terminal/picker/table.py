"""Rooms as a table that fits: columns get narrower, then fewer, before a title is cut to nothing. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lanchat.discovery.sighting import Listing
from lanchat.terminal.cells import Fragments, cut, drawn_cells

TITLE, HOST, PEOPLE, NOTE = "class:room.title", "class:room.host", "class:room.people", "class:room.note"

LEAST_TITLE = 10  # cells of a title that are worth more than another column
WIDE_HOST, NARROW_HOST = 16, 10  # cells
_GAP = 2  # cells between two columns


@dataclass(frozen=True)
class _Column:
    style: str
    texts: list[str]
    at_most: int = 1000  # cells

    @property
    def width(self) -> int:
        return min(self.at_most, max(map(drawn_cells, self.texts), default=0))


def table(listings: Sequence[Listing], width: int | None = None) -> list[Fragments]:
    """One line for each room, without its end: title, who hosts, people inside, a note.

    Args:
        width: cells; None for as many as it takes.
    """
    titles = _Column(TITLE, [listing.title for listing in listings])
    for others in _arrangements(listings):
        others = [column for column in others if column.width]
        room = titles.width if width is None else width - sum(_GAP + column.width for column in others)
        if room >= min(titles.width, LEAST_TITLE):
            break
    columns = [_Column(TITLE, titles.texts, max(1, room)), *others]
    return [_line(columns, row) for row in range(len(listings))]


def fitted(text: str, width: int) -> str:
    """The text in exactly so many cells: filled up with spaces, or cut, with an ellipsis."""
    text = cut(text, width)
    return text + " " * (width - drawn_cells(text))


def _arrangements(listings: Sequence[Listing]) -> Iterator[list[_Column]]:
    """What stands beside the title, from the most to the least."""
    hosts = [listing.host for listing in listings]
    people = _Column(PEOPLE, [_people(listing) for listing in listings])
    notes = _Column(NOTE, [_note(listing, "does not answer") for listing in listings])
    yield [_Column(HOST, hosts, WIDE_HOST), people, notes]
    short_people = _Column(PEOPLE, ["" if listing.people is None else f"{listing.people} in" for listing in listings])
    short_notes = _Column(NOTE, [_note(listing, "silent") for listing in listings])
    yield [_Column(HOST, hosts, NARROW_HOST), short_people, short_notes]
    yield [short_people, short_notes]
    yield [short_notes]


def _people(listing: Listing) -> str:
    match listing.people:
        case None:
            return ""
        case 1:
            return "1 person"
        case number:
            return f"{number} people"


def _note(listing: Listing, silent: str) -> str:
    if listing.state == "silent":
        return silent
    if listing.key_status == "changed":
        return "KEY CHANGED"
    return ", ".join([*(["locked"] if listing.locked else []), *(["known"] if listing.key_status == "known" else [])])


def _line(columns: list[_Column], row: int) -> Fragments:
    fragments = [(column.style, fitted(column.texts[row], column.width) + " " * _GAP) for column in columns]
    while fragments and not fragments[-1][1].strip():
        fragments.pop()
    return [*fragments[:-1], *((style, text.rstrip()) for style, text in fragments[-1:])]
