"""`lanchat rooms`: the rooms of this network as lines, for people and for scripts. Needs no terminal."""

import json
import time
from typing import IO, NoReturn

from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Listing
from lanchat.discovery.sources import scanning
from lanchat.errors import NoSuchRoom
from lanchat.network.addresses import OwnAddresses
from lanchat.terminal.cells import fitted
from lanchat.terminal.colour import BOLD, put_rows
from lanchat.terminal.phrases import people_text
from lanchat.terminal.picker.table import table
from lanchat.terminal.stdio import columns_of, has_reader, put

_SCAN_WAIT = 4.0  # s for 254 addresses, 50 at once, and for the answers of the hosts among them
_PROBLEMS_EVERY = 1.0  # s; a problem that comes up while nothing else changes is shown after this
_TITLE, _HOST = 32, 16  # columns


def show_rooms(
    on: OwnAddresses,
    *,
    wait: float,
    watch: bool,
    as_json: bool,
    out: IO[str],
    talk: IO[str],
    scan: bool = False,
) -> int:
    """Show a person the rooms as a table; for a program, print each room as soon as it answers.

    Args:
        on: our own addresses to look on.
        wait: seconds to look.
        watch: keep running, and print what changes until interrupted.
        scan: also try every address on this network.

    Returns:
        The exit code: that of `NoSuchRoom` if there is none.
    """
    with Finder(on) as finder:
        if scan:
            finder.begin(scanning(on))
            wait = max(wait, _SCAN_WAIT)
        if watch:
            _watch(finder, as_json, out, talk)
        if not (_look(finder, wait, as_json, out) if as_json or not columns_of(out) else _show(finder, wait, out)):
            put(
                talk,
                *finder.problems(),
                f"No rooms on this network (looked for {wait:g} s). Open one:  lanchat host TITLE",
                "If somebody is hosting, make sure that you are on the same network. Their screen shows an address to "
                "join by.",
                "To find out why:  lanchat doctor",
            )
            return NoSuchRoom.exit_code
        put(talk, *finder.problems())
    return 0


def show_one(on: OwnAddresses, title: str, *, wait: float, as_json: bool, out: IO[str]) -> int:
    """Print the room with this title as soon as it is seen; several lines if several have it.

    Returns:
        The exit code.

    Raises:
        NoSuchRoom: there is none.
    """
    from lanchat.api.targets import find_title  # a list of rooms does without

    for listing in find_title(title, wait, on):
        _print(listing, as_json, out)
    return 0


def _show(finder: Finder, wait: float, out: IO[str]) -> int:
    """Show a person the rooms as a table, once all have had time to answer. Returns: how many these are."""
    deadline = time.monotonic() + wait
    rooms = finder.listings()
    while (left := deadline - time.monotonic()) > 0:
        rooms = finder.wait_change(rooms, left)
    if rooms:
        rows = table(rooms, columns_of(out) - 2, addresses=True)
        put_rows(out, [[(BOLD, "Rooms on this network")], *([("", "  "), *row] for row in rows)])
    return len(rooms)


def _look(finder: Finder, wait: float, as_json: bool, out: IO[str]) -> int:
    """Returns: how many rooms were printed."""
    deadline = time.monotonic() + wait
    printed: list[Listing] = []
    listings = finder.listings()
    while True:
        over = time.monotonic() >= deadline
        for listing in listings:
            if (over or listing.state == "answering") and not any(map(listing.continues, printed)):
                printed.append(listing)
                _print(listing, as_json, out)
        if over:
            return len(printed)
        listings = finder.wait_change(listings, deadline - time.monotonic())


def _print(listing: Listing, as_json: bool, out: IO[str]) -> None:
    if as_json:
        out.write(listing.as_json() + "\n")
        out.flush()
    else:
        put(out, line(listing))


def _watch(finder: Finder, as_json: bool, out: IO[str], talk: IO[str]) -> NoReturn:
    before: tuple[Listing, ...] = ()
    shown: tuple[str, ...] = ()  # problems
    while True:
        now = finder.wait_change(before, _PROBLEMS_EVERY)
        if not has_reader(out):
            raise BrokenPipeError
        problems = finder.problems()
        put(talk, *(problem for problem in problems if problem not in shown))
        shown = problems
        gone = list(before)
        for listing in now:
            old = next(filter(listing.continues, gone), None)
            if old is not None:
                gone.remove(old)
            if old is None or not _look_alike(old, listing, as_json):
                _report("appeared" if old is None else "changed", listing, as_json, out)
        for listing in gone:
            _report("gone", listing, as_json, out)
        out.flush()
        before = now


def _look_alike(old: Listing, new: Listing, as_json: bool) -> bool:
    """Whether the reader would see no difference, because what has changed is not shown."""
    return old.as_json() == new.as_json() if as_json else line(old) == line(new)


def _report(change: str, listing: Listing, as_json: bool, out: IO[str]) -> None:
    if as_json:
        out.write(json.dumps({"change": change, **json.loads(listing.as_json())}) + "\n")
    else:
        put(out, f"{change:<9} {line(listing)}")


def line(listing: Listing) -> str:
    """One room as a line of text: title, host, people, address."""
    if listing.state == "silent":
        people = "does not answer"
    else:
        people = people_text(listing.people or 0) + (", password" if listing.password else "")
    host = f"by {listing.host}" if listing.host else ""
    return f"{fitted(listing.title, _TITLE)}  {fitted(host, _HOST)}  {people:<19}  {listing.endpoints[0]}"
