"""`lanchat history --set-aside`: what was removed from this computer's copy, because the room goes on without it."""

from pathlib import Path
from typing import IO

from lanchat.protocol.messages import Event
from lanchat.storage.rooms import BESIDE, HOSTED, STANDBY, log_paths
from lanchat.storage.set_aside import set_aside_in
from lanchat.terminal.history import find_room
from lanchat.terminal.logged import me_in, print_records
from lanchat.terminal.stdio import put


def show_set_aside(home: Path, room: str, *, as_json: bool, out: IO[str], talk: IO[str]) -> int:
    """Print these events, oldest first.

    Args:
        room: its title or id.

    Returns:
        The exit code.

    Raises:
        NoSuchRoom: there is no history of such a room.
        LanchatError: a log cannot be read.
    """
    about = find_room(home, room, talk)
    found: dict[int, Event] = {}
    for path in log_paths(home, about.id, HOSTED, BESIDE, STANDBY):
        found |= {event.seq: event for event in set_aside_in(path)}
    events = iter([event for _, event in sorted(found.items())])
    if not print_records(events, out, me_in(home, about.id, ()), as_json=as_json):
        put(talk, f'Nothing of "{about.title}" was set aside on this computer.')
    out.flush()
    return 0
