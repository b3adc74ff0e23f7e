"""The rooms at an engine, by their titles: somebody else's, which this computer may host as well, and our own.

One title is to be one room there. So who opens a room first claims its title, until others can find the room.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lanchat.api.engine import load_redis
from lanchat.errors import LanchatError, TimedOut
from lanchat.protocol.engine import EngineRoom
from lanchat.protocol.ids import fingerprint, member_id
from lanchat.protocol.text import grouped, safe_text, same_title
from lanchat.protocol.timing import Timing
from lanchat.server.engine.address import EngineAddress
from lanchat.server.engine.cohosts import Commands, claim, release, rooms
from lanchat.storage.identity import Identity
from lanchat.storage.known_hosts import KnownHosts
from lanchat.storage.rooms import BESIDE, JOINED, rooms_called


@dataclass(frozen=True)
class RoomAtEngine:
    """Somebody else's room that this computer may host as well."""

    id: str
    about: EngineRoom


@contextmanager
def finding(
    address: EngineAddress,
    title: str,
    identity: Identity,
    home: Path,
    say: Callable[[str], None],
    timing: Timing,
    deadline: float | None = None,
) -> Iterator[RoomAtEngine | None]:
    """Find somebody else's room with this title, or this id, at an engine; None: there is none.

    Then nobody else opens one within the block, but waits until others can find ours.

    A room that this computer has hosted beside its owner before is waited for. If the engine has lost it, and its owner
    does not have it restored yet, we would open another room with its title, and its people would be in two.

    Args:
        say: called with a sentence that says what to wait for.
        deadline: by `time.monotonic()`, when waiting for the owner ends; None: never.

    Raises:
        TimedOut: the owner has not opened the room in time.
        LanchatError: the engine cannot be asked; or several rooms have this title; or that room had another owner.
    """
    commands = connect(address, timing)
    try:
        _wait_for_ours(commands, title, identity, home, say, deadline, timing)
        told, until = False, time.monotonic() + timing.engine_claim
        while True:
            first = claim(commands, title)  # before we look: who opens a room shows it before the title is free again
            found = _find(commands, title, identity, home)
            if found is not None or first:
                break
            if not told:
                told = True
                say(f'Somebody else is opening a room called "{safe_text(title)}" at this engine. Waiting for it.')
            if time.monotonic() >= until:  # that program has died
                release(commands, title)
            time.sleep(timing.beat)
        commands.close()  # it connects again by itself
        try:
            yield found
        finally:
            if first:
                with suppress(LanchatError):  # who comes next waits a little
                    release(commands, title)
    finally:
        commands.close()


def _wait_for_ours(
    commands: Commands,
    title: str,
    identity: Identity,
    home: Path,
    say: Callable[[str], None],
    deadline: float | None,
    timing: Timing,
) -> None:
    """If this computer has hosted somebody else's room with this title or id, wait until a room like that is there."""
    shown = [room.title for room in rooms_called(home, title, JOINED) if (home / BESIDE / room.id).exists()]
    told = False
    while shown and not others(commands, title, identity):
        if not told:
            told = True
            words = (
                f'The room "{safe_text(shown[0])}", which this computer has hosted before, is not at this engine now.'
            )
            say(f"{words} Waiting until its owner opens it there. (To open a room of your own: --new)")
        if deadline is not None and time.monotonic() >= deadline:
            raise TimedOut("The owner of the room has not opened it at this engine in time.")
        time.sleep(timing.beat)


def find_room(
    address: EngineAddress, title: str, identity: Identity, home: Path, timing: Timing
) -> RoomAtEngine | None:
    """The same, where nobody is kept from opening one meanwhile."""
    commands = connect(address, timing)
    try:
        return _find(commands, title, identity, home)
    finally:
        commands.close()


def _find(commands: Commands, title: str, identity: Identity, home: Path) -> RoomAtEngine | None:
    found = others(commands, title, identity)
    if len(found) > 1:
        ways = [f"that of {safe_text(one.about.nick)}:  lanchat host {one.id}" for one in found]
        raise LanchatError(
            f'Several rooms at this engine are called "{safe_text(title)}".', f"Name one by its id, {', '.join(ways)}"
        )
    for one in found:
        KnownHosts(home).check(one.id, fingerprint(one.about.owner), one.about.title)
    return found[0] if found else None


def others(commands: Commands, title: str, identity: Identity) -> list[RoomAtEngine]:
    """The rooms of others at an engine that have this title, or this id."""
    return [
        RoomAtEngine(id, room)
        for id, room in rooms(commands).items()
        if (id == title or same_title(room.title) == same_title(title)) and room.owner != identity.public
    ]


def twin_text(twin: RoomAtEngine, engine: str) -> str:
    """For an owner whose room has the title of somebody else's at the same engine.

    Args:
        engine: its address, without a password.
    """
    title, nick = safe_text(twin.about.title), safe_text(twin.about.nick)
    told = f'Another room called "{title}" is at this engine: that of {nick}, with the fingerprint'
    host = f"To host that one as well, leave and enter: lanchat host {twin.id} --engine {engine}"
    return f"{told} {grouped(member_id(twin.about.owner))}. {host}   Or give yours another title."


def connect(address: EngineAddress, timing: Timing) -> Commands:
    load_redis()
    from lanchat.server.engine.redis_server import RedisServer

    return RedisServer(address, None, timing)
