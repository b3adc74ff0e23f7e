"""A host's term in a room that can move: its right to host, the papers that it shows, and where members may go next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol import standby as wire
from lanchat.protocol.delegation import (
    OWNER_INDEX,
    Delegation,
    Sign,
    TermRecord,
    check_host,
    read_delegation,
    read_term,
)
from lanchat.protocol.ids import member_id
from lanchat.protocol.messages import Present
from lanchat.protocol.places import Place, Rules, write_places
from lanchat.protocol.timeline import Timeline, make_epoch, n_of, term_of
from lanchat.room.succession import last_term


@dataclass(frozen=True)
class Term:
    """The right by which a computer begins to host a room, and what it takes over from the last host.

    Args:
        owner: the raw key of the room's owner.
        delegation: the newest list of standbys, as it was signed; b"": there is none.
        index: of this computer in it.
        before: the nick of the last host's person; "": nobody hosted the room just before.
        reason: as in `Moved`; "": nobody is told that the room has moved.
        roster: the people in the room. They come over without a `joined`; after `Timing.roster` s the others have left.
        rules: the access rules and settings.
        rev: their revision.
        places: the addresses of the owner and the standbys.
        note: notes on the disk that a term begins, so that no number is given out twice; waits for it, and raises
            LanchatError or OSError.
    """

    owner: bytes
    delegation: bytes = b""
    index: int = OWNER_INDEX
    before: str = ""
    reason: str = ""
    roster: tuple[Present, ...] = ()
    rules: Rules | None = None
    rev: int = 0
    places: tuple[Place, ...] = ()
    note: Callable[[int], None] = lambda term: None


class Standing:
    """The papers and places that a host shows. The hub thread changes it; any thread reads it.

    Args:
        key: the raw key of this computer.
        sign: signs with that key.
        timeline: of the log, with the term that begins as its last.
        now: ms since 1970.

    Attributes:
        paper: the record of this term, signed.
        delegation: the newest list of standbys, signed; b"": there is none.
        named: the same list.

    Raises:
        ProtocolError: the list is not signed by the owner.
    """

    def __init__(self, term: Term, room: str, key: bytes, sign: Sign, timeline: Timeline, now: int) -> None:
        self.room = room
        self.owner = term.owner
        self.owner_id = member_id(term.owner)
        self.key = key
        self.index = term.index
        self.delegation = term.delegation
        self.named: Delegation | None = read_delegation(term.delegation, term.owner) if term.delegation else None
        self.places = {place.index: place for place in term.places}
        self._sign, self._note = sign, term.note
        self._begin(timeline, now)

    def rise(self, later: int, seq: int, now: int) -> None:
        """Begin a term above one that has begun elsewhere. Waits for the disk.

        Args:
            later: the epoch of that one.
            seq: the last number that was given out.
            now: ms since 1970.

        Raises:
            LanchatError, OSError: the disk refuses, or no term is left.
        """
        term = term_of(later) + 1
        if term > last_term(self.index, self.named):
            raise LanchatError("The room has no terms left.")
        self._note(term)
        self._begin(self._timeline.next(make_epoch(term, self.index), n_of(seq)), now)

    def _begin(self, timeline: Timeline, now: int) -> None:
        number = self.named.number if self.named is not None else 0
        self.paper = TermRecord(self.room, self.key, number, now, timeline).signed(self._sign)
        self.epoch, self.began, self._timeline = timeline.epoch, now, timeline

    @property
    def papers(self) -> tuple[bytes, bytes, bytes]:
        """The owner, the delegation and the term record, as a card shows them."""
        return self.owner, self.delegation, self.paper

    def shown(self) -> wire.Delegation:
        """The papers as a message, for people who are in the room already."""
        return wire.Delegation(self.delegation, self.paper)

    def where(self) -> wire.Standbys:
        """The places where the room may be hosted, as a message to everybody."""
        return wire.Standbys(write_places(tuple(self.places.values())))

    def kept(self) -> dict[str, bytes]:
        """The values of this that the log stores."""
        return {"delegation": self.delegation, "places": self.where().places.encode()}

    def index_of(self, key: bytes, instance: bytes) -> int | None:
        """The index of the computer with this key and instance; None: it may not host the room."""
        if key == self.owner and self.index != OWNER_INDEX:
            return OWNER_INDEX
        return self.named.index(key, instance) if self.named is not None else None

    def learn(self, paper: bytes) -> bool:
        """Use this list of standbys from now on, if it is newer than ours.

        Returns:
            Whether it is newer.

        Raises:
            ProtocolError: it is not signed by the owner, or for another room.
        """
        shown = read_delegation(paper, self.owner)
        if shown.room != self.room or (self.named is not None and shown.number <= self.named.number):
            return False
        self.delegation, self.named = paper, shown
        kept = {OWNER_INDEX, *(standby.index for standby in shown.standbys)}
        self.places = {index: place for index, place in self.places.items() if index in kept}
        return True

    def check_successor(self, paper: bytes, key: bytes) -> None:
        """Check the record of a computer that says it hosts the room from now on.

        Args:
            key: the raw key that the computer has proven on its link.

        Raises:
            ProtocolError: it may not host the room, or its term is no later one.
        """
        term, named = read_term(paper), self.named
        if named is None or term.epoch <= self.epoch:
            raise ProtocolError("That is no later term.")
        now = min(term.began, named.until)
        check_host(named, term, room=self.room, owner=self.owner, host=key, now=now)

    def put(self, places: Sequence[Place], *, pages: bool = False) -> bool:
        """Note where these computers are now. Returns whether that is new.

        Args:
            pages: the room has a page for browsers. A computer that begins to follow does not tell its own at once;
                until then the origin of its last page stays valid.
        """
        if pages:
            last = {index: place.web for index, place in self.places.items()}
            places = [place if place.web else place.with_page(last.get(place.index, ())) for place in places]
        changed = [place for place in places if self.places.get(place.index) != place]
        self.places = {**self.places, **{place.index: place for place in changed}}
        return bool(changed)

    def address(self, index: int) -> str:
        """The address by which the computer with this index is reached first; "": it is not known."""
        place = self.places.get(index)
        return next((endpoint.shared.host for endpoint in place.endpoints), "") if place is not None else ""

    def nick(self, index: int) -> str:
        """The nick of the person at the computer with this index; "": it is not known."""
        place = self.places.get(index)
        return place.nick if place is not None else ""
