"""The items that the threads of an engine put into the inbox of the hub. Pure."""

from dataclasses import dataclass

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Left
from lanchat.server.engine.entries import LogRecord
from lanchat.server.engine.shared_log import Entered, Position
from lanchat.server.items import EngineItem


@dataclass(frozen=True)
class Fed(EngineItem):
    """The next records of the shared log, each with its position and its key."""

    records: list[tuple[Position, str, LogRecord]]


@dataclass(frozen=True)
class Answered(EngineItem):
    """The call that was under way has succeeded: all its proposals are on the engine's disk."""


@dataclass(frozen=True)
class Outdated(EngineItem):
    """The call that was under way has changed nothing, because another host had changed the rules before."""


@dataclass(frozen=True)
class TooEarly(EngineItem):
    """The call that was under way has changed nothing, because this host has to read on first."""


@dataclass(frozen=True)
class Leaving(EngineItem):
    """A member has no session here any more.

    Args:
        left: the draft of the event, if they have no session at another host either.
    """

    left: Left


@dataclass(frozen=True)
class Paused(EngineItem):
    """The engine takes nothing now, for this reason; "": it takes proposals again."""

    why: str


@dataclass(frozen=True)
class EnteredAgain(EngineItem):
    """The lease of this host ended because its computer stood still for too long. It has entered the room again."""

    entered: Entered


@dataclass(frozen=True)
class Ended(EngineItem):
    """This computer cannot host the room any more."""

    error: LanchatError
