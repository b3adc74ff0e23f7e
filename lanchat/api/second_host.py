"""Hosts somebody else's room on an engine, beside its owner."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Unpack

from lanchat.api.doors import Doors, door_options
from lanchat.api.engine_hosting import BesideFolder, EngineHosting, wait_for_owner
from lanchat.api.engine_rooms import RoomAtEngine
from lanchat.api.hosted import HostedRoom
from lanchat.api.hosting import Hosting
from lanchat.api.joining import default_nick
from lanchat.api.opening import LocalUser, OwnMember
from lanchat.api.web import WebAccess
from lanchat.network.addresses import where
from lanchat.protocol.engine import Asking
from lanchat.protocol.ids import member_id
from lanchat.protocol.limits import DEFAULT_FILE_LIMITS, DEFAULT_LIMITS, FileLimits, Limits
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.server.engine.address import EngineChoice
from lanchat.server.engine.hub import EngineHub
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.host import Host
from lanchat.storage.blobs import Blobs
from lanchat.storage.home import home_folder
from lanchat.storage.identity import load_identity
from lanchat.storage.member_store import EngineStore
from lanchat.storage.rooms import FILES


def host_beside(
    room: RoomAtEngine,
    engine: EngineChoice,
    *,
    nick: str | None = None,
    announce: bool = True,
    password: str | None = None,
    files: FileLimits = DEFAULT_FILE_LIMITS,
    limits: Limits = DEFAULT_LIMITS,
    interfaces: tuple[str, ...] | None = None,
    on_problem: Callable[[str], None] = lambda problem: None,
    say: Callable[[str], None] = lambda text: None,
    deadline: float | None = None,
    drop_oldest: bool = True,
    timing: Timing = DEFAULT_TIMING,
    **doors: Unpack[Doors],
) -> HostedRoom:
    """Wait until the owner of this room has accepted this computer, and host it as well.

    Args:
        say: called with a sentence that says what to wait for.
        deadline: by `time.monotonic()`, when waiting ends; None: never.
        password: of the room. The other hosts do not give it to this one; its person has to.
        files: the limits of the files that come to this host, which the others do not have.
        nick, announce, limits, interfaces, on_problem, drop_oldest, timing, doors: as for `hosted.host`.

    Raises:
        TimedOut: the owner has not accepted it in time.
        Refused: the room has a password and none was given, or the other way round.
        LanchatError: as for `hosted.host`.
    """
    on = where(interfaces)
    nick = nick or default_nick()
    home = home_folder()
    identity = load_identity(home)
    user = LocalUser(home, identity, nick, password, on, on_problem, drop_oldest, timing)
    with ExitStack() as undo:
        folder = undo.enter_context(BesideFolder(home, room))
        asking = Asking(identity.public, folder.instance, nick)
        papers = wait_for_owner(room, engine.address, asking, say, deadline, timing)
        together = EngineHosting(engine.address, room, identity, on_problem, timing, papers=papers)
        check = together.check_password(nick, password)
        if check is not None:
            undo.callback(check.close)
        owner = member_id(papers.owner)
        shared = RedisLog(engine.address, room.id, identity.id, owner, trusted=engine.is_durable, timing=timing)
        blobs = Blobs(folder.path / FILES, files) if files.total else None
        if blobs is not None:
            undo.callback(blobs.close)
        access = WebAccess(on, has_password=password is not None, names=doors.get("web_names", ()))
        server = Host(
            room.about.title,
            identity,
            nick=nick,
            room_id=room.id,
            doors=door_options(doors, access, on_problem),
            on=on,
            password=password,
            blobs=blobs,
            log=EngineLog(folder.log, shared, on_damage=on_problem, timing=timing),
            beside=together.beside,
            make_hub=partial(EngineHub, say=on_problem, over=together.over),
            limits=limits,
            timing=timing,
        )
        undo.callback(server.close)
        access.belong_to(server)
        server.start(accept=False)
        hosting = Hosting(
            server, papers.owner, on, [folder, *([blobs] if blobs is not None else [])], announce=announce, web=access
        )
        undo.callback(hosting.close)
        own = OwnMember(user, hosting, lambda card: EngineStore(home, card, on_problem))
        connected = own.enter(undo, check)
        together.begin(hosting, lambda: user.nick_now, own.keeper.yielded)
        undo.pop_all()
    return HostedRoom(own.member, connected, user.state, standby=own.keeper)
