"""Checks the answers of an engine, which are as hostile as anything else from outside. Pure."""

from collections.abc import Sequence
from typing import get_args

from lanchat.errors import LanchatError
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.server.engine.shared_log import Beat, Entered, Entry, Kind, Living, Position
from lanchat.server.engine.state import EngineState, read_state

_KINDS: dict[bytes, Kind] = {kind.encode(): kind for kind in get_args(Kind)}
_MAX_HOSTS = 100  # that have ever entered a room
_MAX_FACTS = 4096  # bytes that one of them tells about itself
_MAX_KEY = 1024  # bytes of the key of an entry
_DIGITS = len(str(MAX_NUMBER))


def entered_of(reply: object) -> Entered:
    """Read the reply to a host that has entered a room.

    Raises:
        LanchatError: no engine answers that.
    """
    lease, seq, sub, rules, base, clock, is_new, living, table = _parts(reply, 9)
    known = None if rules == b"" else position_of(rules)
    position = Position(_number(seq), _number(sub))
    leases = tuple(map(_number, _list(living)))
    state = _state_of(_list(table))
    return Entered(
        _number(lease), position, known, _number(base), _number(clock), leases, is_new=is_new == b"1", state=state
    )


def beat_of(reply: object) -> Beat:
    """Read the reply to a host that has renewed its lease. Raises as `entered_of`."""
    if not isinstance(reply, list) or len(reply) % 4 != 3 or len(reply) > 4 * _MAX_HOSTS:
        raise _strange()
    found = []
    for at in range(3, len(reply), 4):
        host, lease, left, facts = reply[at : at + 4]
        if not (isinstance(host, bytes) and host.isascii() and len(host) <= 64):
            raise _strange()
        if not (isinstance(facts, bytes) and len(facts) <= _MAX_FACTS):
            raise _strange()
        ended = isinstance(left, bytes) and left.startswith(b"-")
        ms = _number(left[1:] if ended and isinstance(left, bytes) else left)
        found.append(Living(host.decode(), _number(lease), (-ms if ended else ms) / 1000, facts))
    return Beat(_number(reply[0]), _number(reply[1]), tuple(found), _number(reply[2]))


def places_of(reply: object, number: int) -> frozenset[int]:
    """Read which of this number of proposals are there already: their places, from 1 on. Raises as `entered_of`."""
    places = _list(reply)
    found = frozenset(place for place in places if isinstance(place, int) and 1 <= place <= number)
    if not found or len(found) != len(places):
        raise _strange()
    return found


def position_of(id: object) -> Position:
    """Read the id of an entry. Raises as `entered_of`."""
    if not isinstance(id, bytes):
        raise _strange()
    seq, _, sub = id.partition(b"-")
    if sub == b"0" and seq.isdigit() and len(seq) < _DIGITS:  # nearly all: an event
        return Position(int(seq))
    return Position(_number(seq), _number(sub))


def stream_of(reply: object, after: Position) -> list[Entry]:
    """The entries of XREAD of one stream; see `entries_of`."""
    if reply is None:
        return []
    [stream] = _parts(reply, 1)
    return entries_of(_parts(stream, 2)[1], after)


def entries_of(reply: object, after: Position) -> list[Entry]:
    """Read the entries of XRANGE, each by itself. Raises as `entered_of`.

    Args:
        after: the position after which they were asked for. The first of them may have begun before it.
    """
    if not isinstance(reply, list):
        raise _strange()
    found: list[Entry] = []
    try:
        for id, fields in reply:
            if not isinstance(fields, list) or len(fields) < 2:
                raise _strange()
            if fields[0] == b"e" and isinstance(fields[1], bytes):
                found += _together(position_of(id), fields[1], after)
            else:
                found.append(_entry(id, fields))
    except (TypeError, ValueError):  # no pairs
        raise _strange() from None
    return found


def _together(last: Position, bodies: bytes, after: Position) -> list[Entry]:
    """Read events that were appended together, under the position of the last, without those read before."""
    lines = bodies.split(b"\n")
    first = last.seq - len(lines) + 1
    if len(lines) == 1:
        return [Entry(last, "e", bodies)]
    if first < 1 or last.sub:
        raise _strange()
    if first <= after.seq < last.seq:
        del lines[: after.seq + 1 - first]
        first = after.seq + 1
    return [Entry(Position(seq), "e", line) for seq, line in enumerate(lines, first)]


def _entry(id: object, fields: Sequence[object]) -> Entry:
    kind, body = _KINDS.get(fields[0]) if isinstance(fields[0], bytes) else None, fields[1]
    if kind is None or not isinstance(body, bytes):
        raise _strange()
    if len(fields) != 4:
        return Entry(position_of(id), kind, body)
    key = fields[3]
    if not (isinstance(key, bytes) and len(key) <= _MAX_KEY):
        raise _strange()
    return Entry(position_of(id), kind, body, key.decode(errors="replace"))


def values_of(reply: object) -> list[bytes]:
    """The values of HGETALL. Raises as `entered_of`."""
    values = [value for value in _list(reply)[1::2] if isinstance(value, bytes)]
    if 2 * len(values) != len(_list(reply)):
        raise _strange()
    return values


def _state_of(table: Sequence[object]) -> EngineState:
    texts = [value for value in table if isinstance(value, bytes)]
    if len(texts) != len(table) or len(table) % 2:
        raise _strange()
    return read_state(dict(zip(texts[::2], texts[1::2], strict=True)))


def _list(reply: object) -> Sequence[object]:
    if not isinstance(reply, list):
        raise _strange()
    return reply


def _parts(reply: object, number: int) -> Sequence[object]:
    if not isinstance(reply, list | tuple) or len(reply) != number:
        raise _strange()
    return reply


def _number(value: object) -> int:
    if not (isinstance(value, bytes) and value.isdigit() and len(value) <= _DIGITS and int(value) <= MAX_NUMBER):
        raise _strange()
    return int(value)


def _strange() -> LanchatError:
    return LanchatError(
        "What answers in the place of this room's engine is something else: its answer has another form."
    )
