"""The form in which a nick is shown. Pure.

Every nick that others have chosen is made safe here.
"""

import hashlib
from functools import lru_cache

from lanchat.protocol.ids import is_verified
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.text import safe_text
from lanchat.terminal.cells import cells, most_cells

# Those of the 256 colours that stand out from black and from white alike (contrast of 4:1 and more), and from the dark
# blue of Solarized (3:1 and more). A test computes the contrasts.
PALETTE = (
    "#af5f5f",
    "#af5f00",
    "#5f8700",
    "#008700",
    "#008787",
    "#0087af",
    "#5f5fff",
    "#af00ff",
    "#875fd7",
    "#d700d7",
    "#af5faf",
    "#d70087",
)


def shown_nick(by: str, nick: str) -> str:
    """The nick as it is shown: with a tilde for a guest, about whom nothing is proven."""
    return safe_nick(nick) if is_verified(by) else f"~{safe_nick(nick)}"


def tagged_nick(by: str, nick: str) -> str:
    """The nick with the first digits of the person's fingerprint, if there is one: `ann·7f3a`."""
    return f"{shown_nick(by, nick)}·{safe_text(by[:4])}" if is_verified(by) else shown_nick(by, nick)


@lru_cache(maxsize=1024)
def measured_nick(by: str, nick: str) -> tuple[str, int, int]:
    """The nick as it is shown, the cells that it takes, and the most that it takes on any terminal."""
    shown = shown_nick(by, nick)
    return shown, cells(shown), most_cells(shown)


@lru_cache(maxsize=1024)
def nick_colour(by: str, nick: str) -> str:
    """The colour of a person, which is the same in every run and at every computer."""
    digest = hashlib.blake2s(f"{by} {nick}".encode(errors="replace")).digest()
    return PALETTE[digest[0] % len(PALETTE)]
