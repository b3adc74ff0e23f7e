"""Which room of a list that changes is meant: arrows, first letters, a search. Pure: time is an argument."""

from lanchat.discovery.sighting import Listing

TYPING_PAUSE = 1.0  # s without a key, and the letters typed so far are over
GRACE = 0.5  # s in which Enter does nothing after the chosen room left: the finger was on its way to the other one


class Selection:
    """Owned by the thread that reads the keys. Stays on one room by its id while others come and go."""

    def __init__(self) -> None:
        self.searching = False
        self._listings: tuple[Listing, ...] = ()
        self._room_id = ""
        self._index = 0
        self._typed = ""
        self._typed_at = 0.0
        self._lost_at: float | None = None

    @property
    def shown(self) -> tuple[Listing, ...]:
        """The rooms to show: all, or while searching those that match."""
        if not self.searching or not self._typed:
            return self._listings
        wanted = self._typed.casefold()
        return tuple(room for room in self._listings if wanted in f"{room.title}\n{room.host}".casefold())

    @property
    def index(self) -> int:
        """Where in `shown` the selection is."""
        return self._index

    def typed(self, now: float) -> str:
        """The letters typed so far; empty when that is over."""
        if not self.searching and now - self._typed_at >= TYPING_PAUSE:
            self._typed = ""
        return self._typed

    def is_typing(self, now: float) -> bool:
        return self.searching or bool(self.typed(now))

    def update(self, listings: tuple[Listing, ...], now: float) -> None:
        """The list has changed, perhaps."""
        self._listings = listings
        self._settle(now)

    def move(self, by: int) -> None:
        self._go_to(max(0, min(self._index + by, len(self.shown) - 1)))

    def type(self, text: str, now: float) -> None:
        """A letter was typed: go to the first room that begins with what was typed, or has a word that does."""
        self._typed = self.typed(now) + text
        self._typed_at = now
        if self.searching:
            self._settle(None)
            return
        wanted = self._typed.casefold()
        titles = [listing.title.casefold() for listing in self._listings]
        for fits in (str.startswith, _has_word, str.__contains__):
            for index, title in enumerate(titles):
                if fits(title, wanted):
                    self._go_to(index)
                    return

    def erase(self, now: float) -> None:
        self._typed = self.typed(now)[:-1]
        self._typed_at = now
        self._settle(None)

    def search(self) -> None:
        """What is typed from now on narrows the list, until `cancel`."""
        self.searching, self._typed = True, ""

    def cancel(self, now: float) -> bool:
        """End the search or the typing.

        Returns:
            Whether there was any.
        """
        was_typing = self.is_typing(now)
        self.searching, self._typed = False, ""
        self._settle(None)
        return was_typing

    def chosen(self, now: float) -> Listing | None:
        """The room that Enter means now."""
        if self._lost_at is not None and now - self._lost_at < GRACE:
            return None
        return self.shown[self._index] if self.shown else None

    def _go_to(self, index: int) -> None:
        if self.shown:
            self._index, self._room_id = index, self.shown[index].room_id
            self._lost_at = None

    def _settle(self, lost_at: float | None) -> None:
        """Find the chosen room where it is now. Where it is gone, its neighbour takes its place."""
        ids = [listing.room_id for listing in self.shown]
        if self._room_id in ids:
            self._index = ids.index(self._room_id)
        elif ids:
            lost = self._lost_at if lost_at is None or not self._room_id else lost_at
            self._go_to(min(self._index, len(ids) - 1))
            self._lost_at = lost
        elif not self._listings:
            self._index, self._room_id = 0, ""


def _has_word(title: str, wanted: str) -> bool:
    return any(word.startswith(wanted) for word in title.split())
