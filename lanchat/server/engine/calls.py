"""Writes proposals as the functions of an engine read them; see `append` in functions.lua. Pure."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from lanchat.server.engine.shared_log import Entry, Proposal
from lanchat.server.engine.state import write_changes

TOGETHER = 16 * 1024  # bytes after which no more events come into one entry of the stream; a reader gets it whole


def write_proposals(proposals: Iterable[Proposal]) -> list[bytes]:
    """The arguments for the entries of one call. Events that follow each other stand together in one entry, because all
    that the engine does for an entry of its stream, and for an argument, is then done once for all of them.
    """
    entries: list[str | int] = []
    bodies: list[bytes] = []
    for run in _runs(proposals):
        first = run[0]
        key = _keys([event.key for event in run]) if first.kind == "e" else first.key
        entries += (first.kind, len(run), write_changes(first.changes), key)
        bodies.append(b"\n".join([proposal.body for proposal in run]))
    return [msgspec.msgpack.encode(entries), *bodies]


def write_key(entry: Entry) -> str:
    """The key of an entry as it stands in the log."""
    return _keys([entry.key]) if entry.kind == "e" else entry.key


def _runs(proposals: Iterable[Proposal]) -> Iterator[Sequence[Proposal]]:
    """Proposals that become one entry: events that follow each other, or one of another kind."""
    events: list[Proposal] = []
    size = 0
    for proposal in proposals:
        if proposal.kind == "e":
            events.append(proposal)
            size += len(proposal.body)
            if size < TOGETHER:
                continue
        if events:
            yield events
            events, size = [], 0
        if proposal.kind != "e":
            yield [proposal]
    if events:
        yield events


def _keys(keys: Sequence[str]) -> str:
    return msgspec.json.encode(keys).decode()
