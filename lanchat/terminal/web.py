"""The lines for a host about the web door: the address with its QR code, and until when a guest link is valid."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from lanchat.terminal.cells import Fragments
from lanchat.terminal.phrases import counted
from lanchat.terminal.qr import qr_code

if TYPE_CHECKING:
    from lanchat.api.room import JoinedRoom
    from lanchat.api.web import WebAccess, WebAddress

PROTECTS = (
    "People who listen on this network cannot read what browsers send. Someone who controls it could replace the page. "
    "/web off closes this door."
)
NOWHERE = "No other machine can reach this room at the moment, so no browser can."


def web_lines(address: "WebAddress | None") -> list[tuple[str, bool]]:
    """How browsers come in. True: what people open."""
    if address is None:
        return [(NOWHERE, False)]
    lines = [("In a browser on this network:", False), (address.url, True)]
    return lines + ([(valid_text(address), False)] if address.until else [])


def valid_text(address: "WebAddress", now: datetime | None = None) -> str:
    """Until when a guest link is valid."""
    return f"Everybody with this guest link gets in until {_moment(datetime.fromtimestamp(address.until), now)}."


def web_code(address: "WebAddress | None", width: int) -> Fragments:
    """The QR code of the address; nothing if there is none, or a sentence if the window is too narrow.

    Args:
        width: columns of the terminal.
    """
    return [] if address is None else qr_code(address.url, width)


class Shows(Protocol):
    """Where the answers go."""

    def note(self, text: str, *, command: bool = False) -> None: ...
    def show(self, fragments: Fragments) -> None: ...


def web_command(action: str, hours: float, room: "JoinedRoom", to: Shows, width: int) -> None:
    """Carry out what the host wants of the web door.

    Args:
        action: "show" opens the door if it is closed; "new" makes a new guest link, for so many hours; "off" closes it.
        width: columns of the terminal.

    Raises:
        ValueError: there is no guest link here.
        LanchatError: no port is free.
    """
    if (web := room.page) is None:
        raise ValueError("Only the host can open a door for browsers.")
    if action == "off":
        return to.note(_closed(web))
    if action == "new":
        to.note(_renewed(web, hours))
    web.open()
    for line, is_command in [*web_lines(web.address), (PROTECTS, False), (_https(web), False)]:
        to.note(line, command=is_command)
    to.show(web_code(web.address, width))


def _https(web: "WebAccess") -> str:
    digits = " ".join(web.certificate[at : at + 4] for at in range(0, 16, 4))
    return f"https:// works as well; browsers warn of it. Its certificate begins with {digits}."


def _closed(web: "WebAccess") -> str:
    if not web.is_open:
        return "The web door is closed already."
    number = web.close()
    if not number:
        return "The web door is closed."
    were = "was" if number == 1 else "were"
    return f"The web door is closed. {counted(number, 'browser guest')} {were} disconnected."


def _renewed(web: "WebAccess", hours: float) -> str:
    if not web.needs_guest_link:
        raise ValueError("This room has no password, so browsers need no guest link.")
    web.renew(hours)
    return (
        f"New guest link, valid for {hours:g} hours. Guests who came by the old one stay until they disconnect, then "
        "they need this one."
    )


def _moment(at: datetime, now: datetime | None) -> str:
    day = at.date() - (now.date() if now else date.today())
    if not day:
        return f"{at:%H:%M} today"
    return f"{at:%H:%M} tomorrow" if day == timedelta(days=1) else f"{at:%H:%M} on {at:%Y-%m-%d}"
