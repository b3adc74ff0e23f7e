"""What a member hears: the items of `Member.take()`."""

from dataclasses import dataclass

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Card, Event, Notice, Present, Welcome


@dataclass(frozen=True)
class Came:
    """We are in: comes first, and again each time we are back."""

    card: Card
    welcome: Welcome
    present: tuple[Present, ...]
    again: bool = False


@dataclass(frozen=True)
class Lost:
    """The link is lost; we try to come back."""

    reason: str


@dataclass(frozen=True)
class Kept:
    """These messages of ours, by their ids, are on the host's disk."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """The last item."""

    error: LanchatError


Item = Came | Lost | Event | Kept | Notice | Ended
