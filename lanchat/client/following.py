"""Fills a standby's copy of a room over one link, and keeps it complete. Pure.

1. `follow` tells the host what the copy has. The host answers with the rules of the room.
2. Owners of nicks, then private messages, then events are fetched page by page. What happens meanwhile waits.
3. From then on everything is stored when it comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from lanchat.client.copying import Copying
from lanchat.protocol.limits import MAX_OWNED
from lanchat.protocol.messages import Event, Fetch, FromHost, Page, Record, Told
from lanchat.protocol.standby import CopyPosition, Follow, Heartbeat, Owned, State
from lanchat.storage.memory import waiting_size

WAITING_PRIVATE = 2_000  # private messages that wait for earlier ones; more are dropped and fetched instead
WAITING_SIZE = 4 << 20  # bytes of them; a host can make each of them as large as a line

Phase = Literal["asked", "owners", "private", "events"]


@dataclass
class Taken:
    """What to do because of a message of the host.

    Args:
        ask: the next request to the host.
        records, owned, values: what the copy stores.
    """

    ask: Fetch | None = None
    records: Sequence[Record] = ()
    owned: Sequence[Owned] = ()
    values: dict[str, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether the copy stores anything."""
        return bool(self.records or self.owned or self.values)


class Following:
    """One link to a host whose room this computer copies.

    Args:
        held: the position up to which the copy and the host agree.
        live: the seq of the last event that came on this link before.
        begun: the last private number before this host's term. Its log has all private messages up to it.
    """

    def __init__(self, held: CopyPosition, live: int, begun: int = 0) -> None:
        self._term_begun = begun
        self._held = held
        self._begun = max(held.seq, 0)
        self._events = Copying(self._begun, live)
        self._phase: Phase = "asked"
        self._private = held.private  # everything up to this number is in the copy
        self._waiting: dict[int, Told] = {}  # by number
        self._waiting_size = 0  # bytes of them
        self._dropped = False
        self._owned: list[Owned] = []
        self._beat = held.beat

    @property
    def complete(self) -> bool:
        """Whether everything that has come is in the copy."""
        return self._phase == "events" and self._events.complete

    @property
    def held(self) -> CopyPosition:
        """The position of the copy once everything that was taken is stored."""
        return CopyPosition(self._events.seq, self._private)

    def begin(self) -> Follow:
        return Follow(self._held.seq, self._held.private, self._held.rev)

    def receive(self, message: FromHost) -> Taken:
        """Handle a message that the host sends only to standbys, or a page that was asked for."""
        match message:
            case Told():
                return self.private(message)
            case Owned():
                self.owner(message)
            case State():
                return self.state(message)
            case Page():
                return self.page(message)
            case _:
                pass
        return Taken()

    def event(self, event: Event) -> list[Event]:
        """What the copy stores of the events that were fetched or have just happened."""
        return self._events.take(event)

    def heartbeat(self, beat: Heartbeat) -> Taken:
        if beat.count == self._beat:
            return Taken()
        self._beat = beat.count
        return Taken(values={"count": str(beat.count).encode()})

    def state(self, state: State) -> Taken:
        """The rules of the room have come, as the answer to `follow` or because they have changed."""
        values = {"rules": state.rules.encode(), "rev": str(state.rev).encode()}
        if self._phase != "asked":
            return Taken(values=values)
        self._phase = "owners"
        return Taken(Fetch(self._begun, "owners"), values=values)

    def owner(self, owned: Owned) -> None:
        if self._phase == "owners" and len(self._owned) < MAX_OWNED:
            self._owned.append(owned)

    def private(self, told: Told) -> Taken:
        if told.number <= self._private:
            return Taken()
        if self._phase == "events":
            self._private = told.number
            return Taken(records=[told])
        if len(self._waiting) >= WAITING_PRIVATE or self._waiting_size + waiting_size(told) > WAITING_SIZE:
            self._wait_for({})
            self._dropped = True
        self._waiting.setdefault(told.number, told)
        self._waiting_size += waiting_size(told)
        return Taken()

    def _wait_for(self, waiting: dict[int, Told]) -> None:
        self._waiting, self._waiting_size = waiting, sum(map(waiting_size, waiting.values()))

    def page(self, page: Page) -> Taken:
        """Handle the end of a page."""
        match self._phase:
            case "owners":
                owned, self._owned = self._owned, []
                if owned and page.upto == owned[-1].seq:
                    return Taken(Fetch(page.upto, "owners"), owned=owned)
                self._phase = "private"
                return Taken(Fetch(self._private, "private"), owned=owned)
            case "private":
                return self._private_page(page)
            case "events":
                ask, events = self._events.page(page)
                return Taken(ask, records=events, values=self._whole())
            case _:
                return Taken()  # nobody asked for it here

    def _private_page(self, page: Page) -> Taken:
        if self._dropped:  # some of this page may be among those
            self._wait_for({})
            self._dropped = False
            return Taken(Fetch(self._private, "private"))
        come = [told for number, told in sorted(self._waiting.items()) if number <= page.upto]
        last = come[-1].number if come else self._private
        if last == page.upto:
            self._private = last
            self._wait_for({number: told for number, told in self._waiting.items() if number > last})
            return Taken(Fetch(last, "private"), come)
        self._private, self._phase = max(last, self._term_begun), "events"
        self._wait_for({})
        values = {"private": str(self._private).encode(), **self._whole()}
        return Taken(self._events.begin(), come, values=values)

    def _whole(self) -> dict[str, bytes]:
        """What the copy stores when it has become complete."""
        return {"whole": b"1"} if self.complete else {}
