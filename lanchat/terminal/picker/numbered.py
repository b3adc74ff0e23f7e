"""The list of rooms for a terminal that knows no escape sequences: numbered lines, and a question below them."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING

from lanchat.protocol.text import clean_title
from lanchat.terminal.phrases import sentence
from lanchat.terminal.picker.picker import AdvisingSource, Chosen, HostNew, Picked, Quit, Source
from lanchat.terminal.picker.table import table
from lanchat.terminal.picker.view import HINTS
from lanchat.terminal.stdio import put

if TYPE_CHECKING:
    from lanchat.discovery.sighting import Listing

LOOK = 3.0  # s until the list is printed
LOOK_STEP = 0.1  # s
QUESTION = "Number to join, h TITLE to host a room, Enter to look again, q to quit"


def pick_by_number(
    source: Source,
    ask: Callable[[str], str],
    *,
    talk: IO[str] | None = None,
    look: float = LOOK,
) -> Picked:
    """Let the person choose, as `pick` does.

    Args:
        ask: shows a question and returns what was typed.
        look: seconds until the list is printed, each time.
    """
    talk = talk or sys.stderr
    while True:
        put(talk, "Looking for rooms …")
        deadline = time.monotonic() + look
        while time.monotonic() < deadline:
            source.listings()  # so that what is found early is asked for its people
            time.sleep(LOOK_STEP)
        listings = source.listings()
        put(talk, *_lines(listings, source))
        while (picked := _picked(ask(QUESTION), listings)) is not None:
            if not isinstance(picked, str):
                return picked
            put(talk, picked)


def _lines(listings: "Sequence[Listing]", source: Source) -> list[str]:
    if not listings:
        advice = source.hint() if isinstance(source, AdvisingSource) else ()
        return ["No rooms yet.", *(f"  {line}" for line in advice or HINTS[:1])]
    rows = ("".join(text for _, text in row) for row in table(listings, addresses=True))
    return ["Rooms on this network:", *(f"  {number}  {row}" for number, row in enumerate(rows, 1))]


def _picked(answer: str, listings: "Sequence[Listing]") -> Picked | str | None:
    """What was chosen; a sentence if that is not possible; None to look again."""
    word, _, title = answer.strip().partition(" ")
    if not word:
        return None
    if word.lower() in ("q", "quit"):
        return Quit()
    if word.lower() == "h":
        try:
            return HostNew(clean_title(title))
        except ValueError as error:
            return sentence(str(error)) if title else "Type h and the title of the room, such as: h Room A"
    if word.isdecimal() and 1 <= int(word) <= len(listings) and not title:
        return Chosen(listings[int(word) - 1])
    called = [listing for listing in listings if listing.title.casefold() == answer.strip().casefold()]
    if len(called) == 1:
        return Chosen(called[0])
    return f"Type a number from 1 to {len(listings)}, or q." if listings else "Type Enter, h TITLE or q."
