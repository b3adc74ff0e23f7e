"""Does what a line of `--json-in` says, and counts the messages whose fate is not printed yet."""

import threading
from contextlib import suppress

from lanchat.api.room import JoinedRoom
from lanchat.errors import Refused, TimedOut
from lanchat.protocol.ids import is_room_id
from lanchat.terminal.json_input import JsonCommand


def carry_out(command: JsonCommand, room: JoinedRoom) -> None:
    """Waits only while many messages are unacknowledged. To leave is up to the caller.

    Raises:
        ValueError: a text or a nick breaks its rules, or nobody has that member id.
        NotConnected: there is no link to the host for what only a host can do.
        LanchatError: the connection has ended.
    """
    if command.say is not None:
        room.say(command.say, id=command.id)
    elif command.me is not None:
        room.say(command.me, action=True, id=command.id)
    elif command.tell is not None:
        with suppress(TimedOut, Refused):  # after 0 s: what becomes of it is an event
            room.tell(_nick(command.to, room), command.tell, wait=0, id=command.id)
    elif command.nick is not None:
        room.rename(command.nick)
    elif command.away is not None:
        room.away(command.away)


class Unsettled:
    """Messages that were sent and of which no line has said what became of them. Any thread."""

    def __init__(self) -> None:
        self._number = 0
        self._changed = threading.Condition()  # guards _number

    def add(self, number: int) -> None:
        """Count this number more; a negative number counts less."""
        with self._changed:
            self._number += number
            self._changed.notify_all()

    def wait(self, timeout: float) -> None:
        """Wait until there are none: a message is acknowledged a moment before its line is here."""
        with self._changed:
            self._changed.wait_for(lambda: self._number <= 0, timeout)


def _nick(to: str, room: JoinedRoom) -> str:
    """The nick of a recipient who is named by it or by a member id, which has the form of a room's."""
    if not is_room_id(to):
        return to
    person = next((person for person in room.people if person.id == to), None)
    if person is None:
        raise ValueError("Nobody with this member id is in the room.")
    return person.nick
