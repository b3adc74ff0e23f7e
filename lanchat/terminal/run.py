"""Being in a room: with a screen, or as a script."""

import os
import shlex
import stat
import sys
from typing import IO

from lanchat.api.room import HostedRoom, JoinedRoom
from lanchat.errors import LanchatError
from lanchat.network.interfaces import reachable, where
from lanchat.protocol.address import Endpoint, is_address
from lanchat.protocol.text import safe_text
from lanchat.storage.home import home_folder, save_nick
from lanchat.terminal.exit import FLUSH_LIMIT, GOODBYE_LIMIT, INTERRUPTED, end_within
from lanchat.terminal.notices import Problems
from lanchat.terminal.script import Plan, Script
from lanchat.terminal.stdin import read_lines

NEW_HOST = "You have not met this host before; its key is remembered from now on."


def talk(room: JoinedRoom, problems: Problems, *notes: str) -> int:
    """The chat screen, until its person leaves or the room is gone; it says itself why.

    Returns:
        The exit code.
    """
    from lanchat.terminal.chat.chat import Chat

    hosts = isinstance(room, HostedRoom)
    chat = Chat(
        room.member, room.connected, on_nick=lambda nick: save_nick(home_folder(), nick), host=hosts, invite=room.invite
    )
    for note in notes:
        chat.note(note)
    if room.key_status == "new":
        chat.note(f"{NEW_HOST} /verify shows it")
    if room.member.left_over:
        chat.note(_left_over(room))
    problems.show_by(chat.note)
    end = chat.run()
    if not room.member.connected and room.member.waiting:
        print(_unsent(room), file=sys.stderr)
    if end.error is not None:
        return end.error.exit_code
    return 0 if end.signal is None else INTERRUPTED


def run_script(
    room: JoinedRoom,
    problems: Problems,
    *,
    stay: bool,
    nothing_to_read: bool = False,
    linger: float | None,
    until: str | None,
    timeout: float | None,
    as_json: bool,
    no_history: bool,
) -> int:
    """Without a screen: stdin is said, what arrives is printed.

    Returns:
        The exit code.

    Raises:
        LanchatError: the room is gone, or the time is over.
    """
    if room.key_status == "new":
        print(NEW_HOST, file=sys.stderr, flush=True)
    if room.member.left_over:
        print(_left_over(room), file=sys.stderr, flush=True)
    problems.show_by(_complain)
    lines = iter(()) if nothing_to_read or sys.stdin is None else read_lines(sys.stdin.fileno())
    plan = Plan(linger or 0.0, until, timeout, stay, no_history)
    if nothing_to_read and until is None and is_nowhere(sys.stdout):
        room.member.deafen()  # whatever it heard would be for nobody
    script = Script(room.member, lines, sys.stdout, sys.stderr, plan, as_json=as_json)
    try:
        return script.run()
    except (LanchatError, KeyboardInterrupt) as end:
        if script.stuck:  # whoever does not read our stdout may not read our last words either
            rest = GOODBYE_LIMIT if isinstance(room, HostedRoom) else FLUSH_LIMIT
            end_within(rest, end.exit_code if isinstance(end, LanchatError) else INTERRUPTED)
        raise


def ways_in(room: HostedRoom, interfaces: tuple[str, ...]) -> list[str]:
    """The first thing a host wants to know: what the others type."""
    lines = [f'"{room.title}" is open. The people around you join it with:']
    if not is_address(room.title):  # else it would be taken for one
        lines.append(f"  lanchat join {'-- ' if room.title.startswith('-') else ''}{quoted(room.title)}")
    addresses = reachable(on := where(interfaces))
    lines += [f"  lanchat join {Endpoint(address.text, room.host.port)}" for address in addresses]
    if on is None and all(address.is_loopback for address in addresses):
        lines.append("This machine is in no network now: only people on it can join.")
    if room.invite is not None:
        lines.append("or, knowing for sure that it is this room (/invite shows it as a QR code):")
        lines.append(f"  lanchat join '{room.invite.first}'")
    if room.host.plain_port is not None:
        lines.append(f"Not encrypted, for netcat and the like: port {room.host.plain_port}")
    return lines


def quoted(word: str) -> str:
    """As one types it in a shell; in double quotes where these will do, as on every system."""
    return f'"{word}"' if not set(word) & set('"\\$`!%') else shlex.quote(word)


def is_nowhere(out: IO[str] | None) -> bool:
    """Whether what is written there is for nobody: /dev/null and its kin."""
    try:
        about = os.fstat(out.fileno()) if out is not None else None
        return about is not None and stat.S_ISCHR(about.st_mode) and about.st_rdev == os.stat(os.devnull).st_rdev
    except (OSError, ValueError):  # no descriptor at all
        return False


def _left_over(room: JoinedRoom) -> str:
    what = _messages(room.member.left_over)
    return f"{what} of yours had not reached the room when you left it the last time, and go out now."


def _unsent(room: JoinedRoom) -> str:
    kept = not isinstance(room, HostedRoom) and not room.connected.card.ephemeral
    fate = "wait here and go out when you are in the room again" if kept else "are lost"
    return f"{_messages(room.member.waiting)} of yours had not reached the room, and {fate}."


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


def _complain(problem: str) -> None:
    print(f"lanchat: {safe_text(problem)}", file=sys.stderr, flush=True)
