"""What a member hears: the items of `Member.take()`."""

from dataclasses import dataclass

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Card, Event, Joined, Left, Notice, Present, Renamed, Said, Told, Welcome

HEAVY = 256  # characters that count as one item more: a queue full of pages is no larger than one of lines


@dataclass(frozen=True)
class Connected:
    """We are in: comes first, and again each time we are back."""

    card: Card
    welcome: Welcome
    present: tuple[Present, ...]
    again: bool = False


@dataclass(frozen=True)
class Disconnected:
    """The link is lost; we try to come back."""

    reason: str


@dataclass(frozen=True)
class Acked:
    """These messages of ours, by their ids, are on the host's disk."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Closed:
    """The last item."""

    error: LanchatError


Item = Connected | Disconnected | Event | Told | Acked | Notice | Closed


def weight(item: Item) -> int:
    """How many lines of talk an item takes as much memory as, about."""
    match item:
        case Said(nick=nick, text=text) | Told(nick=nick, text=text):
            return 1 + (len(nick) + len(text)) // HEAVY
        case Joined(nick=nick) | Left(nick=nick) | Renamed(nick=nick):
            return 1 + 2 * len(nick) // HEAVY
        case Notice(text=text):
            return 1 + len(text) // HEAVY
        case _:
            return 1
