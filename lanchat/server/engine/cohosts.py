"""What hosts keep at the engine besides the log: the owner's papers, which hosts are running, and who asks to host.

Everybody who may use the engine may write all of it, so nothing is believed because it stands there. Papers are signed
by the owner. Members look for a host at its addresses, and check its key. A computer that asks is shown to the owner
with a code.
"""

from typing import Protocol, TypeVar

from lanchat.errors import LanchatError, ProtocolError
from lanchat.protocol.delegation import MAX_STANDBYS
from lanchat.protocol.engine import Asking, EngineRoom, Present, read_dated, read_room, write_dated, write_room
from lanchat.protocol.ids import is_room_id, member_id
from lanchat.protocol.standby import MAX_PAPER
from lanchat.protocol.text import same_title
from lanchat.server.beside import HostPapers
from lanchat.threads import Closable

FRESH = 5000  # ms by the engine's clock: a host that has said nothing for so long is gone, as with a lease
ASKED = 15_000  # ms likewise, for a computer that asks to host: it may be busy while its person waits
MAX_ASKING = 20  # computers that ask at one time; more are a flood
MAX_ROOMS = 1000  # at one engine
_ROOMS = "{lanchat:rooms}"
_CLAIMED = "{lanchat:claimed}"  # titles whose rooms are just being opened, with how many programs want to

T = TypeVar("T", Asking, Present)


class Commands(Protocol):
    """A connection to an engine, for one thread."""

    def run(self, *command: str | bytes | int) -> object: ...
    def close(self) -> None: ...


class HostsAtEngine(Closable):
    """Owned by one thread at a time. Every method raises EngineAway when the engine does not answer."""

    def __init__(self, commands: Commands, room: str) -> None:
        self._commands, self._room = commands, room
        self._papers, self._asking, self._present = (f"{{lanchat:{room}}}:{key}" for key in ("papers", "asks", "there"))

    # ---- papers

    def publish(self, papers: HostPapers) -> None:
        """Store the owner's papers for the other hosts."""
        fields = ("owner", papers.owner, "delegation", papers.delegation, "record", papers.record)
        self._commands.run("HSET", self._papers, *fields)

    def papers(self) -> HostPapers | None:
        """The newest papers at the engine, whose signatures are not checked yet; None: there are none."""
        found = _hash_of(self._commands.run("HGETALL", self._papers), 3)
        if not {b"owner", b"delegation", b"record"} <= found.keys():
            return None
        if len(found[b"owner"]) != 32 or max(map(len, found.values())) > MAX_PAPER:
            raise _strange()
        return HostPapers(found[b"owner"], found[b"delegation"], found[b"record"])

    # ---- who hosts, and who asks to

    def appear(self, present: Present) -> None:
        """Say that this host is running. To be called each second."""
        self._write(self._present, member_id(present.place.key), present)

    def forget_room(self) -> None:
        """The room is closed: nobody finds it here, and nobody hosts it by what was signed, until it opens again."""
        self._commands.run("HDEL", _ROOMS, self._room)
        self._commands.run("HDEL", self._papers, "owner", "delegation", "record")

    def vanish(self, key: bytes) -> None:
        """Say that this host has ended."""
        self._commands.run("HDEL", self._present, member_id(key))

    def present(self) -> list[Present]:
        """The hosts that have said within `FRESH` ms that they are running."""
        found = self._read(self._present, Present, MAX_STANDBYS + 1, FRESH)
        return [one for id, one in found.items() if id == member_id(one.place.key)]

    def ask(self, asking: Asking) -> None:
        """Ask to be a host. To be called each second."""
        self._write(self._asking, member_id(asking.key), asking)

    def withdraw(self, key: bytes) -> None:
        """Ask no longer."""
        self._commands.run("HDEL", self._asking, member_id(key))

    def asking(self) -> list[Asking]:
        """The computers that have asked within `ASKED` ms, if the name of their entry belongs to their key."""
        found = self._read(self._asking, Asking, MAX_ASKING, ASKED)
        return [one for id, one in found.items() if id == member_id(one.key)]

    def _write(self, key: str, name: str, what: Asking | Present) -> None:
        self._commands.run("HSET", key, name, write_dated(self._now(), what))

    def _read(self, key: str, kind: type[T], most: int, fresh: int) -> dict[str, T]:
        """The entries that were written within the last `fresh` ms, by name. Older and unreadable ones are removed."""
        now = self._now()
        found: dict[str, T] = {}
        for name, value in _hash_of(self._commands.run("HGETALL", key)).items():
            at, what = read_dated(value, kind)
            if what is None or not -fresh < now - at < fresh:
                self._commands.run("HDEL", key, name)
            elif len(found) < most:
                found[name.decode("ascii", "replace")] = what
        return found

    def _now(self) -> int:
        match self._commands.run("TIME"):
            case [bytes() as seconds, bytes() as micros] if (
                seconds.isdigit() and micros.isdigit() and len(seconds) < 16
            ):
                return int(seconds) * 1000 + int(micros) // 1000
        raise _strange()

    def close(self) -> None:
        self._commands.close()


def announce(commands: Commands, id: str, room: EngineRoom) -> None:
    """Say that this room is at the engine, so that other computers find it by its title."""
    commands.run("HSET", _ROOMS, id, write_room(room))


def claim(commands: Commands, title: str) -> bool:
    """Claim this title before a room is opened. Returns whether nobody else has claimed it, in one step for all."""
    return commands.run("HINCRBY", _CLAIMED, same_title(title), 1) == 1


def release(commands: Commands, title: str) -> None:
    """The room is open, or is not opened."""
    commands.run("HDEL", _CLAIMED, same_title(title))


def rooms(commands: Commands) -> dict[str, EngineRoom]:
    """The rooms that are at the engine, by their ids."""
    found: dict[str, EngineRoom] = {}
    for id, value in _hash_of(commands.run("HGETALL", _ROOMS), MAX_ROOMS).items():
        room = read_room(value)
        if room is not None and is_room_id(id.decode("ascii", "replace")):
            found[id.decode()] = room
    return found


def _hash_of(reply: object, most: int = 10_000) -> dict[bytes, bytes]:
    """The fields of a reply to HGETALL.

    Raises:
        LanchatError: no engine answers that.
    """
    if not isinstance(reply, list) or len(reply) % 2 or len(reply) > 2 * most:
        raise _strange()
    pairs = dict(zip(reply[::2], reply[1::2], strict=True))
    if not all(isinstance(part, bytes) for pair in pairs.items() for part in pair):
        raise _strange()
    return pairs


def _strange() -> LanchatError:
    return ProtocolError("The engine gives out what nobody of lanchat has written there.")
