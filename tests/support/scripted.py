"""A room of which the test writes what happens."""

from collections.abc import Sequence

from lanchat.client.events import Item
from lanchat.client.state import RoomState


class ScriptedRoom:
    """A room in which happens what the test puts into `items`."""

    hosting = False
    continues_here = owned = False

    def __init__(self) -> None:
        self.state = RoomState()
        self.is_away = False
        self.items: list[Item] = []
        self.private: list[tuple[str, str]] = []  # recipient and text

    def send_private(self, nick: str, text: str, *, to: str = "") -> None:
        self.private.append((to, text))

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        items, self.items = self.items, []
        return items

    def follow(self, item: Item) -> None:
        self.state.follow(item)
