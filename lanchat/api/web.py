"""The web door of a room that this program hosts: opened and closed while the room runs, with its address."""

import logging
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass

from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Endpoint
from lanchat.protocol.guest_ticket import ticket_from, ticket_text
from lanchat.protocol.places import MAX_ADDRESSES, Rules
from lanchat.server.doors.base import DoorOption
from lanchat.server.doors.web.guest_link import HOURS, GuestLink, Ticket
from lanchat.server.host import Host
from lanchat.server.items import WebChanged
from lanchat.server.standby import StandbyPort
from lanchat.storage.identity import Identity

_NAME = "web"  # of the door

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WebAddress:
    """The address that a person opens in a browser.

    Args:
        until: s since 1970, when the guest link expires; 0: the room has no password, so this is no guest link.
    """

    url: str
    until: float = 0.0


class WebAccess:
    """The door for browsers of one host. Belongs to the thread that hosts.

    Args:
        has_password: whether the room has a password, so that browsers need a guest link.
        names: see `web_door`.
    """

    def __init__(
        self,
        on: OwnAddresses,
        *,
        has_password: bool,
        names: Collection[str] = (),
    ) -> None:
        self._on = on
        self._has_password = has_password
        self._names = names
        self._ticket: Ticket | None = None  # of the current guest link
        self._guest_link = GuestLink(save=self._save)
        self._host: Host | None = None

    def option(self, port: int | None) -> DoorOption:
        """The door, for a host to open."""
        from lanchat.server.doors.web.door import web_door  # loads `websockets`, which costs 18 ms

        return web_door(port, self._guest_link, self._names, [a.text for a in self._on.reachable()])

    def belong_to(self, host: Host) -> None:
        """Use this host from now on. Its log knows the guest link of an earlier run, or of another computer."""
        self._host = host
        self._ticket = _ticket(host.rules.rules)
        if self._ticket is not None:
            self._guest_link.restore(self._ticket)

    @property
    def places(self) -> tuple[str, ...]:
        """The addresses of the page, as in `Place`; none if the door is closed."""
        if self._host is None or not self.is_open:
            return ()
        port = self._host.ports[_NAME]
        names = [f"{name}:{port}" for name in (*self._names, f"{socket.gethostname().partition('.')[0]}.local")]
        return (*_reachable(self._host, self._on)[: MAX_ADDRESSES - len(names)], *names)[:MAX_ADDRESSES]

    @property
    def needs_guest_link(self) -> bool:
        """Whether browsers need a guest link."""
        return self._has_password

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
            self.publish()

    def close(self) -> int:
        """Close the door, and disconnect all browsers. Returns how many were in the room."""
        from lanchat.server.doors.web.door import WebDoor

        door = None if self._host is None else self._host.doors.find(_NAME)
        if self._host is None or not isinstance(door, WebDoor):
            return 0
        self._host.doors.close(door)
        self.publish()
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
        """The address to open in a browser on this network now; None: no other machine can reach the door."""
        if self._host is None or not self.is_open:
            return None
        addresses = _reachable(self._host, self._on)
        if not addresses:
            return None
        url = f"http://{addresses[0]}/"
        if not self._has_password:
            return WebAddress(url)
        ticket = self._guest_link.current()
        return WebAddress(f"{url}#{ticket_text(ticket.secret)}", ticket.until)

    def _save(self, ticket: Ticket) -> None:
        """Note a new guest link."""
        self._ticket = ticket
        self.publish()

    def publish(self) -> None:
        """Give the log, and the computers that may host the room next, the way in which browsers join."""
        if self._host is not None:
            ticket = self._ticket
            link = ("", 0) if ticket is None else (ticket_text(ticket.secret), int(ticket.until))
            changed = WebChanged(self.is_open, *link)
            if self._host.moving is not None:
                self._host.moving.change_web(changed, self.places)
            else:
                self._host.rules.change_web(changed)


def await_browsers(
    port: StandbyPort, identity: Identity, on: OwnAddresses, link: Callable[[], str], last: int = 0
) -> None:
    """Let a standby listen for browsers, unless it does so already.

    Args:
        link: returns a link to the host's page; "": none is known.
        last: the port of the page that this computer had before, because pages that came from there follow by that
            origin; 0: it had none.
    """
    from lanchat.server.doors.web.door import FIRST_PORT
    from lanchat.server.doors.web.waiting import WaitingPage

    if port.web_port:
        return
    for wanted in [last or None, *([None] if last else [])]:
        try:
            port.open_pages(WaitingPage(identity, [a.text for a in on.reachable()], link), wanted, FIRST_PORT)
            return
        except LanchatError as error:
            _log.warning("pages cannot follow to this computer: %s", error)


def _reachable(host: Host, on: OwnAddresses) -> list[str]:
    """The addresses of the open door that work on this network now, as "HOST:PORT"."""
    port, missing = host.ports[_NAME], host.not_listening
    return [str(Endpoint(a.text, port).shared) for a in on.reachable() if a.text not in missing]


def _ticket(rules: Rules) -> Ticket | None:
    """The ticket of the guest link in these rules; None: there is none yet."""
    try:
        return Ticket(ticket_from(rules.ticket), rules.ticket_until)
    except ValueError:
        return None
