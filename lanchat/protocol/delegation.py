"""The signed papers that let a room move: who may host it, and who hosts it now. Pure.

The owner signs a delegation, the list of standbys; a higher number replaces a lower one. A host signs a term record for
its period of hosting. Where several hosts serve a room together, on an engine, its numbers are of one term: the owner
signs the record of that, and the delegation names the other hosts with the role "h". Every field of a paper has its
length before it, so no two papers read alike, and a paper is only read if writing it again gives the same bytes.

    delegation   "lanchat delegation" 1 room number made until password term-limit (index role key instance) x 0..7
    term record  "lanchat term"       1 room epoch host-key delegation-number began (epoch last-n)           x 0..64
    engine record  "lanchat engine"     the same, with the owner's key and an epoch of the owner

Numbers are in decimal, times in ms since 1970, keys raw. The Ed25519 signature of all that, 64 bytes, ends the paper.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast

from lanchat.errors import ProtocolError
from lanchat.protocol.binding import join_fields
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.ids import is_room_id
from lanchat.protocol.keys import verify
from lanchat.protocol.timeline import MAX_ENTRIES, MAX_INDEX, MAX_TERM, Timeline, index_of, term_of

MAX_STANDBYS = 7  # in a delegation
OWNER_INDEX = 0  # standbys have 1 to MAX_INDEX
VALIDITY = 7 * 86_400_000  # ms; a week's absence of the owner, and what a removed standby can deceive people for
RENEWAL = 3_600_000  # ms; an hour of a week does not matter
TERMS_AHEAD = 1024  # terms that standbys may begin on their own: a move every ten minutes for a week

_DELEGATION, _TERM, _ENGINE, _VERSION = b"lanchat delegation", b"lanchat term", b"lanchat engine", b"1"
_KEY_SIZE, _INSTANCE_SIZE, _SIGNATURE_SIZE = 32, 8, 64  # bytes

Role = Literal["s", "h"]  # standby, or one of several hosts
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Standby:
    """A computer that a delegation names.

    Args:
        index: belongs to this key and this instance for the whole life of the room, so that no two computers ever give
            out one number.
        key: Ed25519 public key, raw.
        instance: 8 random bytes, made together with the folder of the replica: one key on two computers is two.
    """

    index: int
    key: bytes
    instance: bytes
    role: Role = "s"

    def __post_init__(self) -> None:
        if not OWNER_INDEX < self.index <= MAX_INDEX or self.role not in ("s", "h"):
            raise ValueError("A standby has an index from 1 to 63, and is a standby or a host.")
        if len(self.key) != _KEY_SIZE or len(self.instance) != _INSTANCE_SIZE:
            raise ValueError("A key has 32 bytes, an instance 8.")


@dataclass(frozen=True)
class Delegation:
    """A list of the computers that may host a room, signed by its owner.

    Args:
        number: higher than those of all earlier ones.
        made: ms since 1970, the owner's clock.
        until: ms since 1970; nobody connects to a standby after that.
        password: the room has one, so a standby that asks for none is refused.
        term_limit: the last term that a standby may begin by this paper, or a hostile one could use up all terms.
    """

    room: str
    number: int
    made: int
    until: int
    password: bool = False
    term_limit: int = MAX_TERM
    standbys: tuple[Standby, ...] = ()

    def __post_init__(self) -> None:
        if not is_room_id(self.room):
            raise ValueError("This is no room id.")
        if len(self.standbys) > MAX_STANDBYS:
            raise ValueError(f"A delegation names at most {MAX_STANDBYS} standbys.")
        if len({standby.index for standby in self.standbys}) != len(self.standbys):
            raise ValueError("Two standbys have one index.")
        if not all(0 <= number <= MAX_NUMBER for number in (self.number, self.made, self.until)):
            raise ValueError("A number is out of its range.")
        if not 0 <= self.term_limit <= MAX_TERM:
            raise ValueError("A term limit is out of its range.")

    def named(self, index: int) -> Standby | None:
        """The standby that has this index."""
        return next((standby for standby in self.standbys if standby.index == index), None)

    def index(self, key: bytes, instance: bytes | None = None) -> int | None:
        """The index of the standby with this key, on the computer of this instance if one is given."""
        return next(
            (one.index for one in self.standbys if one.key == key and instance in (None, one.instance)),
            None,
        )

    def names_host(self, key: bytes) -> bool:
        """Whether this key may serve the room together with its owner, on an engine."""
        return any(one.key == key and one.role == "h" for one in self.standbys)

    def text(self) -> bytes:
        """What the owner signs."""
        fields = [_DELEGATION, _VERSION, self.room.encode()]
        fields += [_number(value) for value in (self.number, self.made, self.until, int(self.password))]
        fields.append(_number(self.term_limit))
        for one in self.standbys:
            fields += [_number(one.index), one.role.encode(), one.key, one.instance]
        return join_fields(*fields)

    def signed(self, sign: Sign) -> bytes:
        """The paper, signed by the owner."""
        return self.text() + sign(self.text())


@dataclass(frozen=True)
class TermRecord:
    """One host's period of hosting, or that of all hosts on an engine.

    Args:
        host_key: of who signs it.
        delegation: the number of the delegation by which it hosts; 0 for an owner that has made none.
        began: ms since 1970, the host's clock.
        timeline: its epoch, and what its log continues.
        engine: all hosts of the room show this record, which its owner has signed.
    """

    room: str
    host_key: bytes
    delegation: int
    began: int
    timeline: Timeline = field(default_factory=lambda: Timeline(0))
    engine: bool = False

    def __post_init__(self) -> None:
        if not is_room_id(self.room) or len(self.host_key) != _KEY_SIZE:
            raise ValueError("This is no room id, or no key.")
        if not all(0 <= number <= MAX_NUMBER for number in (self.delegation, self.began)):
            raise ValueError("A number is out of its range.")
        if self.engine and index_of(self.epoch) != OWNER_INDEX:
            raise ValueError("The terms of an engine are the owner's.")

    @property
    def epoch(self) -> int:
        return self.timeline.epoch

    def text(self) -> bytes:
        """What this host signs."""
        fields = [_ENGINE if self.engine else _TERM, _VERSION, self.room.encode(), _number(self.epoch), self.host_key]
        fields += [_number(self.delegation), _number(self.began)]
        for epoch, last in self.timeline.past:
            fields += [_number(epoch), _number(last)]
        return join_fields(*fields)

    def signed(self, sign: Sign) -> bytes:
        """The paper, signed by this host."""
        return self.text() + sign(self.text())


def read_delegation(paper: bytes, owner: bytes) -> Delegation:
    """Read a list of standbys, and check its signature.

    Args:
        owner: the key that must have signed it.

    Raises:
        ProtocolError: it is damaged, or of somebody else.
    """
    try:
        kind, version, room, number, made, until, password, limit, *rest = _fields(paper)
        if (kind, version) != (_DELEGATION, _VERSION) or password not in (b"0", b"1") or len(rest) % 4:
            raise ValueError("this is another paper")
        standbys = tuple(
            Standby(_value(index), key, instance, cast("Role", role.decode()))
            for index, role, key, instance in zip(rest[::4], rest[1::4], rest[2::4], rest[3::4], strict=True)
        )
        read = Delegation(
            *(room.decode(), _value(number), _value(made), _value(until), password == b"1", _value(limit), standbys)
        )
    except ValueError:
        raise ProtocolError("The list of standbys cannot be read.") from None
    _check(paper, read.text(), owner, "The list of standbys is not signed by the owner of the room.")
    return read


def read_term(paper: bytes) -> TermRecord:
    """The record, signed by the host that it names, or for all hosts on an engine by the owner that it names.

    Raises:
        ProtocolError: it is damaged, or signed by somebody else.
    """
    try:
        kind, version, room, epoch, key, delegation, began, *rest = _fields(paper)
        if kind not in (_TERM, _ENGINE) or version != _VERSION or len(rest) % 2:
            raise ValueError("this is another paper")
        past = tuple((_value(one), _value(last)) for one, last in zip(rest[::2], rest[1::2], strict=True))
        timeline = Timeline(_value(epoch), past)
        read = TermRecord(room.decode(), key, _value(delegation), _value(began), timeline, kind == _ENGINE)
    except ValueError:
        raise ProtocolError("The record of who hosts the room cannot be read.") from None
    _check(paper, read.text(), key, "The record of who hosts the room is not signed by that host.")
    return read


def check_host(delegation: Delegation, term: TermRecord, *, room: str, owner: bytes, host: bytes, now: int) -> None:
    """Whether this computer may host this room.

    Args:
        delegation: the newest one that we have seen, signed by the owner.
        term: what this host shows.
        owner: the owner's key, as we remember it.
        host: the key of the link on which the papers came.
        now: ms since 1970, by the owner's clock.

    Raises:
        ProtocolError: it may not, with the reason as a sentence.
    """
    if not room == delegation.room == term.room:
        raise ProtocolError("The papers of this host are for another room.")
    if term.engine:
        _check_engine_host(delegation, term, owner, host, now)
        return
    if term.host_key != host:
        raise ProtocolError("The papers of this host belong to another computer.")
    index = index_of(term.epoch)
    if index == OWNER_INDEX:
        if host != owner:
            raise ProtocolError("This host claims to be the owner of the room, and is not.")
        return  # by its own right: no delegation can end it
    named = delegation.named(index)
    if named is None or named.key != host:
        raise ProtocolError("The owner of the room has not named this computer as a standby.")
    if named.role == "h":
        raise ProtocolError("This computer may host the room only together with its owner, on their engine.")
    _check_date(delegation, now)
    if term_of(term.epoch) > delegation.term_limit:
        raise ProtocolError("This host has begun more terms than the owner of the room allows.")


def _check_engine_host(delegation: Delegation, term: TermRecord, owner: bytes, host: bytes, now: int) -> None:
    if term.host_key != owner:
        raise ProtocolError("The record of this host's engine is not signed by the owner of the room.")
    if host == owner:
        return
    if not delegation.names_host(host):
        raise ProtocolError("The owner of the room has not named this computer as one of its hosts.")
    _check_date(delegation, now)


def _check_date(delegation: Delegation, now: int) -> None:
    if now >= delegation.until:
        raise ProtocolError("The owner of the room has been away for too long: its list of standbys has expired.")


def _number(value: int) -> bytes:
    return str(value).encode()


def _value(number: bytes) -> int:
    """Read a number of a paper.

    Raises:
        ValueError: these are no digits. That there is one way to write a number is seen when it is written again.
    """
    if not number.isdigit() or len(number) > len(str(MAX_NUMBER)):
        raise ValueError("this is no number")
    return int(number)


def _fields(paper: bytes) -> list[bytes]:
    """What `join_fields` has joined, before the signature.

    Raises:
        ValueError: it was not made so.
    """
    fields, at, end = [], 0, len(paper) - _SIGNATURE_SIZE
    while at < end:
        size = int.from_bytes(paper[at : at + 4], "big")
        if at + 4 + size > end:
            raise ValueError("a field is longer than the paper")
        fields.append(paper[at + 4 : at + 4 + size])
        at += 4 + size
        if len(fields) > 7 + 2 * MAX_ENTRIES:
            raise ValueError("there are too many fields")
    return fields


def _check(paper: bytes, again: bytes, key: bytes, words: str) -> None:
    text, signature = paper[:-_SIGNATURE_SIZE], paper[-_SIGNATURE_SIZE:]
    if text != again or not verify(key, signature, text):
        raise ProtocolError(words)
