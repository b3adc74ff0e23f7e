"""The output of `lanchat trust`: the remembered hosts as a table for a person, as lines for a program."""

from collections.abc import Sequence

from lanchat.protocol.ids import MEMBER_ID_LENGTH
from lanchat.protocol.text import grouped, safe_text
from lanchat.storage.known_hosts import KnownHost
from lanchat.terminal.cells import Fragments, cells, fitted
from lanchat.terminal.wrap import hang

_KEY = 39  # cells of a key: 8 groups of 4
_WIDEST_TITLE = 40  # cells


def trust_lines(hosts: Sequence[KnownHost]) -> list[str]:
    """One line for each host: the room's id, the key, the title."""
    return [f"{known.room}  {_key(known)}  {known.title}" for known in hosts]


def trust_table(hosts: Sequence[KnownHost], width: int) -> list[Fragments]:
    """A heading, and a row for each host, with the room's id where there is room for it or a title is not enough.

    Args:
        width: cells of a row.
    """
    if not hosts:
        return []
    titles = [safe_text(known.title) or "(no title)" for known in hosts]
    room = max(10, min(_WIDEST_TITLE, width - _KEY - 2))
    column = min(room, max(map(cells, [*titles, "TITLE"])))
    with_ids = column + _KEY + 4 + len(hosts[0].room) <= width
    heading = f"{fitted('TITLE', column)}  {fitted('HOST KEY', _KEY)}{'  ROOM' if with_ids else ''}".rstrip()
    rows: list[Fragments] = [[("class:heading", heading)]]
    for known, title in sorted(zip(hosts, titles, strict=True), key=lambda pair: pair[1].casefold()):
        if column + 2 + _KEY <= width:
            rows.append([("", f"{fitted(title, column)}  {_key(known)}")])
        else:  # the key in rows of its own
            rows += [[("", title)], [("", f"  {hang(_key(known), width, 2)}")]]
        if with_ids:
            rows[-1].append(("class:dim", f"  {known.room}"))
        if not with_ids and titles.count(title) > 1:
            rows.append([("class:dim", f"  {known.room}")])
    return rows


def _key(known: KnownHost) -> str:
    return grouped(known.fingerprint[:MEMBER_ID_LENGTH])
