"""Copies what a host lacks from the engine when it enters a room, and gives the past to an engine that has none."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from lanchat.protocol.file_messages import FileEvent
from lanchat.protocol.framing import FROM_HOST, decode
from lanchat.protocol.limits import RECENT
from lanchat.protocol.messages import Event, Joined, Renamed, Told
from lanchat.protocol.places import Rules
from lanchat.protocol.standby import Owned
from lanchat.protocol.topic import Topic
from lanchat.server.engine.entries import LogRecord, own_key, proposal_of
from lanchat.server.engine.shared_log import CALL, Entered, Entry, Position
from lanchat.server.engine.state import Change, about, admitting, owns
from lanchat.server.replication import with_number
from lanchat.storage.log import Opened


class CatchUp:
    """Collects what the file of this host lacks, while the engine's log is read.

    Args:
        opened: what the file of this host has.

    Attributes:
        records: what it lacks.
    """

    def __init__(self, opened: Opened, entered: Entered) -> None:
        self.records: list[Event | Told] = []
        self._opened, self._entered = opened, entered
        self._private = {(told.by, told.id): told for told in opened.private}
        self._number = opened.private_number
        self._seq = opened.seq

    def take(self, record: LogRecord) -> None:
        """Take over the next entry of the engine's log."""
        if isinstance(record, Event):
            self.records.append(record)
            self._seq = record.seq
        elif isinstance(record, Told) and _is_new(record, self._private.get((record.by, record.id))):
            self._number += 1
            self.records.append(with_number(record, self._number))
            self._private.pop((record.by, record.id), None)
            self._private[record.by, record.id] = record

    def take_private(self, bodies: Iterable[bytes]) -> None:
        """Take over the private messages that wait.

        Raises:
            ProtocolError: one of them cannot be read.
        """
        for told in sorted((one for body in bodies if isinstance(one := decode(body, FROM_HOST), Told)), key=_when):
            self.take(told)

    @property
    def opened(self) -> Opened:
        """What the file has once the records are in it."""
        opened, state = self._opened, self._entered.state
        events = [record for record in self.records if isinstance(record, Event)]
        owners = [(e.to if isinstance(e, Renamed) else e.nick, e.by) for e in events if isinstance(e, Joined | Renamed)]
        owned = [(owned.nick, owned.id) for owned in state.owners]
        keys = {owned.id: owned.key for owned in state.owners if owned.key}
        return replace(
            opened,
            past=(*opened.past, *events)[-RECENT:],
            seq=max(self._entered.position.seq, self._seq),
            owners=(*opened.owners, *owned, *owners),
            keys={**opened.keys, **keys, **{e.by: e.key for e in events if isinstance(e, Joined) and e.key}},
            files=(*opened.files, *(event for event in events if isinstance(event, FileEvent))),
            topic=next(
                (event.topic for event in reversed(events) if isinstance(event, Topic)), opened.topic or state.topic
            ),
            private=tuple(self._private.values()),
            private_number=self._number,
        )


def state_of(opened: Opened, rules: Rules) -> tuple[Change, ...]:
    """The state of a room that begins at an engine, by what this host has of it."""
    owners = [owns(Owned(nick, id, opened.keys.get(id, b""), at)) for at, (nick, id) in enumerate(opened.owners)]
    return (*admitting(rules.bans, (), locked=rules.locked), about(opened.topic), *owners)


def past_entries(events: Iterable[Event], opened: Opened) -> Iterator[Entry]:
    """The entries of a room that begins at an engine: these events, and the private messages that wait."""
    for event in events:
        proposal = proposal_of(event, own_key(0, event.seq))
        yield Entry(Position(event.seq), proposal.kind, proposal.body, proposal.key)
    for sub, told in enumerate((told for told in opened.private if told.box), 1):
        proposal = proposal_of(told)
        yield Entry(Position(opened.seq, sub), proposal.kind, proposal.body, proposal.key)


def pages(entries: Iterator[Entry]) -> Iterator[Sequence[Entry]]:
    """As many at once as a call takes."""
    while page := list(islice(entries, CALL)):
        yield page


def _is_new(told: Told, known: Told | None) -> bool:
    """Whether this says more of a private message than is known: it came, or it was delivered or dropped."""
    return known is None or (bool(known.box) and not told.box)


def _when(told: Told) -> int:
    return told.at
