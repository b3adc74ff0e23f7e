"""Writes proposals as the functions of an engine read them; see `append` in functions.lua. Pure."""

from collections.abc import Mapping

import msgspec

from lanchat.server.engine.shared_log import Proposal
from lanchat.server.engine.state import write_changes

TOGETHER = 16 * 1024  # bytes after which no more events come into one entry of the stream; a reader gets it whole


def write_proposals(proposals: Mapping[str, Proposal]) -> list[bytes]:
    """The arguments for the entries of one call. Events that follow each other stand together in one entry, because all
    that the engine does for an entry of its stream, and for an argument, is then done once for all of them.

    Args:
        proposals: by their keys.
    """
    entries: list[list[str] | str | int] = [list(proposals)]
    bodies: list[bytes] = []
    events: list[bytes] = []
    size = 0
    for proposal in proposals.values():
        if proposal.kind == "e":
            body = proposal.body
            events.append(body)
            size += len(body)
            if size < TOGETHER:
                continue
        if events:
            entries += ("e", len(events), "")
            bodies.append(b"\n".join(events))
            events, size = [], 0
        if proposal.kind != "e":
            entries += (proposal.kind, 1, write_changes(proposal.changes))
            bodies.append(proposal.body)
    if events:
        entries += ("e", len(events), "")
        bodies.append(b"\n".join(events))
    return [msgspec.msgpack.encode(entries), *bodies]
