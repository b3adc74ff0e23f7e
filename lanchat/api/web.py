"""The web door of a room that this program hosts: opened and closed while the room runs, with its address."""

from collections.abc import Collection
from dataclasses import dataclass

from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Endpoint
from lanchat.protocol.guest_ticket import ticket_from, ticket_text
from lanchat.server.doors.base import DoorOption
from lanchat.server.doors.web.guest_link import HOURS, GuestLink, Ticket
from lanchat.server.host import Host
from lanchat.storage.rooms import RoomFolder

_NAME = "web"  # of the door


@dataclass(frozen=True)
class WebAddress:
    """What a person opens in a browser.

    Args:
        until: s since 1970, when a guest link runs out; 0: it is none, because the room has no password.
    """

    url: str
    until: float = 0.0


class WebAccess:
    """Belongs to the thread that hosts.

    Args:
        locked: whether the room has a password, so that browsers need a guest link.
        names: see `web_door`.
        folder: keeps the guest link for the next run; None: nothing is kept.
    """

    def __init__(
        self, on: OwnAddresses, *, locked: bool, names: Collection[str] = (), folder: RoomFolder | None = None
    ) -> None:
        self._on = on
        self._locked = locked
        self._names = names
        self._guest_link = GuestLink() if folder is None else _kept(folder)
        self._host: Host | None = None

    def option(self, port: int | None) -> DoorOption:
        """The door, for a host to open."""
        from lanchat.server.doors.web.door import web_door  # loads `websockets`, which costs 18 ms

        return web_door(port, self._guest_link, self._names, [a.text for a in self._on.reachable()])

    def belong_to(self, host: Host) -> None:
        self._host = host

    @property
    def is_locked(self) -> bool:
        """Whether browsers need a guest link."""
        return self._locked

    @property
    def is_open(self) -> bool:
        return self._host is not None and self._host.doors.find(_NAME) is not None

    def open(self, port: int | None = None) -> None:
        """Open the door, unless it is open.

        Args:
            port: None for 47480 or the next free one, 0 for any.

        Raises:
            LanchatError: the port cannot be used.
        """
        if self._host is not None and not self.is_open:
            self._host.doors.open(self.option(port))

    def close(self) -> int:
        """Close the door, and disconnect all browsers. Returns how many were in the room."""
        from lanchat.server.doors.web.door import WebDoor

        door = None if self._host is None else self._host.doors.find(_NAME)
        if self._host is None or not isinstance(door, WebDoor):
            return 0
        self._host.doors.close(door)
        return door.dismiss()

    @property
    def certificate(self) -> str:
        """SHA-256 of the certificate for https, as browsers show it; "": the door is closed."""
        from lanchat.server.doors.web.door import WebDoor

        door = None if self._host is None else self._host.doors.find(_NAME)
        return door.certificate if isinstance(door, WebDoor) else ""

    def renew(self, hours: float = HOURS) -> None:
        """Make a new guest link; the old one opens nothing any more."""
        self._guest_link.renew(hours)

    @property
    def address(self) -> WebAddress | None:
        """What to open in a browser on this network now; None: no other machine can reach the door."""
        if self._host is None or not self.is_open:
            return None
        port, missing = self._host.ports[_NAME], self._host.not_listening
        places = [str(Endpoint(a.text, port).shared) for a in self._on.reachable() if a.text not in missing]
        if not places:
            return None
        url = f"http://{places[0]}/"
        if not self._locked:
            return WebAddress(url)
        ticket = self._guest_link.current()
        return WebAddress(f"{url}#{ticket_text(ticket.secret)}", ticket.until)


def _kept(folder: RoomFolder) -> GuestLink:
    """The guest link of this room, which outlives the program."""
    try:
        ticket = Ticket(ticket_from(folder.about.ticket), folder.about.ticket_until)
    except ValueError:  # there is none yet
        ticket = None
    return GuestLink(ticket=ticket, save=lambda new: folder.save_ticket(ticket_text(new.secret), int(new.until)))
