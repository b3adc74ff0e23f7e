"""`lanchat rooms`: the list as lines, for people and for scripts. No terminal needed."""

import json
import time
from collections.abc import Sequence
from typing import IO, NoReturn

from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Listing
from lanchat.discovery.sources import scanning
from lanchat.protocol.address import Address
from lanchat.terminal.picker.table import fitted

_SCAN_TAKES = 4.0  # s for 254 addresses, 50 at once, and the answers of who is there
_LOOK_AGAIN = 1.0  # s; a problem that comes up while nothing else changes is told after this
_TITLE, _HOST = 32, 16  # columns


def show_rooms(
    on: Sequence[Address] | None,
    *,
    wait: float,
    watch: bool,
    as_json: bool,
    out: IO[str],
    talk: IO[str],
    scan: bool = False,
) -> int:
    """Print each room as soon as it answers, for `wait` seconds; with `watch`, what changes, until interrupted.

    Args:
        scan: knock at every address of this network as well.

    Returns:
        The exit code.
    """
    with Finder(on) as finder:
        if scan:
            finder.begin(scanning(on))
            wait = max(wait, _SCAN_TAKES)
        if watch:
            _watch(finder, as_json, out, talk)
        seen = _look(finder, wait, as_json, out)
        if not seen:
            talk.write(
                f"No room was seen within {wait:g} s. Open one:  lanchat host TITLE\n"
                "If somebody hosts one: are you on the same network? Their screen shows an address to join by.\n"
                "What is the matter with this network:  lanchat doctor\n"
            )
        for problem in finder.problems():
            talk.write(f"{problem}\n")
    return 0


def _look(finder: Finder, wait: float, as_json: bool, out: IO[str]) -> int:
    """Returns: how many were printed."""
    deadline = time.monotonic() + wait
    printed: set[str] = set()
    listings = finder.listings()
    while True:
        over = time.monotonic() >= deadline
        for listing in listings:
            if listing.room_id not in printed and (over or listing.state == "answering"):
                printed.add(listing.room_id)
                out.write((listing.as_json() if as_json else line(listing)) + "\n")
                out.flush()
        if over:
            return len(printed)
        listings = finder.wait_change(listings, deadline - time.monotonic())


def _watch(finder: Finder, as_json: bool, out: IO[str], talk: IO[str]) -> NoReturn:
    before: tuple[Listing, ...] = ()
    told = 0
    while True:
        now = finder.wait_change(before, _LOOK_AGAIN)
        problems = finder.problems()
        for problem in problems[told:]:
            talk.write(f"{problem}\n")
            talk.flush()
        told = len(problems)
        was = {listing.room_id: listing for listing in before}
        for listing in now:
            old = was.pop(listing.room_id, None)
            if old != listing:
                _tell("appeared" if old is None else "changed", listing, as_json, out)
        for listing in was.values():
            _tell("gone", listing, as_json, out)
        out.flush()
        before = now


def _tell(change: str, listing: Listing, as_json: bool, out: IO[str]) -> None:
    if as_json:
        out.write(json.dumps({"change": change, **json.loads(listing.as_json())}) + "\n")
    else:
        out.write(f"{change:<9} {line(listing)}\n")


def line(listing: Listing) -> str:
    """One room as a line of text: title, who hosts, people inside, where."""
    if listing.state == "silent":
        inside = "does not answer"
    else:
        inside = f"{listing.people} inside" + (", locked" if listing.locked else "")
    host = f"by {listing.host}" if listing.host else ""
    return f"{fitted(listing.title, _TITLE)}  {fitted(host, _HOST)}  {inside:<16}  {listing.endpoints[0]}"
