"""Writes proposals as the functions of an engine read them; see `append` in functions.lua. Pure."""

from collections.abc import Sequence

import msgspec

from lanchat.server.engine.shared_log import Proposal
from lanchat.server.engine.state import write_changes

TOGETHER = 16 * 1024  # bytes after which no more events come into one entry of the stream; a reader gets it whole


def write_proposals(proposals: Sequence[Proposal]) -> bytes:
    """The entries of one call. Events that follow each other stand together, because all that the engine does for an
    argument, or for an entry of its stream, is then done once for all of them.
    """
    fields: list[str | list[str]] = []
    keys: list[str] = []
    bodies: list[bytes] = []
    size = 0
    for proposal in proposals:
        if proposal.kind == "e" and not proposal.changes:
            keys.append(proposal.key)
            bodies.append(proposal.body)
            size += len(proposal.body)
            if size < TOGETHER:
                continue
        if keys:
            fields += ["e", keys, b"\n".join(bodies).decode(), ""]
            keys, bodies, size = [], [], 0
        if proposal.kind != "e":
            fields += [proposal.kind, proposal.key, proposal.body.decode(), write_changes(proposal.changes)]
    if keys:
        fields += ["e", keys, b"\n".join(bodies).decode(), ""]
    return msgspec.msgpack.encode(fields)
