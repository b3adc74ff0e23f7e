"""Tells how others join: the commands that a host shows, and the answer to /invite with its QR code."""

from typing import TYPE_CHECKING

from lanchat.protocol.address import is_address, wrong_port
from lanchat.protocol.invite import Invite
from lanchat.protocol.irc.names import channel_of
from lanchat.protocol.text import argument, last_argument
from lanchat.terminal.cells import Fragments
from lanchat.terminal.qr import qr_code
from lanchat.terminal.web import PROTECTS, web_lines

if TYPE_CHECKING:
    from lanchat.api.hosted import HostedRoom


def how_to_join(room: "HostedRoom") -> list[str]:
    """What a host without a screen says: the commands that others type, each on a line of its own."""
    lines = [f"{room.title} is open. Others on this network join with:"]
    lines += [f"  {command}" for command in _commands(room)]
    if trouble := room.on.trouble():
        lines.append(f"{trouble} Only people at this machine can join until it has one.")
    if (invite := room.invite) is not None:
        lines.append(f"or with this link, which also proves that the room is {_whose(room)}:")
        lines.append(f"  lanchat join '{invite.first}'")
    lines += [f"  {line}" if command else line for line, command in _other_ways(room)]
    return lines


def welcome(room: "HostedRoom", width: int) -> list[tuple[str, bool]]:
    """What a host's screen shows first: how others come in. True: this line is a command that they type.

    Args:
        width: columns of the terminal.
    """
    first, *others = _commands(room)
    both = f"{first}   or   {others[0]}" if others else first
    beside = "" if room.owned else ", together with its owner"
    lines = [(f"You host {room.title} as {room.nick}{beside}. Others on this network join with:", False)]
    lines += [(line, True) for line in ([both] if len(both) + 8 <= width else [first, *others[:1]])]
    if trouble := room.on.trouble():
        lines.append((f"{trouble} Only people at this machine can join until it has one.", False))
    lines += _other_ways(room)
    proves = f"/invite shows a link that also proves that the room is {_whose(room)}."
    lines.append((f"{proves} /help lists the commands.", False))
    return lines


def _whose(room: "HostedRoom") -> str:
    return "yours" if room.owned else "the right one"


def _commands(room: "HostedRoom") -> list[str]:
    """The commands with which others join by title and by address."""
    titled = not (is_address(room.title) or wrong_port(room.title))  # otherwise it would be taken for one
    by_title = f"lanchat join {last_argument(room.title)}"
    return [
        *([by_title] if titled else []),
        *(f"lanchat join {argument(str(endpoint.shared))}" for endpoint in room.endpoints),
    ]


def _plain_address(room: "HostedRoom") -> str:
    return room.endpoints[0].shared.host if room.endpoints else "ADDRESS"


def _other_ways(room: "HostedRoom") -> list[tuple[str, bool]]:
    """How people without lanchat come in. True: what they type, open, or set in their client."""
    lines = web_lines(room.web.address) + [(PROTECTS, False)] if room.web.is_open else []
    for door, how in (("irc-tls", "TLS"), ("irc", "not encrypted")):
        if (irc_port := room.host.ports.get(door)) is not None:
            where = f"server {_plain_address(room)}, port {irc_port}, channel {channel_of(room.title)}"
            lines += [(f"IRC clients ({how}):", False), (where, True)]
    if room.irc_certificate:
        lines += [("The SHA-256 of its certificate, for -tls_fingerprint in WeeChat:", False)]
        lines += [(room.irc_certificate, True)]
    if (plain_port := room.host.ports.get("plain")) is not None:
        lines += [("Guests without lanchat (not encrypted):", False), (f"nc {_plain_address(room)} {plain_port}", True)]
    return lines


def invitation(invite: Invite, width: int) -> Fragments:
    """The answer to /invite: the command, and below it the QR code, or why there is none.

    Args:
        width: columns of the terminal.
    """
    return [("", f"lanchat join '{invite}'\n"), *qr_code(invite.for_qr(), width)]
