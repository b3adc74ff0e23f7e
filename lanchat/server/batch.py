"""One batch on its way through the hub: what everybody gets, and how what one seat gets differs from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from lanchat.protocol.messages import Event, Said, Told
from lanchat.server.session import Door, Session


@dataclass(eq=False)
class Personal:
    """How what one seat gets differs from what all get this turn."""

    start: int = 0  # the first event of the turn that is for this seat
    inserts: list[tuple[int, bytes]] = field(default_factory=list)  # bytes for this seat alone, before that event
    skips: set[int] = field(default_factory=set)  # events that this seat made and does not hear back


@dataclass(eq=False)
class Batch:
    """One batch on its way through."""

    now: int
    events: list[Event] = field(default_factory=list)
    private: list[Told] = field(default_factory=list)  # for the log
    personal: dict[Session, Personal] = field(default_factory=dict)

    def personal_for(self, session: Session) -> Personal:
        return self.personal.setdefault(session, Personal())

    def tell(self, session: Session, data: bytes) -> None:
        self.personal_for(session).inserts.append((len(self.events), data))

    def deliver(self, sessions: Iterable[Session]) -> None:
        """One send for each seat that gets anything, of bytes made once for each kind of door."""
        if not self.events and not self.personal:
            return
        pieces: dict[Door, list[bytes]] = {}
        whole: dict[Door, bytes] = {}
        for session in sessions:
            door = session.door
            if door not in pieces:
                pieces[door] = [door.encode(event) for event in self.events]
                whole[door] = b"".join(pieces[door])
            personal_for = self.personal.get(session)
            if session.deaf:
                personal_for = personal_for or Personal()
                data = _assemble(pieces[door], replace(personal_for, skips=personal_for.skips | self._said))
            else:
                data = whole[door] if personal_for is None else _assemble(pieces[door], personal_for)
            if data:
                session.link.send(data)

    @cached_property
    def _said(self) -> frozenset[int]:
        """What the deaf do not hear. Asked when all of the turn has happened."""
        return frozenset(index for index, event in enumerate(self.events) if isinstance(event, Said))


def _assemble(pieces: list[bytes], personal_for: Personal) -> bytes:
    out: list[bytes] = []
    at, skips = personal_for.start, personal_for.skips
    for index, data in [*personal_for.inserts, (len(pieces), b"")]:
        out += [pieces[i] for i in range(at, index) if i not in skips] if skips else pieces[at:index]
        out.append(data)
        at = index
    return b"".join(out)
