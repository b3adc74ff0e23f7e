"""What numbers the messages of a room that is opened: this host alone, or an engine."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lanchat.api.opening import LocalUser, own_log
from lanchat.protocol.timeline import Timeline
from lanchat.server.beside import Beside
from lanchat.server.hub import Hub
from lanchat.storage.log import Log
from lanchat.storage.rooms import RoomFolder
from lanchat.threads import Closable

if TYPE_CHECKING:
    from lanchat.api.engine_hosting import EngineHosting
    from lanchat.server.engine.address import EngineChoice


@dataclass(frozen=True)
class Numbering:
    """What numbers the messages of a room and stores them: its host alone, or an engine together with other hosts.

    Args:
        together: what hosts it with others; None: this host is alone.
        check: our session at another host of the room, until our own host has let us in.
    """

    log: Log | None
    make_hub: Callable[..., Hub] = Hub
    together: "EngineHosting | None" = None
    check: Closable | None = None

    @property
    def beside(self) -> Callable[[Timeline], Beside] | None:
        """Makes what is known of the other hosts; None: there never are any."""
        return None if self.together is None else self.together.beside


def numbering_of(
    folder: RoomFolder | None,
    user: LocalUser,
    engine: "EngineChoice | None",
    undo: ExitStack,
    *,
    least_term: int,
    new_term: bool,
) -> Numbering:
    """What numbers and stores the messages of this room. Without a folder nothing is stored.

    Args:
        undo: gets what takes this back.
        least_term, new_term: as for `own_log`.
    """
    if folder is None:
        return Numbering(None)
    if engine is not None:
        return _number_by_engine(engine, folder, user, undo)
    return Numbering(own_log(folder, user.on_problem, user.timing, least_term, new_term=new_term))


def _number_by_engine(engine: "EngineChoice", folder: RoomFolder, user: LocalUser, undo: ExitStack) -> Numbering:
    """Put the room on an engine, after its password was compared with that of the other hosts."""
    from lanchat.api.engine import open_engine  # only rooms on an engine load it
    from lanchat.api.engine_hosting import owners_hosting

    say, timing = user.on_problem, user.timing
    together = owners_hosting(engine, folder, user.nick, user.identity, say, timing, password=bool(user.password))
    check = together.check_password(user.nick, user.password)
    if check is not None:
        undo.callback(check.close)
    return Numbering(*open_engine(engine, folder, user.identity, say, together.over, timing), together, check)
