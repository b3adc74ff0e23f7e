"""The items of a member's queue: events, private messages, and changes of the connection."""

from dataclasses import dataclass

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Card, Event, Joined, Left, Notice, Present, Renamed, Said, Told, Welcome

HEAVY = 256  # characters that count as one more item, so that a queue of long messages takes no more memory


@dataclass(frozen=True)
class Connected:
    """The host has admitted us. This is the first item, and it comes again after each reconnect.

    Args:
        host_id: the member id of the key that the host showed on this link.
    """

    card: Card
    welcome: Welcome
    present: tuple[Present, ...]
    host_id: str
    again: bool = False


@dataclass(frozen=True)
class Disconnected:
    """The link is lost, and the member tries to reconnect."""

    reason: str


@dataclass(frozen=True)
class Acked:
    """The host has stored our messages with these ids."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Closed:
    """The connection has ended for good, because of this error. This is the last item."""

    error: LanchatError


Item = Connected | Disconnected | Event | Told | Acked | Notice | Closed


def weight(item: Item) -> int:
    """The memory that an item takes, counted in short messages."""
    match item:
        case Said(nick=nick, text=text) | Told(nick=nick, text=text):
            return 1 + (len(nick) + len(text)) // HEAVY
        case Joined(nick=nick) | Left(nick=nick) | Renamed(nick=nick):
            return 1 + 2 * len(nick) // HEAVY
        case Notice(text=text):
            return 1 + len(text) // HEAVY
        case _:
            return 1
