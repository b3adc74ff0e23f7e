"""Finds the events that a CHATHISTORY asks for, in a log that can be read page by page. Pure."""

from collections.abc import Iterator
from typing import Protocol

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.irc.history import Id, Query, Reference
from lanchat.protocol.messages import Event, Joined, Left, Moved, Renamed, Said
from lanchat.protocol.topic import Topic

PLAYED = (Said, Joined, Left, Renamed, Moved, Topic)  # with event-playback; without it only the first


class Pages(Protocol):
    """A log, read in pages of at most `page` events."""

    page: int

    @property
    def over(self) -> bool:
        """Whether nobody waits for more."""

    def between(self, after: int, before: int, limit: int, *, last: bool = False) -> list[Event]:
        """The first or last events between these seqs, in order."""

    def seq_at(self, at: int) -> int:
        """The least seq from which on events are not before this time; MAX_NUMBER: there is none."""


def found(query: Query, log: Pages) -> tuple[list[int], bool]:
    """The seqs of the events that are asked for, and whether there are no more in that direction."""
    limit, references = query.limit, query.references
    if any(isinstance(reference, Id) and reference.seq < 0 for reference in references) or not limit:
        return [], False
    match query.kind, references:
        case "LATEST" | "BEFORE", _:
            latest = query.kind == "LATEST"
            after = _above(references[0], log) if latest and references else -1
            before = MAX_NUMBER if latest else _below(references[0], log)
            seqs = _seqs(log, after, before, limit + 1, last=True)
            return seqs[-limit:], len(seqs) <= limit
        case "AFTER", (first,):
            seqs = _seqs(log, _above(first, log), MAX_NUMBER, limit + 1)
            return seqs[:limit], len(seqs) <= limit
        case "BETWEEN", (first, second):
            backwards = _above(first, log) > _above(second, log)
            low, high = (second, first) if backwards else (first, second)
            seqs = _seqs(log, _above(low, log), _below(high, log), limit + 1, last=backwards)
            return (seqs[-limit:] if backwards else seqs[:limit]), len(seqs) <= limit
        case _:
            return _around(log, _below(references[0], log), limit), False


def events(log: Pages, after: int, before: int) -> Iterator[Event]:
    """The events between these seqs, page by page."""
    while not log.over:
        some = log.between(after, before, log.page)
        yield from (event for event in some if isinstance(event, PLAYED))
        if len(some) < log.page:
            return
        after = some[-1].seq


def _around(log: Pages, centre: int, limit: int) -> list[int]:
    """The seqs around this one: as many before it as from it on, and more of one side where the other has fewer."""
    before = _seqs(log, -1, centre, limit, last=True)
    after = _seqs(log, centre - 1, MAX_NUMBER, limit)
    half = limit // 2
    taken = max(half, limit - len(after))
    before = before[max(0, len(before) - taken) :]
    return before + after[: limit - len(before)]


def _above(reference: Reference, log: Pages) -> int:
    """The seq after which the events are that come later than this one."""
    return reference.seq if isinstance(reference, Id) else log.seq_at(reference.at + 1) - 1


def _below(reference: Reference, log: Pages) -> int:
    """The lowest seq that does not come before this reference."""
    return reference.seq if isinstance(reference, Id) else log.seq_at(reference.at)


def _seqs(log: Pages, after: int, before: int, limit: int, *, last: bool = False) -> list[int]:
    """The seqs of the first or last events between these, in order; at most `limit` of them."""
    got: list[int] = []
    while len(got) < limit and not log.over:
        wanted = min(log.page, limit - len(got))
        some = log.between(after, before, wanted, last=last)
        seqs = [event.seq for event in some if isinstance(event, PLAYED)]
        got = seqs + got if last else got + seqs
        if len(some) < wanted:
            break
        after, before = (after, some[0].seq) if last else (some[-1].seq, before)
    return got[max(0, len(got) - limit) :] if last else got[:limit]
