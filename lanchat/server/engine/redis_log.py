"""A shared log at a Redis or Valkey server, by the functions of functions.lua."""

from collections.abc import Sequence
from importlib import metadata

from lanchat.errors import LanchatError
from lanchat.protocol.messages import VERSION
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.server.engine.address import EngineAddress
from lanchat.server.engine.calls import write_key, write_proposals
from lanchat.server.engine.redis_server import RedisServer, ServerRefused
from lanchat.server.engine.replies import (
    beat_of,
    entered_of,
    entries_of,
    places_of,
    position_of,
    stream_of,
    values_of,
)
from lanchat.server.engine.shared_log import (
    BEGIN,
    Beat,
    Behind,
    EngineLost,
    Entered,
    Entry,
    Fenced,
    LeaseOver,
    Position,
    Proposal,
    Rules,
    Stale,
)
from lanchat.server.engine.state import Change, write_changes
from lanchat.threads import Closable

_KEYS = ("log", "private", "meta", "hosts", "leases", "state")


class RedisLog(Closable):
    """A `SharedLog` (shared_log.py) at a Redis or Valkey server.

    Args:
        host: the member id of this computer.
        owner: the member id of whose room it is.
        trusted: the server's operator has confirmed that it writes at once.
    """

    def __init__(
        self,
        address: EngineAddress,
        room: str,
        host: str,
        owner: str,
        *,
        trusted: bool = False,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self._keys = [f"{{lanchat:{room}}}:{key}" for key in _KEYS]
        meta = self._keys[_KEYS.index("meta")]
        self._caller = RedisServer(address, meta, timing, trusted=trusted)  # of the thread that calls
        self._reader = RedisServer(address, None, timing)  # of the thread that reads
        self.name = self._caller.name
        self.host, self._owner, self._lease = host, owner, "0"
        self._table = f"{VERSION} {metadata.version('confusable-homoglyphs')}"  # by which nicks are compared

    def enter(self, floor: int, *, known: bool, facts: bytes = b"", state: Sequence[Change] = ()) -> Entered:
        about = (self.host, self._owner, self._table)
        arguments = (*about, str(floor), str(int(known)), facts, write_changes(state))
        entered = entered_of(self._call("enter", *arguments, read=floor))
        self._lease = str(entered.lease)
        return entered

    def beat(self, read: int, facts: bytes = b"") -> Beat:
        return beat_of(self._call("beat", self.host, self._lease, str(read), facts, read=read))

    def append(
        self, proposals: Sequence[Proposal], read: int, known: Position = BEGIN, rules: Rules = "any"
    ) -> Position:
        decided_by = "" if rules == "any" else "-" if rules is None else f"-{_id(rules)}"
        about = (self.host, self._lease, str(read), _id(known), decided_by)
        left = list({proposal.key: proposal for proposal in proposals}.values())
        while left:  # once, and once more if some are there already
            reply = self._call("append", *about, *write_proposals(left), read=read)
            if isinstance(reply, bytes):
                return position_of(reply)
            there = places_of(reply, len(left))
            left = [proposal for place, proposal in enumerate(left, 1) if place not in there]
        return known

    def fill(self, entries: Sequence[Entry], read: int, base: int) -> None:
        fields = [field for e in entries for field in (_id(e.position), e.kind, write_key(e), e.body)]
        sub = str(entries[-1].position.sub)
        self._call("fill", self.host, self._lease, str(read), str(base), sub, *fields, read=read)

    def private(self) -> Sequence[bytes]:
        return values_of(self._caller.run("HGETALL", self._keys[_KEYS.index("private")]))

    def read(self, after: Position, limit: int, wait: float = 0.0) -> list[Entry]:
        log = self._keys[0]
        if wait <= 0:
            return entries_of(self._reader.run("XRANGE", log, f"({_id(after)}", "+", "COUNT", limit), after)
        block = max(1, round(wait * 1000))
        return stream_of(self._reader.run("XREAD", "COUNT", limit, "BLOCK", block, "STREAMS", log, _id(after)), after)

    def page(self, after: int, limit: int) -> list[Entry]:
        place = Position(after)
        return entries_of(self._caller.run("XRANGE", self._keys[0], f"({_id(place)}", "+", "COUNT", limit), place)

    def trim(self, upto: int, finished: Sequence[str]) -> None:
        self._call("trim", self.host, self._lease, str(upto), *finished, read=upto)

    def close(self) -> None:
        self._caller.close()
        self._reader.close()

    def _call(self, function: str, *arguments: str | bytes | int, read: int) -> object:
        try:
            return self._caller.run("FCALL", f"lanchat1_{function}", len(self._keys), *self._keys, *arguments)
        except ServerRefused as error:
            raise self._in_words(error, read) from None

    def _in_words(self, error: ServerRefused, read: int) -> LanchatError:
        code, _, said = error.words.partition(" ")
        match code:
            case "FENCED":
                words = "This computer does not host the room any more: another one hosts it by the same key."
                return Fenced(words)
            case "OVER":
                return LeaseOver("This computer did not answer for too long, so it counts as gone.")
            case "STALE":
                return Stale("The rules of the room have changed meanwhile.")
            case "BEHIND":
                return Behind("This computer has to read on first.")
            case "LOST":
                seq = position_of(f"{said}-0".encode()).seq
                what = f"{self.name} has lost a part of this room: it ends at message {seq:,}"
                what = f"{what}, and this computer has {read:,}."
                return EngineLost(what, _LOST if self.host == self._owner else _LOST_BESIDE)
            case "TABLE":
                what = "This room is hosted by another version of lanchat, which compares nicks differently."
                return LanchatError(what, "Use the same version on all hosts.")
            case "ABSENT":
                what = f"{self.name} does not have this room yet, or less of it than this computer."
                return LanchatError(what, "The owner of the room has to host it there first.")
            case "OWNER":
                return LanchatError(f"{self.name} keeps a room of somebody else under this id.")
        return error


def _id(position: Position) -> str:
    return f"{position.seq}-{position.sub}"


_LOST = "Repair its file. Or let the room begin there again, with all that this computer has of it: --restore"
_LOST_BESIDE = "The owner of the room can let it begin there again, with --restore."
