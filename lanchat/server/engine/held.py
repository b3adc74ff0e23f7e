"""Items that a hub handles later, once its proposals have come back from the engine. Pure; owned by the hub thread."""

from collections import deque
from collections.abc import Iterator

from lanchat.protocol.limits import memory_of
from lanchat.protocol.messages import FromMember, Say, Tell
from lanchat.server.engine.proposals import MOST, MOST_BYTES
from lanchat.server.items import Item, Received


class Held:
    """Items in the order in which they are to be handled.

    Attributes:
        lines: how many messages of members are in it.
        bytes: of their texts.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self.lines = self.bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def first(self) -> Item:
        return self._items[0]

    def add(self, item: Item) -> None:
        """Put an item behind all others."""
        self._count(item, 1)
        self._items.append(item)

    def put_back(self, item: Item) -> None:
        """Put items before all others."""
        self._count(item, 1)
        self._items.appendleft(item)

    def take(self) -> Item:
        """Take the first item out."""
        item = self._items.popleft()
        self._count(item, -1)
        return item

    def take_all(self) -> list[Item]:
        return [self.take() for _ in range(len(self))]

    def surplus(self) -> Iterator[Received]:
        """Remove the newest messages of members while more wait than may, and return them, the newest first."""
        kept: list[Item] = []
        while self.lines > MOST or self.bytes > MOST_BYTES:
            item = self._items.pop()
            self._count(item, -1)
            if isinstance(item, Received) and item.messages:
                yield item
            else:
                kept.append(item)
        for item in reversed(kept):
            self.add(item)

    def _count(self, item: Item, by: int) -> None:
        if isinstance(item, Received):
            self.lines += by * len(item.messages)
            self.bytes += by * sum(map(_size, item.messages))


def _size(message: FromMember) -> int:
    match message:
        case Say(text=text):
            return memory_of(text)
        case Tell(text=text, box=box, copy=copy):
            return memory_of(text) + len(box) + len(copy)
    return 0
