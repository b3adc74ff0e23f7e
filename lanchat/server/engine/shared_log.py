"""The interface of a log that several hosts of one room share, at a server called the engine. Pure.

The engine numbers what hosts propose, and stores it. A host delivers only what it reads back. So all hosts have the
same order, and nobody hears what is not on the engine's disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from lanchat.errors import LanchatError
from lanchat.server.engine.state import Change, EngineState

CALL = 200  # entries in one call; the engine, which serves everybody, works 3 ms on them

# e: an event; r: an event that changes the rules (who is here, and who may what); k: another change of the rules;
# p: a private message; g: one that was delivered or dropped; x: the lease of a host is over (the engine says that)
Kind = Literal["e", "r", "k", "p", "g", "x"]


class Position(NamedTuple):
    """Where an entry stands: the number of the event, or of the last event before it, and a count of what follows."""

    seq: int
    sub: int = 0


BEGIN = Position(0)  # no entry stands up to there
Rules = Position | None | Literal["any"]  # the last change of the rules; None: there is none


class Proposal(Struct, frozen=True):  # one for each message, as `Entry`
    """An entry that has no position yet.

    Args:
        key: proposals with the same key are the same.
        changes: of the state that the engine gives to a host which enters; see state.py.
    """

    kind: Kind
    key: str
    body: bytes
    changes: tuple[Change, ...] = ()


class Entry(Struct, frozen=True):  # each host makes one of each event; a dataclass takes ten times as long
    """An entry of the shared log. Its body is as hostile as any other bytes from outside."""

    position: Position
    kind: Kind
    body: bytes
    key: str = ""  # of what has no id of its own


@dataclass(frozen=True)
class Entered:
    """The answer to `SharedLog.enter`.

    Args:
        lease: the number of its lease, higher than any before it.
        position: of the last entry; the host has to read up to there.
        rules: of the last change of the rules; None: there was none.
        base: entries up to this seq are not there.
        clock: ms since 1970, by the engine.
        living: the leases of all hosts.
        is_new: the room begins there now.
        state: what the engine keeps of the room besides its log, as of `position`.
    """

    lease: int
    position: Position
    rules: Position | None
    base: int
    clock: int
    living: tuple[int, ...] = ()
    is_new: bool = False
    state: EngineState = field(default_factory=EngineState)


@dataclass(frozen=True)
class Beat:
    """The answer to `SharedLog.beat`.

    Args:
        entries: the number of entries at the engine.
        living: all hosts of the room.
        base: entries up to this seq are not there.
    """

    clock: int
    entries: int
    living: "tuple[Living, ...]"
    base: int = 0


@dataclass(frozen=True)
class Living:
    """A host of the room, as the engine knows it.

    Args:
        left: s until its lease ends; not positive: it has ended.
    """

    host: str
    lease: int
    left: float
    facts: bytes


class EngineAway(LanchatError):
    """The engine does not answer now. The call may have taken effect, and can be repeated."""


class Fenced(LanchatError):
    """Another start of this host has entered the room since, or this one cannot enter again. It has to end."""


class LeaseOver(LanchatError):
    """This host was silent for too long and counts as gone. It may enter again, with a new lease."""


class EngineLost(LanchatError):
    """The engine has less than was read from it before: it has lost a part of the room."""


class Stale(LanchatError):
    """The rules of the room have changed since the host decided this. It has to read on and decide again."""


class Behind(LanchatError):
    """This host has not read enough to propose anything. It has to read on and propose it again."""


class SharedLog(Protocol):
    """One room at an engine. `read` is for one thread, and all else for one other thread.

    Every method but `close` raises EngineAway when the engine does not answer, and may be called again then.
    """

    @property
    def name(self) -> str:
        """The name of the engine for people, such as "Redis at box:6379"."""

    @property
    def host(self) -> str:
        """The member id of this computer."""

    def enter(self, floor: int, *, known: bool, facts: bytes = b"", state: Sequence[Change] = ()) -> Entered:
        """Enter the room, and create it if the engine does not have it.

        Args:
            floor: the last seq that this host has.
            known: whether that came from this engine. If not, and the engine has less, the room begins again above it.
            facts: about this host, for the others.
            state: of a room that begins.

        Raises:
            EngineLost: it has less of the room than this host got from it.
            LanchatError: the engine may lose what it is given, or the room is another owner's.
        """

    def beat(self, read: int, facts: bytes = b"") -> Beat:
        """Renew the lease, each second, and end those of others that were not renewed in time.

        Args:
            read: the last seq that this host has read.

        Raises:
            EngineLost: the engine has less than that.
            Fenced, LeaseOver: the lease is void.
        """

    def append(
        self, proposals: Sequence[Proposal], read: int, known: Position = BEGIN, rules: Rules = "any"
    ) -> Position:
        """Append these entries, but those that stand after `known` already. At most CALL.

        So each is one entry, however often and by however many hosts it is proposed.

        Args:
            read: as for `beat`.
            known: none of them is an entry up to this position.
            rules: that they were decided by; "any": they depend on none.

        Returns:
            The position up to which this host knows every entry now: behind its own, if those follow `known` directly.

        Raises:
            EngineLost, Fenced, LeaseOver: as for `beat`.
            Stale: the rules have changed since, and nothing was appended.
            Behind: too many entries follow `known`, and nothing was appended.
        """

    def fill(self, entries: Sequence[Entry], read: int, base: int) -> None:
        """Give the engine what was there before the room began there. Only before anything is appended. At most CALL.

        Args:
            entries: the next ones, up to the position at which the room begins.
            base: what comes before this seq is not given.
        """

    def private(self) -> Sequence[bytes]:
        """The last state of each private message, as long as the engine keeps it, in no order."""

    def read(self, after: Position, limit: int, wait: float = 0.0) -> list[Entry]:
        """The next entries after this position, in order; if there are none, the first that come within `wait` s.

        Args:
            limit: events that were appended in one call may count as one entry.
        """

    def page(self, after: int, limit: int) -> list[Entry]:
        """The first entries that there are after the event `after`. `limit`: as for `read`."""

    def trim(self, upto: int, finished: Sequence[str]) -> None:
        """Drop every entry up to this event.

        Args:
            finished: keys of the private messages among them that were delivered or dropped.
        """

    def close(self) -> None:
        """May be called twice."""
