"""A standby lets the other standbys read its copy of the room, once they have all lost the host.

The next host of the room takes from the others the events that it lacks. Only the owner's computer and those that
the list of standbys names may read; they have copies of their own, so they learn nothing that they may not know.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from lanchat.errors import ProtocolError
from lanchat.network.link import Link
from lanchat.protocol.framing import FROM_MEMBER, LineSplitter, decode_all
from lanchat.protocol.handshake import HostGreeting
from lanchat.protocol.keys import verify
from lanchat.protocol.messages import Card, Fetch, FromMember
from lanchat.server.past import page
from lanchat.storage.identity import Identity
from lanchat.storage.reader import LogReader


class CopyOnDisk:
    """The pages of a log that nobody serves, for `past.page`."""

    def __init__(self, path: Path) -> None:
        reader = LogReader(path)
        self.read = reader.events_after
        self.private_after, self.owners_after = reader.private_after, reader.owners_after


def give_copy(
    link: Link, first: bytes, card: Card, identity: Identity, may_read: Callable[[bytes], bool], log: Path
) -> bool:
    """Answer a computer that asks for what this copy has, until it hangs up.

    Args:
        first: what it has sent so far, after this card.
        may_read: whether the computer with this raw key may have it.

    Returns:
        Whether it may. If not, it has not been answered.

    Raises:
        LanchatError: the copy cannot be read, or what comes later breaks the rules of the protocol.
    """
    splitter = LineSplitter()
    try:
        hello, *messages = decode_all(splitter.feed(first), FROM_MEMBER)
        if not _has_proven(hello, card, identity, may_read):
            return False
    except (ProtocolError, ValueError):
        return False
    copy, data = CopyOnDisk(log), first
    while data:
        for message in messages:
            if not isinstance(message, Fetch):
                return True
            link.send(page(copy, message))
        data = link.receive()
        messages = decode_all(splitter.feed(data), FROM_MEMBER)
    return True


def _has_proven(hello: FromMember, card: Card, identity: Identity, may_read: Callable[[bytes], bool]) -> bool:
    binding = hashlib.sha256(identity.certificate).digest()
    greeting = HostGreeting(card, binding=binding, host_key=identity.public, verify=verify)
    _, newcomer = greeting.receive(hello)
    return newcomer is not None and may_read(newcomer.key)
