"""The doors of a host with their listeners. A door can be opened and closed while the room is open."""

from collections.abc import Sequence

from lanchat.network.addresses import OwnAddresses
from lanchat.network.listen import Listeners
from lanchat.server.acceptor import Acceptor
from lanchat.server.doors.base import Door, DoorOption, Serving


class OpenDoors:
    """`open` and `close` are for the thread that hosts, all else for any.

    Args:
        doors: those that are open from the start, which belong to the acceptor already.
    """

    def __init__(
        self, doors: Sequence[tuple[Door, Listeners]], acceptor: Acceptor, own: OwnAddresses, serving: Serving
    ) -> None:
        self._doors = list(doors)  # replaced in one step, because other threads look at it
        self._acceptor = acceptor
        self._own = own
        self._serving = serving

    @property
    def first(self) -> Door:
        return self._doors[0][0]

    @property
    def ports(self) -> dict[str, int]:
        """The port of each door, by the door's name."""
        return {door.name: listeners.port for door, listeners in self._doors}

    @property
    def missing(self) -> dict[str, str]:
        """Our own addresses at which nobody can join, and why. They are tried again every second."""
        return {address: why for _, listeners in self._doors for address, why in listeners.missing.items()}

    def find(self, name: str) -> Door | None:
        """The door of this name, if it is open."""
        return next((door for door, _ in self._doors if door.name == name), None)

    def open(self, option: DoorOption) -> Door:
        """Open another door.

        Raises:
            LanchatError: its port cannot be used, or what the door needs.
        """
        door = option.make(self._serving)
        listeners = Listeners(self._own, option.port, option.first_port)  # last, because they are open
        self._doors = [*self._doors, (door, listeners)]
        self._acceptor.open_door(door, listeners)
        return door

    def close(self, door: Door) -> None:
        """Stop accepting at this door. The sessions that came in by it stay."""
        self._doors = [(other, listeners) for other, listeners in self._doors if other is not door]
        self._acceptor.close_door(door)
