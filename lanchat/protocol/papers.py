"""The papers that say who may host a room: what a member knows of them, and which hosts it accepts. Pure.

Nothing of ours is sent to a host that these rules refuse. A host without papers must have the owner's own key, as in
every room that has never moved. See protocol/delegation.py for the papers.
"""

from dataclasses import dataclass, replace

from lanchat import errors
from lanchat.protocol.delegation import OWNER_INDEX, Delegation, TermRecord, check_host, read_delegation, read_term
from lanchat.protocol.messages import Card
from lanchat.protocol.timeline import Timeline, index_of

AHEAD_MATTERS = 2 * 3_600_000  # ms; less than that is no more than how often the owner signs the list again

_IMPERSONATED = "Somebody may be impersonating the room. Ask its owner."


@dataclass(frozen=True)
class Papers:
    """The papers of one room, as far as we know them.

    Args:
        owner: the raw public key of its owner: of the first host, or the one that a standby's papers have named.
        delegation: the newest that we have seen, as it was signed; b"": none.
        term: of the last host, as it was signed; b"": it had none.
        ahead: ms by which the owner's clock is ahead of ours, since a delegation ends by the owner's clock. It is known
            once the owner has hosted, to an hour, which is how often the owner signs the list again.
    """

    room: str
    owner: bytes
    delegation: bytes = b""
    term: bytes = b""
    ahead: int = 0

    def accept(self, card: Card, host_key: bytes, now: int) -> "Papers":
        """Check a host of this room before anything of ours is sent.

        Args:
            host_key: the raw public key of the link.
            now: ms since 1970, by our clock.

        Returns:
            What we know now.

        Raises:
            HostKeyChanged: it is neither the owner nor a standby that the owner has named.
            Refused: a standby that does not host, code "busy"; or it asks for no password where the room has one.
        """
        if not card.term:
            if host_key != self.owner:
                raise errors.HostKeyChanged(
                    "The machine that answers now has another key than the host.", _IMPERSONATED
                )
            if card.standby:
                raise _busy()
            return replace(self, term=b"")
        try:
            return self._read(card, host_key, now)
        except errors.ProtocolError as error:
            raise errors.HostKeyChanged(str(error), _IMPERSONATED) from None

    def renewed(self, delegation: bytes, term: bytes, host_key: bytes, now: int) -> "Papers":
        """The papers that we know once our host has sent these over its link.

        Args:
            delegation: an older one than we know changes nothing.
            term: its record; b"": it sends none.
            now: as for `accept`.

        Raises:
            ProtocolError: they are not signed by the owner and this host, or for another room.
        """
        known = newest_delegation(self, delegation)
        if term:
            record = read_term(term)
            if record.room != self.room or not self._is_of(record, host_key, known):
                raise errors.ProtocolError("The papers of this host belong to another computer.")
        return self._with(known, delegation, term or self.term, host_key, now)

    def learn(self, delegation: bytes) -> "Papers":
        """The papers that we know once we were shown this list of standbys; an older one changes nothing.

        Raises:
            ProtocolError: it is not signed by the owner, or for another room.
        """
        newest = newest_delegation(self, delegation)
        newer = newest is not None and newest.number > delegation_number(self.delegation, self.owner)
        return replace(self, delegation=delegation) if newer else self

    @property
    def named(self) -> Delegation | None:
        """The newest list of standbys; None: there is none."""
        return read_delegation(self.delegation, self.owner) if self.delegation else None

    def names(self, key: bytes) -> bool:
        """Whether the room belongs to this key, or its owner has named a computer of it."""
        named = self.named
        return key == self.owner or (named is not None and named.index(key) is not None)

    def index(self, key: bytes, instance: bytes) -> int | None:
        """The index of the computer with this key and this copy; None: the owner has not named it."""
        if key == self.owner:
            return OWNER_INDEX
        if not self.delegation:
            return None
        return read_delegation(self.delegation, self.owner).index(key, instance)

    @property
    def timeline(self) -> Timeline | None:
        """The timeline in the record of the last host; None: it had no record."""
        return read_term(self.term).timeline if self.term else None

    @property
    def epoch(self) -> int:
        """The epoch in the record of the last host; 0: it had no record."""
        return read_term(self.term).epoch if self.term else 0

    @property
    def host_index(self) -> int:
        """The index of the last host."""
        return index_of(self.epoch)

    def _read(self, card: Card, host_key: bytes, now: int) -> "Papers":
        if card.owner != self.owner:
            raise errors.ProtocolError("The computer that answers names another owner of the room.")
        known = newest_delegation(self, card.delegation)
        if card.standby:
            if host_key != self.owner and (known is None or known.index(host_key) is None):
                raise errors.ProtocolError("The owner of the room has not named the computer that answers.")
            raise _busy()
        term = read_term(card.term)
        if term.engine and host_key != self.owner and term.epoch < self.epoch:
            raise errors.ProtocolError("This host shows an older record of the room than the one that you know.")
        if known is not None:
            check_host(known, term, room=self.room, owner=self.owner, host=host_key, now=now + self.ahead)
        elif host_key != self.owner or term.host_key != host_key or term.room != self.room:
            raise errors.ProtocolError("The papers of this host belong to another computer.")
        if known is not None and known.password and not card.password:
            raise errors.Refused(
                "The room has a password, and the computer that answers asks for none.",
                _IMPERSONATED,
                code="no-password",
            )
        return self._with(known, card.delegation, card.term, host_key, now)

    def _is_of(self, record: TermRecord, host_key: bytes, known: Delegation | None) -> bool:
        """Whether a record fits the host that shows it."""
        if record.engine and host_key != self.owner:
            return record.host_key == self.owner and known is not None and known.names_host(host_key)
        return record.host_key == host_key

    def _with(self, newest: Delegation | None, shown: bytes, term: bytes, host_key: bytes, now: int) -> "Papers":
        """The papers that we know once a host has shown these, which fit."""
        if newest is None:
            return replace(self, term=term)
        newer = shown if delegation_number(self.delegation, self.owner) < newest.number else self.delegation
        ahead = newest.made - now if host_key == self.owner else self.ahead
        return replace(self, delegation=newer, term=term, ahead=ahead)


