"""One batch of the hub: the events for everybody, and how the bytes for a single session differ. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

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

    def tell(self, session: Session, data: bytes) -> None:
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
        told = () if everybody else [one for one, personal in self.personal.items() if personal.inserts]
        for session in sessions if everybody else [one for one in told if one in sessions]:
            mine = ready.get(session.dialect)
            if mine is None:
                mine = ready[session.dialect] = self._encode(session.dialect)
            personal = self.personal.get(session)
            if personal is not None:
                data = _assemble(mine.quiet if session.deaf else mine.pieces, personal)
            else:
                data = mine.whole_quiet if session.deaf else mine.whole
            if data:
                session.link.send(data)
        if not waits:
            return None
        for session in told:
            self.personal[session] = Personal(len(self.events))
        return self

    def _encode(self, dialect: Dialect) -> "_Encoded":
        encoded = self._encoded.get(dialect)
        if encoded is None:
            encoded = self._encoded[dialect] = _Encoded(dialect, self.events)
        encoded.catch_up()
        return encoded


class _Encoded:
    """The events of a batch in one dialect: piece by piece, and in one piece."""

    def __init__(self, dialect: Dialect, events: list[Event]) -> None:
        self.pieces: list[bytes] = []
        self.whole = b""
        self._dialect = dialect
        self._events = events
        self._quiet: list[bytes] | None = None
        self._whole_quiet = b""

    def catch_up(self) -> None:
        """Encode the events that have been added."""
        encode = self._dialect.encode
        self.pieces += [encode(event) for event in self._events[len(self.pieces) :]]
        self.whole = b"".join(self.pieces)
        self._quiet = None

    @property
    def quiet(self) -> list[bytes]:
        """The pieces for deaf sessions: everything except messages."""
        if self._quiet is None:
            pairs = zip(self._events, self.pieces, strict=True)
            self._quiet = [b"" if isinstance(event, Said) else piece for event, piece in pairs]
            self._whole_quiet = b"".join(self._quiet)
        return self._quiet

    @property
    def whole_quiet(self) -> bytes:
        return self._whole_quiet if self.quiet else b""


def _assemble(pieces: list[bytes], personal: Personal) -> bytes:
    out: list[bytes] = []
    at, skips = personal.start, personal.skips
    for index, data in [*personal.inserts, (len(pieces), b"")]:
        out += [pieces[i] for i in range(at, index) if i not in skips] if skips else pieces[at:index]
        out.append(data)
        at = index
    return b"".join(out)
