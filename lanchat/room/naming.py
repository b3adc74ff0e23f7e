"""Decides which computers the owner's program names as standbys. Pure.

It keeps three standbys connected: the sync standby, one to replace it, and one more in case both leave together. An
index can never be used again (protocol/delegation.py). So computers that have one come first, and then members whom the
room has known longest; a newcomer has to stay for a minute, because many only look in. A standby that goes away stays
named, and is a standby again the next day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lanchat.protocol.delegation import MAX_STANDBYS, Standby
from lanchat.protocol.text import safe_text
from lanchat.protocol.timeline import MAX_INDEX

CONNECTED = 3  # standbys that are there at the same time
NEWCOMER = 60.0  # s in the room, after which the computer of a newcomer may be named
AUTOMATIC = 56  # the last index that is given automatically: 7 are left for the owner's own choice

PER_KEY = 3  # computers of one key, so that one person with ever new ones cannot use up all indexes

Computer = tuple[bytes, bytes]  # key and instance: one key on two computers is two


@dataclass(frozen=True)
class Candidate:
    """A computer that may be a standby: a person sits at it, it is not banned, and its port can be reached.

    Args:
        known: ms since 1970, when this key was first in the room, if that was on an earlier day; else 0.
        here: s since it came.
    """

    computer: Computer
    known: int
    here: float


def choose(
    named: Sequence[Standby],
    indexes: Mapping[Computer, int],
    away: Mapping[int, float],
    candidates: Sequence[Candidate],
    newcomer: float = NEWCOMER,
) -> tuple[Standby, ...]:
    """The standbys to name now, automatically.

    Args:
        named: the standbys of the current delegation.
        indexes: all that were ever given in this room.
        away: s since each of those named went away, by index.
        candidates: the computers that are here, standbys among them.
        newcomer: s in the room, after which the computer of a newcomer may be named.

    Returns:
        The standbys of the next delegation, by index; the same as `named` where nothing is to be changed.
    """
    chosen = {(one.key, one.instance): one for one in named}
    here = sum(one.index not in away for one in named)
    given = dict(indexes)
    for candidate in sorted(candidates, key=lambda one: _order(one, indexes)):
        if here >= CONNECTED:
            break
        if candidate.computer in chosen or not _may_be_named(candidate, given, newcomer):
            continue
        index = given.get(candidate.computer) or _next_index(given, AUTOMATIC)
        if index is None:
            continue
        if len(chosen) >= MAX_STANDBYS:
            longest = max((one for one in chosen.values() if one.index in away), key=lambda one: away[one.index])
            del chosen[longest.key, longest.instance]
        given[candidate.computer] = index
        chosen[candidate.computer] = Standby(index, *candidate.computer)
        here += 1
    return tuple(sorted(chosen.values(), key=lambda one: one.index))


def appoint(computers: Sequence[Computer], indexes: Mapping[Computer, int]) -> tuple[Standby, ...]:
    """Name exactly these, as the owner asked.

    Raises:
        ValueError: with the reason, as a sentence.
    """
    if len(computers) > MAX_STANDBYS:
        raise ValueError(f"A room has at most {MAX_STANDBYS} standbys.")
    given = dict(indexes)
    for computer in computers:
        index = given.get(computer) or _next_index(given, MAX_INDEX)
        if index is None:
            raise ValueError(f"This room has named {MAX_INDEX} computers in its life, and cannot name another one.")
        given[computer] = index
    return tuple(sorted((Standby(given[one], *one) for one in computers), key=lambda one: one.index))


def computers_of(keys: Sequence[bytes], named: Sequence[Standby], indexes: Mapping[Computer, int]) -> list[Computer]:
    """The computers with these keys that the owner can name without having asked them: those that had an index once.

    Args:
        named: the current list. Of a key with several computers, the one in the list is meant, else the latest.

    Raises:
        KeyError: one key never had one.
    """
    latest = {computer[0]: computer for computer in sorted(indexes, key=lambda computer: indexes[computer])}
    latest |= {one.key: (one.key, one.instance) for one in named}
    return [latest[key] for key in dict.fromkeys(keys)]


def whom_to_ask(
    wanted: int, keys: Mapping[bytes, tuple[int, float]], indexes: Mapping[Computer, int], newcomer: float = NEWCOMER
) -> list[bytes]:
    """The members whose computers to ask to become standbys, in the order in which they would be named.

    No more are asked than needed, because each of them opens a port.

    Args:
        wanted: how many are needed.
        keys: of those who are here and were not asked yet: `Candidate.known` and `Candidate.here` of each.
    """
    had = {key for key, _ in indexes}
    able = [key for key, (known, here) in keys.items() if key in had or known or here >= newcomer]
    able.sort(key=lambda key: (key not in had, keys[key][0] or _NEVER, -keys[key][1]))
    return able[: max(0, wanted)]


def why_not(nick: str, *, declined: bool = False, blocked: int = 0, silent: bool = False) -> str:
    """Why a computer that the owner has asked for is no standby, as a sentence; "": it may become one.

    Args:
        nick: of its person.
        declined: it has said that it does not want to be one.
        blocked: its port, if that cannot be reached.
        silent: it has said nothing for a while.
    """
    nick = safe_text(nick)
    if declined:
        return f"{nick} does not want that computer to be a standby, or it cannot be one now."
    if blocked:
        return f"The port {blocked} of {nick}'s computer cannot be reached: a firewall may block it."
    return f"{nick}'s computer does not say whether it can be a standby." if silent else ""


def _order(candidate: Candidate, indexes: Mapping[Computer, int]) -> tuple[bool, int, int, float]:
    index = indexes.get(candidate.computer, 0)
    return not index, index, candidate.known or _NEVER, -candidate.here


_NEVER = 1 << 62  # ms; newcomers come after all members who are known


def _may_be_named(candidate: Candidate, indexes: Mapping[Computer, int], newcomer: float) -> bool:
    if candidate.computer in indexes:
        return True
    key, _ = candidate.computer
    return (bool(candidate.known) or candidate.here >= newcomer) and sum(key == other for other, _ in indexes) < PER_KEY


def _next_index(given: Mapping[Computer, int], last: int) -> int | None:
    index = max(given.values(), default=0) + 1
    return index if index <= last else None
