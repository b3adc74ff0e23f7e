"""What the threads of an engine put into the inbox of its hub. Pure."""

from dataclasses import dataclass

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Left
from lanchat.server.engine.entries import LogRecord
from lanchat.server.engine.shared_log import Entered, Position
from lanchat.server.session import EngineItem


@dataclass(frozen=True)
class Fed(EngineItem):
    """The next records of the shared log, each with its place and its key."""

    records: list[tuple[Position, str, LogRecord]]


@dataclass(frozen=True)
class Answered(EngineItem):
    """The call that was under way is over: each of its proposals stands at its place, and is on the engine's disk."""

    positions: list[Position]


@dataclass(frozen=True)
class Outdated(EngineItem):
    """The call that was under way is over, and nothing of it has happened: another host has changed the rules."""


@dataclass(frozen=True)
class Leaving(EngineItem):
    """A member has no session here any more.

    Args:
        left: a draft, for where they have none at another host.
    """

    left: Left


@dataclass(frozen=True)
class Paused(EngineItem):
    """The engine takes nothing now, for this reason; "": it does again."""

    why: str


@dataclass(frozen=True)
class EnteredAgain(EngineItem):
    """The lease of this host was over, because it stood still for too long, and it has entered the room again."""

    entered: Entered


@dataclass(frozen=True)
class Ended(EngineItem):
    """This computer cannot host the room any more."""

    error: LanchatError
