"""One batch of the hub: the events for everybody, and how the bytes for a single session differ. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lanchat.protocol.messages import Event, Record, Said
from lanchat.server.session import Dialect, Session


@dataclass(eq=False)
class Personal:
    """How the bytes for one session differ from the bytes for everybody."""

    start: int = 0  # the first event of the batch that this session gets
    inserts: list[tuple[int, bytes]] = field(default_factory=list)  # bytes for this session alone, before that event
    skips: set[int] = field(default_factory=set)  # events that this session caused and does not get back


@dataclass(eq=False)
class Batch:
    """The events, records and bytes that follow from one pass of the hub over its inbox, or from some of them."""

    now: int  # ms since 1970
    events: list[Event] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)  # for the log: the events, and private messages between them
    personal: dict[Session, Personal] = field(default_factory=dict)
    goes_on: bool = False  # whether it holds events of an earlier pass
    _encoded: "dict[Dialect, _Encoded]" = field(default_factory=dict)

    def add(self, events: Sequence[Event]) -> None:
        """Deliver these events to everybody, and store them."""
        self.events += events
        self.records += events

    def personal_for(self, session: Session) -> Personal:
        personal = self.personal.get(session)
        if personal is None:
            personal = self.personal[session] = Personal()
        return personal

    def insert(self, session: Session, data: bytes) -> None:
        """Deliver these bytes to one session, after the events that were added so far."""
        self.personal_for(session).inserts.append((len(self.events), data))

    def go_on(self, now: int) -> "Batch":
        """Continue the part that `deliver` has kept back. The log has its records, but may not have stored them yet."""
        self.now, self.records, self.goes_on = now, [], True
        return self

    def deliver(self, sessions: Collection[Session], *, waits: bool = False) -> "Batch | None":
        """Send the batch: one send for each session that gets anything, with bytes made once for each dialect.

        Args:
            waits: send only to sessions with bytes of their own now, with all events before these; keep the rest back.

        Returns:
            The batch, if a part of it was kept back.
        """
        ready: dict[Dialect, _Encoded] = {}
        everybody = self.events and not waits
        addressed = () if everybody else [one for one, personal in self.personal.items() if personal.inserts]
        for session in sessions if everybody else [one for one in addressed if one in sessions]:
            mine = ready.get(session.dialect)
            if mine is None:
                mine = ready[session.dialect] = self._encode(session.dialect)
            personal = self.personal.get(session)
            if personal is not None:
                data = mine.assemble(personal, deaf=session.deaf)
            else:
                data = mine.whole_quiet if session.deaf else mine.whole
            if data:
                session.link.send(data)
        if not waits:
            return None
        for session in addressed:
            self.personal[session] = Personal(len(self.events))
        return self

    def _encode(self, dialect: Dialect) -> "_Encoded":
        encoded = self._encoded.get(dialect)
        if encoded is None:
            encoded = self._encoded[dialect] = _Encoded(dialect, self.events)
        encoded.catch_up(self._cuts())
        return encoded

    def _cuts(self) -> list[int]:
        """The events before which, or in whose place, any session has other bytes than everybody; and the end."""
        cuts = {len(self.events)}
        cuts.update([personal.start for personal in self.personal.values()])
        for personal in self.personal.values():  # few of them have anything: most have had it in an earlier pass
            if personal.inserts:
                cuts.update([index for index, _ in personal.inserts])
            if skips := personal.skips:
                cuts.update([index for index in skips if index - 1 not in skips])
                cuts.update([index + 1 for index in skips if index + 1 not in skips])
        return sorted(cuts)


class _Encoded:
    """The events of a batch in one dialect: in pieces, between which a session may have bytes of its own, and in one
    piece. To encode many events at once takes a fraction of the time that they take one by one."""

    def __init__(self, dialect: Dialect, events: list[Event]) -> None:
        self.pieces: list[bytes] = []
        self.whole = b""
        self.places = {0: 0}  # the index of a piece by that of its first event, in order, and one more for the end
        self._dialect = dialect
        self._events = events
        self._quiet: list[bytes] | None = None
        self._whole_quiet = b""

    def catch_up(self, cuts: Sequence[int]) -> None:
        """Encode the events that have been added.

        Args:
            cuts: the events with which a piece begins, in order, and the number of all events at the end.
        """
        done = next(reversed(self.places))
        for cut in cuts:
            if cut > done:
                self.pieces.append(self._dialect.encode_all(self._events[done:cut]))
                self.places[cut] = len(self.pieces)
                done = cut
        self.whole = b"".join(self.pieces)
        self._quiet = None

    @property
    def quiet(self) -> list[bytes]:
        """The pieces for deaf sessions: everything except messages."""
        if self._quiet is None:
            pieces = [self._events[first:end] for first, end in pairwise(self.places)]
            others = [[event for event in piece if not isinstance(event, Said)] for piece in pieces]
            self._quiet = [self._dialect.encode_all(piece) for piece in others]
            self._whole_quiet = b"".join(self._quiet)
        return self._quiet

    @property
    def whole_quiet(self) -> bytes:
        return self._whole_quiet if self.quiet else b""

    def assemble(self, personal: Personal, *, deaf: bool) -> bytes:
        """The bytes of a session that has some of its own."""
        pieces, places, skips = self.quiet if deaf else self.pieces, self.places, personal.skips
        if skips:
            pieces = [b"" if first in skips else piece for first, piece in zip(places, pieces, strict=False)]
        out: list[bytes] = []
        at = places[personal.start]
        for index, data in personal.inserts:
            out += pieces[at : places[index]]
            out.append(data)
            at = places[index]
        return b"".join([*out, *pieces[at:]])
