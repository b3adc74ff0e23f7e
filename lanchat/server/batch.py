"""One batch on its way through the hub: what everybody gets, and how what one seat gets differs from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from lanchat.protocol.messages import Event, Said, Told
from lanchat.server.session import Door, Seat


@dataclass(eq=False)
class Aside:
    """How what one seat gets differs from what all get this turn."""

    start: int = 0  # the first event of the turn that is for this seat
    inserts: list[tuple[int, bytes]] = field(default_factory=list)  # bytes for this seat alone, before that event
    skips: set[int] = field(default_factory=set)  # events that this seat made and does not hear back


@dataclass(eq=False)
class Turn:
    """One batch on its way through."""

    now: int
    events: list[Event] = field(default_factory=list)
    mail: list[Told] = field(default_factory=list)  # for the log
    asides: dict[Seat, Aside] = field(default_factory=dict)

    def aside(self, seat: Seat) -> Aside:
        return self.asides.setdefault(seat, Aside())

    def tell(self, seat: Seat, data: bytes) -> None:
        self.aside(seat).inserts.append((len(self.events), data))

    def deliver(self, seats: Iterable[Seat]) -> None:
        """One send for each seat that gets anything, of bytes made once for each kind of door."""
        if not self.events and not self.asides:
            return
        pieces: dict[Door, list[bytes]] = {}
        whole: dict[Door, bytes] = {}
        for seat in seats:
            door = seat.door
            if door not in pieces:
                pieces[door] = [door.encode(event) for event in self.events]
                whole[door] = b"".join(pieces[door])
            aside = self.asides.get(seat)
            if seat.deaf:
                aside = aside or Aside()
                data = _assemble(pieces[door], replace(aside, skips=aside.skips | self._said))
            else:
                data = whole[door] if aside is None else _assemble(pieces[door], aside)
            if data:
                seat.link.send(data)

    @cached_property
    def _said(self) -> frozenset[int]:
        """What the deaf do not hear. Asked when all of the turn has happened."""
        return frozenset(index for index, event in enumerate(self.events) if isinstance(event, Said))


def _assemble(pieces: list[bytes], aside: Aside) -> bytes:
    out: list[bytes] = []
    at, skips = aside.start, aside.skips
    for index, data in [*aside.inserts, (len(pieces), b"")]:
        out += [pieces[i] for i in range(at, index) if i not in skips] if skips else pieces[at:index]
        out.append(data)
        at = index
    return b"".join(out)
