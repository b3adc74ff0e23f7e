"""The state of a room that an engine stores besides the log, for hosts that enter: people, owners, bans, lock. Pure.

It is a table of names and values. Each entry of the log that changes it says how, and the engine does both in one step.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct, structs

from lanchat.errors import ProtocolError
from lanchat.protocol.messages import Present
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.standby import Owned
from lanchat.protocol.status import Status

Change = tuple[str, bytes]  # a name and its value from now on; b"": none

_LOCKED = "locked"


class Person(Struct, frozen=True):
    """Somebody in the room, and the leases of the hosts that they have sessions at."""

    present: Present
    leases: tuple[int, ...]


@dataclass(frozen=True)
class EngineState:
    """The state of a room at its engine, apart from the log.

    Args:
        owners: those of nicks, the first who used one first.
    """

    people: tuple[Person, ...] = ()
    owners: tuple[Owned, ...] = ()
    topic: str = ""
    bans: Mapping[str, str] = field(default_factory=dict)  # nick by banned member id
    locked: bool = False


_PERSON = msgspec.json.Decoder(Person)
_STATUS = msgspec.json.Decoder(Status)
_OWNED = msgspec.json.Decoder(Owned)


def read_state(table: Mapping[bytes, bytes]) -> EngineState:
    """Read the state of a room from the fields of its hash at the engine.

    Raises:
        ProtocolError: no host has written that.
    """
    people: dict[str, Person] = {}
    statuses: dict[str, Status] = {}
    owners: list[Owned] = []
    topic = ""
    bans: dict[str, str] = {}
    try:
        for raw, value in table.items():
            kind, _, name = raw.decode().partition(" ")
            match kind:
                case "in":
                    people[name] = _PERSON.decode(value)
                case "status":
                    statuses[name] = _STATUS.decode(value)
                case "owner":
                    owners.append(_OWNED.decode(value))
                case "topic":
                    topic = value.decode()
                case "ban":
                    bans[name] = value.decode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ProtocolError("It keeps of this room what no host can have written.") from None
    for name in people.keys() & statuses.keys():
        person, status = people[name], statuses[name]
        present = structs.replace(person.present, away=status.away, bot=status.bot)
        people[name] = Person(present, person.leases)
    owners.sort(key=lambda owned: owned.seq)
    return EngineState(tuple(people.values()), tuple(owners), topic, bans, _LOCKED.encode() in table)


def here(present: Present, leases: Iterable[int]) -> Change:
    """Somebody is in the room by these leases."""
    name = _name(present.id, present.nick)
    return f"in {name}", msgspec.json.encode(Person(present, tuple(sorted(leases))))


def owns(owned: Owned) -> Change:
    """Somebody owns this nick from now on. Its seq is anything that is higher for those who come later."""
    return f"owner {same_nick(owned.nick)}", msgspec.json.encode(owned)


def about(topic: str) -> Change:
    return "topic", topic.encode()


def stands(status: Status) -> Change:
    return f"status {_name(status.by, status.nick)}", msgspec.json.encode(status)


def gone(id: str, nick: str) -> tuple[Change, ...]:
    """Nobody of this id and nick is in the room."""
    name = _name(id, nick)
    return (f"in {name}", b""), (f"status {name}", b"")


def admitting(banned: Mapping[str, str], unbanned: Iterable[str], *, locked: bool) -> tuple[Change, ...]:
    """Who may enter from now on."""
    bans = [(f"ban {id}", nick.encode()) for id, nick in banned.items()]
    return (*bans, *((f"ban {id}", b"") for id in unbanned), (_LOCKED, b"1" if locked else b""))


def write_changes(changes: Sequence[Change]) -> str:
    """Changes as the functions of an engine read them."""
    if not changes:  # nearly always
        return ""
    flat = [part for name, value in changes for part in (name, value.decode())]
    return msgspec.json.encode(flat).decode()


def _name(id: str, nick: str) -> str:
    return f"{id} {same_nick(nick)}"
