"""Which room of a changing list is selected: by arrows, first letters or a search. Pure: time is an argument.

The selection never moves to a room that the person did not choose: a selected room that has closed stays in the list
until they move away, and letters that no room begins with select nothing.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lanchat.protocol.folding import fold

if TYPE_CHECKING:
    from lanchat.discovery.sighting import Listing

TYPING_PAUSE = 1.0  # s without a key, after which the next letter begins a new word
CLOSED_STAYS = 3.0  # s that a room which has closed stays where there is no other room


class Selection:
    """Stays on one room, by its id and its host's key, while others come and go.

    Owned by the thread that reads the keys.
    """

    def __init__(self) -> None:
        self.searching = False
        self.missed = ""  # letters that no room fits; as long as they count, no room is selected
        self.closed: Listing | None = None  # the selected room, if it has gone from the list; it is shown in its place
        self._closed_at = 0.0
        self._listings: tuple[Listing, ...] = ()  # with the closed room
        self._selected: Listing | None = None
        self._index = 0
        self._typed = ""
        self._typed_at = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there is no room at all, not even one that the search hides."""
        return not self._listings

    @property
    def shown(self) -> "tuple[Listing, ...]":
        """The rooms to show: all, or those that match the search."""
        if not self.searching or not self._typed:
            return self._listings
        wanted = fold(self._typed)
        return tuple(room for room in self._listings if wanted in fold(f"{room.title}\n{room.host}"))

    @property
    def index(self) -> int:
        """The place of the selected room in `shown`, or where it was before letters that no room fits."""
        return self._index

    def typed(self, now: float) -> str:
        """The letters typed so far; empty after a pause."""
        if not self.searching and now - self._typed_at >= TYPING_PAUSE:
            self._typed = ""
        return self._typed

    def is_typing(self, now: float) -> bool:
        return self.searching or bool(self.typed(now))

    def update(self, listings: "tuple[Listing, ...]", now: float) -> None:
        """Take over the list as it is now."""
        selected = self._selected
        if selected is None or any(room.continues(selected) for room in listings):
            self.closed = None
        elif self.closed is None:
            self.closed, self._closed_at = selected, now
        elif not listings and now - self._closed_at >= CLOSED_STAYS:
            self.closed = self._selected = None
        if self.closed is not None:
            place = self._listings.index(selected) if selected in self._listings else 0
            listings = (*listings[:place], self.closed, *listings[place:])
        self._listings = listings
        if not listings:
            self.missed = ""
        self._find_again()

    def move(self, by: int) -> None:
        self.missed = ""
        self._go_to(max(0, min(self._index + by, len(self.shown) - 1)))

    def type(self, text: str, now: float) -> None:
        """Select the first room that begins with what was typed so far, or has a word that does.

        A letter that is typed again and again goes through the rooms that begin with it.
        """
        self._typed = self.typed(now) + text
        self._typed_at = now
        self._seek()

    def erase(self, now: float) -> None:
        self._typed = self.typed(now)[:-1]
        self._typed_at = now
        self._seek()

    def search(self) -> None:
        """From now on, what is typed narrows the list, until `cancel`."""
        self.searching, self._typed, self.missed = True, "", ""

    def cancel(self, now: float) -> bool:
        """End the search or the typing.

        Returns:
            Whether there was one.
        """
        was_typing = self.is_typing(now) or bool(self.missed)
        self.searching, self._typed, self.missed = False, "", ""
        self._find_again()
        return was_typing

    def chosen(self) -> "Listing | None":
        """The room that Enter joins now; None: no room is selected, or it has closed."""
        if self.missed or not self.shown or self.shown[self._index] is self.closed:
            return None
        return self.shown[self._index]

    def _seek(self) -> None:
        """Follow what was typed."""
        self.missed = ""
        if self.searching or not self._typed:
            self._find_again()
            return
        found = next(self._fitting(), None)
        if found is not None:
            self._go_to(found)
        elif self._listings:
            self.missed = self._typed

    def _fitting(self) -> Iterator[int]:
        """The rooms that fit what was typed, the best first."""
        wanted = fold(self._typed)
        titles = [fold(listing.title) for listing in self._listings]
        for fits in (str.startswith, _has_word):
            yield from (index for index, title in enumerate(titles) if fits(title, wanted))
        if len(wanted) > 1 and wanted == wanted[0] * len(wanted):
            again = [(self._index + 1 + step) % len(titles) for step in range(len(titles))]
            for fits in (str.startswith, _has_word):
                yield from (index for index in again if fits(titles[index], wanted[0]))
        yield from (index for index, title in enumerate(titles) if wanted in title)

    def _go_to(self, index: int) -> None:
        """Select the room at this place of `shown`; one that has closed leaves the list when another is selected."""
        if not self.shown:
            return
        self._index, self._selected = index, self.shown[index]
        if self.closed is not None and self._selected is not self.closed:
            self._listings = tuple(room for room in self._listings if room is not self.closed)
            self.closed = None
            self._find_again()

    def _find_again(self) -> None:
        """Find the selected room where it is now. If a search hides it, its neighbour takes its place."""
        selected, shown = self._selected, self.shown
        index = next((at for at, row in enumerate(shown) if selected is not None and row.continues(selected)), None)
        if index is not None:
            self._index, self._selected = index, shown[index]
        elif shown:
            self._go_to(min(self._index, len(shown) - 1))
        elif not self._listings:
            self._index, self._selected = 0, None


def _has_word(title: str, wanted: str) -> bool:
    return any(word.startswith(wanted) for word in title.split())
