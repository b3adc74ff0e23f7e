"""The queue between a member's reader thread and whoever takes what it heard."""

from collections.abc import Sequence

from lanchat.client.events import Closed, Item, weight
from lanchat.errors import ConnectionLost, LanchatError
from lanchat.threads import Inbox

QUEUE_LIMIT = 10_000  # lines of talk that nobody takes


class EventQueue:
    """What has come and was not taken yet. Puts from the reader thread, takes from one other."""

    def __init__(self) -> None:
        self._items: Inbox[Item] = Inbox(QUEUE_LIMIT, weight)
        self._last = Closed(ConnectionLost("you have left"))
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
        self._last = Closed(error)
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
