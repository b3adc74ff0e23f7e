"""Which room of a changing list is selected: by arrows, first letters or a search. Pure: time is an argument."""

from lanchat.discovery.sighting import Listing
from lanchat.protocol.folding import fold

TYPING_PAUSE = 1.0  # s without a key, after which the next letter begins a new word
ENTER_PAUSE = 0.5  # s in which Enter does nothing after the selected room has gone: it was meant for that one


class Selection:
    """Stays on one room, by its id and its host's key, while others come and go.

    Owned by the thread that reads the keys.
    """

    def __init__(self) -> None:
        self.searching = False
        self._listings: tuple[Listing, ...] = ()
        self._selected: Listing | None = None
        self._index = 0
        self._typed = ""
        self._typed_at = 0.0
        self._gone_at: float | None = None

    @property
    def shown(self) -> tuple[Listing, ...]:
        """The rooms to show: all, or those that match the search."""
        if not self.searching or not self._typed:
            return self._listings
        wanted = fold(self._typed)
        return tuple(room for room in self._listings if wanted in fold(f"{room.title}\n{room.host}"))

    @property
    def index(self) -> int:
        """The place of the selected room in `shown`."""
        return self._index

    def typed(self, now: float) -> str:
        """The letters typed so far; empty after a pause."""
        if not self.searching and now - self._typed_at >= TYPING_PAUSE:
            self._typed = ""
        return self._typed

    def is_typing(self, now: float) -> bool:
        return self.searching or bool(self.typed(now))

    def update(self, listings: tuple[Listing, ...], now: float) -> None:
        """Take over the list as it is now."""
        self._listings = listings
        self._find_again(gone_at=now)

    def move(self, by: int) -> None:
        self._go_to(max(0, min(self._index + by, len(self.shown) - 1)))

    def type(self, text: str, now: float) -> None:
        """Select the first room that begins with what was typed so far, or has a word that does."""
        self._typed = self.typed(now) + text
        self._typed_at = now
        if self.searching:
            self._find_again()
            return
        wanted = fold(self._typed)
        titles = [fold(listing.title) for listing in self._listings]
        for fits in (str.startswith, _has_word, str.__contains__):
            for index, title in enumerate(titles):
                if fits(title, wanted):
                    self._go_to(index)
                    return

    def erase(self, now: float) -> None:
        self._typed = self.typed(now)[:-1]
        self._typed_at = now
        self._find_again()

    def search(self) -> None:
        """From now on, what is typed narrows the list, until `cancel`."""
        self.searching, self._typed = True, ""

    def cancel(self, now: float) -> bool:
        """End the search or the typing.

        Returns:
            Whether there was one.
        """
        was_typing = self.is_typing(now)
        self.searching, self._typed = False, ""
        self._find_again()
        return was_typing

    def chosen(self, now: float) -> Listing | None:
        """The room that Enter would join now."""
        if self._gone_at is not None and now - self._gone_at < ENTER_PAUSE:
            return None
        return self.shown[self._index] if self.shown else None

    def _go_to(self, index: int) -> None:
        if self.shown:
            self._index, self._selected = index, self.shown[index]
            self._gone_at = None

    def _find_again(self, *, gone_at: float | None = None) -> None:
        """Find the selected room where it is now. If it is gone, its neighbour takes its place.

        Args:
            gone_at: when it has gone, if it has; None: it is only hidden by a search, which needs no pause.
        """
        selected, shown = self._selected, self.shown
        index = next((at for at, row in enumerate(shown) if selected is not None and row.continues(selected)), None)
        if index is not None:
            self._index, self._selected = index, shown[index]
        elif shown:
            gone_at = self._gone_at if gone_at is None or selected is None else gone_at
            self._go_to(min(self._index, len(shown) - 1))
            self._gone_at = gone_at
        elif not self._listings:
            self._index, self._selected = 0, None


def _has_word(title: str, wanted: str) -> bool:
    return any(word.startswith(wanted) for word in title.split())
