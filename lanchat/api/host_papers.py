"""The papers of a room on an engine: the owner signs which computers may host it, and the others check that."""

from collections.abc import Sequence
from dataclasses import replace

from lanchat.errors import ProtocolError
from lanchat.protocol.delegation import MAX_STANDBYS, Standby, TermRecord, read_delegation, read_term
from lanchat.protocol.engine import Asking, Ending
from lanchat.protocol.ids import member_id
from lanchat.protocol.text import grouped
from lanchat.protocol.timeline import Timeline
from lanchat.room.naming import appoint
from lanchat.server.beside import HostPapers
from lanchat.server.engine.address import EngineChoice
from lanchat.storage.delegations import Signing
from lanchat.storage.identity import Identity
from lanchat.threads import now_ms


class HostSigner:
    """Signs which computers may host a room on an engine. For one thread at a time.

    Args:
        choice: names computers that need not ask our person.

    Raises:
        LanchatError: the disk refuses, or what was signed before cannot be read.
    """

    def __init__(
        self, signing: Signing, room: str, identity: Identity, timeline: Timeline, choice: EngineChoice
    ) -> None:
        self._expected, self._has_screen = set(choice.cohosts), choice.has_screen
        self._signing, self._room, self._identity, self._timeline = signing, room, identity, timeline
        self.papers = self._sign([one for one in signing.standbys if one.role == "h"])

    @property
    def keys(self) -> list[bytes]:
        """The keys of the other hosts."""
        return [one.key for one in self._signing.standbys]

    def expects(self, key: bytes) -> bool:
        """Whether the computer with this key may host without being asked about, and does not yet."""
        return member_id(key) in self._expected and key not in self.keys

    def how_to_accept(self, asking: Asking) -> str:
        """A sentence that tells our person how to let this computer host."""
        if self._has_screen:
            return f"If that screen shows the same code: /cohost {asking.code}"
        id = member_id(asking.key)
        return f"If lanchat id shows {grouped(id)} there, start this host again with  --cohost {id}"

    def name(self, asking: Asking) -> None:
        """Let the computer that asks host the room.

        Raises:
            ValueError: with the reason, as a sentence.
        """
        computers = [(one.key, one.instance) for one in self._signing.standbys if one.key != asking.key]
        if len(computers) >= MAX_STANDBYS:
            raise ValueError(f"A room has at most {MAX_STANDBYS + 1} hosts. /uncohost NICK takes one back.")
        self.papers = self._sign(appoint([*computers, (asking.key, asking.instance)], self._signing.known.indexes))

    def dismiss(self, key: bytes) -> None:
        """Let the computer with this key host the room no more."""
        self._expected.discard(member_id(key))
        self.papers = self._sign([one for one in self._signing.standbys if one.key != key])

    def dismiss_all(self) -> None:
        self.papers = self._sign(())

    def ending(self, nick: str) -> Ending:
        """What closes the room at all hosts. `nick` is our own."""
        return Ending(nick, self._signing.known.number).signed(self._room, self._identity.sign)

    def renew(self) -> None:
        """Sign once more, because papers are good for some days."""
        self.papers = self._sign(self._signing.standbys)

    def _sign(self, hosts: Sequence[Standby]) -> HostPapers:
        delegation = self._signing.sign(tuple(replace(one, role="h") for one in hosts))
        number, now = self._signing.known.number, now_ms()
        key = self._identity.public
        record = TermRecord(self._room, key, number, now, self._timeline, engine=True)
        return HostPapers(key, delegation, record.signed(self._identity.sign))


def check_papers(papers: HostPapers, room: str) -> None:
    """Check the papers that a host shows.

    Raises:
        ProtocolError: they are not the owner's for this room.
    """
    record = read_term(papers.record)
    if not record.engine or record.host_key != papers.owner:
        raise ProtocolError("The record of this host's engine is not signed by the owner of the room.")
    named = read_delegation(papers.delegation, papers.owner) if papers.delegation else None
    if record.room != room or (named is not None and named.room != room):
        raise ProtocolError("The papers of this host are for another room.")