def first_contact(card: Card, host_key: bytes, now: int, known: bytes = b"", ahead: int = 0) -> Papers:
    """The papers of the first host of a room that we meet. Whether the owner is the right one is checked elsewhere.

    Args:
        known: the newest delegation of this owner for this room that an earlier run has seen; b"": none.
        ahead: as in `Papers`, as far as an earlier run has seen.

    Raises:
        HostKeyChanged: its papers do not fit.
        Refused: as for `Papers.accept`.
    """
    return Papers(card.room, card.owner or host_key, known, ahead=ahead).accept(card, host_key, now)


def timeline_of(card: Card) -> Timeline | None:
    """The timeline of a host that was accepted; None: it shows no papers."""
    return read_term(card.term).timeline if card.term else None


def is_on_engine(card: Card) -> bool:
    """Whether a host that was accepted is one of several, which deliver the same."""
    return bool(card.term) and read_term(card.term).engine


def delegation_number(signed: bytes, owner: bytes) -> int:
    """The number of this list of hosts or standbys; -1: there is none. Raises ProtocolError as `read_delegation`."""
    return read_delegation(signed, owner).number if signed else -1


def newest_delegation(papers: Papers, shown: bytes) -> Delegation | None:
    """The newer one of the delegation that we know and the one that a host shows.

    Raises:
        ProtocolError: the one that is shown is not signed by the owner, or for another room.
    """
    mine = read_delegation(papers.delegation, papers.owner) if papers.delegation else None
    theirs = read_delegation(shown, papers.owner) if shown else None
    if theirs is not None and theirs.room != papers.room:
        raise errors.ProtocolError("The papers of this host are for another room.")
    found = [one for one in (mine, theirs) if one is not None]
    return max(found, key=lambda one: one.number, default=None)


def _busy() -> errors.Refused:
    return errors.Refused("That computer does not host the room; it keeps a copy of it.", code="busy")
