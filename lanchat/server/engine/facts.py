"""The facts that each host of a room tells the others about itself when it renews its lease. Pure."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from lanchat.protocol.fields import Number, Text
from lanchat.server.engine.shared_log import Living


class HostFacts(Struct, frozen=True, omit_defaults=True):
    """What a host tells the other hosts about itself.

    Args:
        stored: everything up to this seq is in its file.
        about: anything else, for those who know it.
    """

    stored: Number = 0
    about: Text = ""


_DECODER = msgspec.json.Decoder(HostFacts)


def write_facts(facts: HostFacts) -> bytes:
    return msgspec.json.encode(facts)


def read_facts(data: bytes) -> HostFacts:
    """Read the facts of a host. A host whose facts cannot be read counts as one that has stored nothing."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return HostFacts()


def stored_by_all(hosts: Iterable[Living]) -> int:
    """Everything up to this seq is in the files of all hosts."""
    return min((read_facts(host.facts).stored for host in hosts), default=0)
