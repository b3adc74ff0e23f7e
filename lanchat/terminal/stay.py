"""Being in a room: with a screen, or as a script."""

import sys

from lanchat.home import home_folder, keep_nick
from lanchat.joined import HostedRoom, JoinedRoom
from lanchat.net.dial import Endpoint
from lanchat.net.interfaces import reachable, where
from lanchat.protocol.text import safe_text
from lanchat.terminal.ending import INTERRUPTED
from lanchat.terminal.problems import Problems
from lanchat.terminal.script import Plan, Script, read_lines


def talk(room: JoinedRoom, problems: Problems, *notes: str) -> int:
    """The chat screen, until its person leaves or the room is gone; it says itself why.

    Returns:
        The exit code.
    """
    from lanchat.terminal.chat import Chat

    hosts = isinstance(room, HostedRoom)
    chat = Chat(
        room.member, room.came, on_nick=lambda nick: keep_nick(home_folder(), nick), host=hosts, invite=room.invite
    )
    for note in notes:
        chat.note(note)
    if room.standing == "new":
        chat.note("You have not met this host before; its key is remembered from now on. /verify shows it")
    problems.show_by(chat.note)
    end = chat.run()
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
) -> int:
    """Without a screen: stdin is said, what arrives is printed.

    Returns:
        The exit code.

    Raises:
        LanchatError: the room is gone, or the time is over.
    """
    problems.show_by(_complain)
    lines = iter(()) if nothing_to_read or sys.stdin is None else read_lines(sys.stdin.fileno())
    plan = Plan(linger or 0.0, until, timeout, stay)
    return Script(room.member, lines, sys.stdout, sys.stderr, plan, as_json=as_json).run()


def ways_in(room: HostedRoom, interfaces: tuple[str, ...]) -> list[str]:
    """The first thing a host wants to know: what the others type."""
    lines = [f'"{room.title}" is open. The people around you join it with:', f'  lanchat join "{room.title}"']
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


def _complain(problem: str) -> None:
    print(f"lanchat: {safe_text(problem)}", file=sys.stderr, flush=True)
