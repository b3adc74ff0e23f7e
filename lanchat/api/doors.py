"""The doors of a room by the options of its host, and those that a computer opens when the room has come over to it."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import TypedDict

from lanchat.api.guesses import GuessNotices
from lanchat.api.web import WebAccess
from lanchat.errors import LanchatError
from lanchat.protocol.guest_ports import GuestPorts, allowed, guest_ports
from lanchat.protocol.places import Rules
from lanchat.protocol.text import conjunction
from lanchat.server.doors.base import DoorOption
from lanchat.server.doors.irc.door import irc_doors
from lanchat.server.doors.native import native_door
from lanchat.server.doors.plain import plain_door
from lanchat.server.host import Host

_WHO = {"plain": "guests with netcat", "irc": "IRC clients", "irc-tls": "IRC clients with TLS"}  # by the door's name

_log = logging.getLogger(__name__)


class Doors(TypedDict, total=False):
    """Which doors a room has: the arguments of `hosted.host` that say so."""

    port: int | None
    plain_port: int | None
    irc_port: int | None
    irc_tls_port: int | None
    irc_password: str | None
    web: bool
    web_port: int | None
    web_names: Collection[str]


def wants_web(doors: Doors) -> bool:
    """Whether the door for browsers is among them. A port alone asks for it as well."""
    return doors.get("web", False) or doors.get("web_port") is not None


def door_options(doors: Doors, access: WebAccess, say: Callable[[str], None]) -> list[DoorOption]:
    """The doors that a host opens when it starts.

    Args:
        access: makes the one for browsers.
        say: called with a sentence when somebody gives a wrong password.
    """
    found = [native_door(doors.get("port"), GuessNotices(say))]
    if (plain_port := doors.get("plain_port")) is not None:
        found.append(plain_door(plain_port))
    found += irc_doors(doors.get("irc_port"), doors.get("irc_tls_port"), doors.get("irc_password"))
    if wants_web(doors):
        found.append(access.option(doors.get("web_port")))
    return found


@dataclass(frozen=True)
class Wishes:
    """What the person at this computer asked for when this program was started. It counts when the room comes here.

    Args:
        keep, files, people, announce: as for `hosted.host`, for the owner of the room. None: as the room has it.
    """

    doors: Doors = field(default_factory=Doors)
    keep: str | None = None
    files: int | None = None  # bytes in all
    people: int | None = None
    announce: bool = True

    @property
    def ports(self) -> GuestPorts:
        doors = self.doors
        return GuestPorts(doors.get("plain_port"), doors.get("irc_port"), doors.get("irc_tls_port"))

    @property
    def irc_password(self) -> str | None:
        return self.doors.get("irc_password")

    @property
    def web_names(self) -> Collection[str]:
        return self.doors.get("web_names", ())

    def applied(self, rules: Rules) -> Rules:
        """The rules of a room of ours with what was asked for here."""
        return rules.with_settings(
            keep=rules.keep if self.keep is None else self.keep,
            files=rules.files if self.files is None else self.files,
            people=rules.people if self.people is None else self.people,
            hidden=rules.hidden or not self.announce,
            web=rules.web or wants_web(self.doors),
        )


def note_ports(host: Host, irc_password: str | None) -> None:
    """Note in the rules of our room which ports for people without lanchat it has, so that its next host opens them."""
    ports = host.ports
    found = GuestPorts(ports.get("plain"), ports.get("irc"), ports.get("irc-tls"))
    host.rules.change_guest_ports(found, irc_password=irc_password is not None)


def open_guest_doors(host: Host, rules: Rules, wishes: Wishes) -> str:
    """Open the doors for people without lanchat that the room has, or that were asked for here.

    Args:
        rules: of the room, from its last host.

    Returns:
        What the person at this computer should know; "": the room has no such doors.
    """
    wanted, password = wishes.ports.over(guest_ports(rules)), wishes.irc_password
    may = allowed(
        wanted, has_password=host.has_password, irc_password=password is not None, needs_irc_password=rules.irc_password
    )
    options = [] if may.plain is None else [plain_door(may.plain)]
    options += irc_doors(may.irc, may.irc_tls, password)
    for option in options:
        _open(host, option)
    come_in = [f"{_WHO[name]} come in on port {port}" for name, port in host.ports.items() if name in _WHO]
    names = {"plain": wanted.plain, "irc": wanted.irc, "irc-tls": wanted.irc_tls}
    come_in += [f"{_WHO[name]} cannot come in" for name in names if names[name] is not None and name not in host.ports]
    return f"While the room is hosted here, {conjunction(come_in)}." if come_in else ""


def _open(host: Host, option: DoorOption) -> None:
    """Open this door, on another port if its own is taken; if that fails as well, it stays closed."""
    for tried in (option, *([replace(option, port=0)] if option.port else [])):
        try:
            host.doors.open(tried)
            return
        except LanchatError as error:
            _log.warning("a port for people without lanchat is not open: %s", error)
