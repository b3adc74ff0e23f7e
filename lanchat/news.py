"""What a member hears: the items of `Member.take()`."""

from collections.abc import Sequence
from dataclasses import dataclass

from lanchat.errors import ConnectionLost, LanchatError
from lanchat.protocol.messages import Card, Event, Joined, Left, Notice, Present, Renamed, Said, Told, Welcome
from lanchat.room.inbox import Inbox

QUEUE_LIMIT = 10_000  # lines of talk that nobody takes
HEAVY = 256  # characters that count as one item more: a queue full of pages is no larger than one of lines


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


Item = Came | Lost | Event | Told | Kept | Notice | Ended


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


def why_gone(reason: str) -> str:
    """What to tell a member of whom the host says that they had left for this reason, once they are back."""
    broke = reason.startswith("the other side")  # net/link.py, net/sockets.py: it was not the host that ended the link
    return "the link to the host was broken" if broke else f"the host had cut us off: {reason}"


class News:
    """What has come and was not taken yet. Puts from the reader thread, takes from one other."""

    def __init__(self) -> None:
        self._items: Inbox[Item] = Inbox(QUEUE_LIMIT, weight)
        self._last = Ended(ConnectionLost("you have left"))
        self._putting = False

    @property
    def waits(self) -> bool:
        """Whether the reader waits until somebody takes (or is just putting something). Any thread."""
        return self._putting

    def put(self, item: Item) -> None:
        """Waits while nobody takes: then we do not read, and the host drops us when it has to."""
        self.put_all((item,))

    def put_all(self, items: Sequence[Item]) -> None:
        """The same with what came together."""
        self._putting = True
        self._items.put_all(items)
        self._putting = False

    def end(self, error: LanchatError) -> None:
        """Nothing comes any more, and why."""
        self._last = Ended(error)
        self._items.put_now(self._last)
        self._items.close()

    def close(self) -> None:
        """Nobody wants more."""
        self._items.close()

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        """What has come, in order; waits for a first item, at most `timeout` seconds.

        The last item is an `Ended`; after that, and after `close()`, there is nothing but the same again.
        """
        items = self._items.take(timeout)
        return items or ((self._last,) if self._items.closed else ())
