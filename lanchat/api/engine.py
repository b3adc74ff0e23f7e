"""Hosting a room whose numbers come from an engine, a Redis or Valkey server. Loaded only where that is wanted."""

from collections.abc import Callable
from functools import partial

from lanchat.errors import LanchatError
from lanchat.protocol.delegation import read_delegation
from lanchat.protocol.text import last_argument, safe_text
from lanchat.protocol.timing import Timing
from lanchat.server.engine.address import EngineChoice
from lanchat.server.engine.hub import EngineHub
from lanchat.server.engine.log import EngineLog
from lanchat.storage.delegations import read_appointed
from lanchat.storage.identity import Identity
from lanchat.storage.retention import parse_retention
from lanchat.storage.rooms import RoomFolder
from lanchat.threads import now_ms

_INSTALL = (
    "Install it: pip install 'redis[hiredis]'   Where lanchat came by pipx: pipx inject lanchat-rooms 'redis[hiredis]'"
)


def open_engine(
    engine: EngineChoice,
    folder: RoomFolder,
    identity: Identity,
    on_problem: Callable[[str], None],
    over: Callable[[], None],
    timing: Timing,
) -> tuple[EngineLog, Callable[..., EngineHub]]:
    """Open the log of a room on an engine. Returns it with the function that makes its hub.

    Args:
        over: called from the hub thread when this computer hosts the room no more.

    Raises:
        LanchatError: redis-py is missing, or standbys may host the room.
    """
    load_redis()
    from lanchat.server.engine.redis_log import RedisLog

    if _standbys_of(folder, identity):
        title = safe_text(folder.about.title)
        raise LanchatError(
            f'Other computers may host "{title}" as standbys, and no two may number its messages.',
            f"End that first:  lanchat host {last_argument(title)}  and there  /standbys off",
        )
    shared = RedisLog(
        engine.address, folder.about.id, identity.id, identity.id, trusted=engine.is_durable, timing=timing
    )
    keep = parse_retention(folder.about.keep)
    log = EngineLog(
        folder.log_path,
        shared,
        restore=engine.restore,
        bans=folder.about.bans,
        locked=folder.about.locked,
        keep=keep,
        on_damage=on_problem,
        timing=timing,
    )
    return log, partial(EngineHub, say=on_problem, over=over)


def load_redis() -> None:
    """Load redis-py, which is installed only where a room is on an engine.

    Raises:
        LanchatError: redis-py is missing.
    """
    try:
        import lanchat.server.engine.redis_server  # noqa: F401
    except ImportError:
        raise LanchatError("--engine redis:// needs the Python package redis.", _INSTALL) from None


def _standbys_of(folder: RoomFolder, identity: Identity) -> bool:
    """Whether a list of standbys that is still valid lets other computers host the room."""
    paper = read_appointed(folder.path).paper
    named = read_delegation(paper, identity.public) if paper else None
    standbys = [one for one in named.standbys if one.role == "s"] if named is not None else []
    return named is not None and bool(standbys) and named.until > now_ms()
