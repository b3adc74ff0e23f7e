"""How others join: the commands that a host shows, and the answer to /invite with its QR code.

`segno`, which makes the code, is imported only here, and only when it is needed.
"""

import shlex
from typing import TYPE_CHECKING

from lanchat.protocol.address import is_address, wrong_port
from lanchat.protocol.invite import Invite
from lanchat.protocol.irc.names import channel_of
from lanchat.terminal.cells import Fragments

if TYPE_CHECKING:
    from lanchat.api.hosted import HostedRoom

QUIET_ZONE = 4  # modules of white around a code, as ISO/IEC 18004 asks for
NARROW_QUIET_ZONE = 2  # modules; phones still read it, and it fits a narrow terminal
# Black on white whatever the terminal's own colours are: only some phones read a light code on a dark ground.
BLACK_ON_WHITE = "fg:#000000 bg:#ffffff"  # for prompt_toolkit


def how_to_join(room: "HostedRoom") -> list[str]:
    """What a host shows first: the commands that others type, each on a line of its own."""
    lines = [f"{room.title} is open. Others on this network join with:"]
    if not (is_address(room.title) or wrong_port(room.title)):  # otherwise it would be taken for one
        lines.append(f"  lanchat join {'-- ' if room.title.startswith('-') else ''}{quoted(room.title)}")
    endpoints = room.endpoints
    lines += [f"  lanchat join {endpoint.shared}" for endpoint in endpoints]
    if trouble := room.on.trouble():
        lines.append(f"{trouble} Only people at this machine can join until it has one.")
    if (invite := room.invite) is not None:
        lines.append("or with this link, which also proves that the room is yours:")
        lines.append(f"  lanchat join '{invite.first}'")
    if (irc_port := room.host.ports.get("irc")) is not None:
        address = endpoints[0].shared.host if endpoints else "ADDRESS"
        lines.append("IRC clients (not encrypted):")
        lines.append(f"  server {address}, port {irc_port}, channel {channel_of(room.title)}")
    if (plain_port := room.host.ports.get("plain")) is not None:
        address = endpoints[0].shared.host if endpoints else "ADDRESS"
        lines.append("Guests without lanchat (not encrypted):")
        lines.append(f"  nc {address} {plain_port}")
    return lines


def quoted(word: str) -> str:
    """The word as one types it in a shell: in double quotes if these are enough, since every system knows them."""
    return f'"{word}"' if not set(word) & set('"\\$`!%') else shlex.quote(word)


def invitation(invite: Invite, width: int) -> Fragments:
    """The answer to /invite: the command, and below it the QR code, or why there is none.

    Args:
        width: columns of the terminal.
    """
    shown = [("", f"lanchat join '{invite}'\n")]
    lines = qr_lines(invite.for_qr(), width)
    if lines is None:
        return [*shown, ("", f"(The QR code needs more than {width} columns: make the window wider.)\n")]
    return shown + [part for line in lines for part in ((BLACK_ON_WHITE, line), ("", "\n"))]


def qr_lines(text: str, width: int) -> list[str] | None:
    """The text as a QR code of half blocks, two of its rows in one line, to be shown in black on white.

    Args:
        width: columns of the terminal.

    Returns:
        Lines of equal length; None: the code does not fit.
    """
    import segno

    code = segno.make(text, error="l", boost_error=False, micro=False)
    size = int(code.symbol_size(border=0)[0])
    quiet_zone = min(QUIET_ZONE, (width - size) // 2)
    if quiet_zone < NARROW_QUIET_ZONE:
        return None
    rows = [[module == 1 for module in row] for row in code.matrix_iter(border=quiet_zone)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    return ["".join(map(_block, above, below)) for above, below in zip(rows[::2], rows[1::2], strict=True)]


def _block(above: bool, below: bool) -> str:
    return {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}[above, below]
