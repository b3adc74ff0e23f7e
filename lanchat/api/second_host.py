"""Hosting somebody else's room beside its owner, on their engine."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial

from lanchat.api.dialer import Dialer
from lanchat.api.engine_hosting import BesideFolder, EngineHosting, RoomAtEngine, wait_for_owner
from lanchat.api.hosted import HostedRoom
from lanchat.api.hosting import Hosting
from lanchat.api.joining import default_nick
from lanchat.api.opening import member_doors, own_check, own_member
from lanchat.api.standby import Standby
from lanchat.api.web import WebAccess
from lanchat.client.state import RoomState
from lanchat.errors import Refused
from lanchat.network.addresses import where
from lanchat.protocol.delegation import read_delegation
from lanchat.protocol.engine import Asking
from lanchat.protocol.ids import fingerprint, member_id
from lanchat.protocol.limits import DEFAULT_LIMITS, Limits
from lanchat.protocol.messages import Card
from lanchat.protocol.text import safe_text
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.server.doors.irc.door import irc_doors
from lanchat.server.engine.address import EngineChoice
from lanchat.server.engine.hub import EngineHub
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.host import Host
from lanchat.storage.home import home_folder
from lanchat.storage.identity import load_identity
from lanchat.storage.member_store import MemberStore, PrivateStore


def host_beside(
    room: RoomAtEngine,
    engine: EngineChoice,
    *,
    nick: str | None = None,
    port: int | None = None,
    plain_port: int | None = None,
    irc_port: int | None = None,
    irc_tls_port: int | None = None,
    irc_password: str | None = None,
    web: bool = False,
    web_port: int | None = None,
    web_names: Collection[str] = (),
    announce: bool = True,
    password: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    interfaces: tuple[str, ...] | None = None,
    on_problem: Callable[[str], None] = lambda problem: None,
    say: Callable[[str], None] = lambda text: None,
    deadline: float | None = None,
    drop_oldest: bool = True,
    timing: Timing = DEFAULT_TIMING,
) -> HostedRoom:
    """Wait until the owner of this room has accepted this computer, and host it as well.

    Args:
        say: called with what is waited for.
        deadline: by `time.monotonic()`, when waiting ends; None: never.
        password: of the room; each host is told it by its person.
        nick, port, plain_port, irc_port, irc_tls_port, irc_password, web, web_port, web_names, announce, limits,
            interfaces, on_problem, drop_oldest, timing: as for `hosted.host`.

    Raises:
        TimedOut: the owner has not accepted it in time.
        Refused: the room has a password and none was given, or the other way round.
        LanchatError: as for `hosted.host`.
    """
    on = where(interfaces)
    nick = nick or default_nick()
    home = home_folder()
    identity = load_identity(home)
    with ExitStack() as undo:
        folder = undo.enter_context(BesideFolder(home, room.id))
        asking = Asking(identity.public, folder.instance, nick)
        papers = wait_for_owner(room, engine.address, asking, say, deadline, timing)
        if read_delegation(papers.delegation, papers.owner).password != (password is not None):
            has = "has a password" if password is None else "has no password"
            raise Refused(f'The room "{safe_text(room.about.title)}" {has}.', "Ask its owner.", code="password")
        together = EngineHosting(engine.address, room, identity, on_problem, timing, papers=papers)
        owner = member_id(papers.owner)
        shared = RedisLog(engine.address, room.id, identity.id, owner, trusted=engine.is_durable, timing=timing)
        access = WebAccess(on, locked=password is not None, names=web_names)
        server = Host(
            room.about.title,
            identity,
            nick=nick,
            room_id=room.id,
            doors=[
                *member_doors(port, plain_port, on_problem),
                *irc_doors(irc_port, irc_tls_port, irc_password),
                *([access.option(web_port)] if web or web_port is not None else []),
            ],
            on=on,
            password=password,
            log=EngineLog(folder.log, shared, on_damage=on_problem, timing=timing),
            beside=together.beside,
            make_hub=partial(EngineHub, say=on_problem),
            limits=limits,
            timing=timing,
        )
        undo.callback(server.close)
        access.belong_to(server)
        server.start(accept=False)
        hosting = Hosting(server, papers.owner, on, [folder], announce=announce, web=access)
        check = own_check(server, home)
        check.fingerprint = fingerprint(papers.owner)
        dialer = Dialer(hosting.endpoints, check, on, timing)
        dialer.local = server.connect
        state = RoomState()
        keeper = Standby(
            home,
            identity,
            dialer,
            willing=0,
            nick=lambda: state.nick,
            password=password,
            on=on,
            on_problem=on_problem,
            timing=timing,
            hosting=hosting,
        )
        keeper.owner = False

        def open_store(card: Card) -> MemberStore:
            keeper.met(card)
            return PrivateStore(home, card, on_problem)

        member = own_member(
            dialer,
            keeper,
            identity,
            nick,
            state,
            open_store,
            password=password,
            drop_oldest=drop_oldest,
            moves=False,
            timing=timing,
        )
        connected = member.join()
        undo.callback(member.close)
        member.transfers.dial = dialer.dial_again
        server.accept()
        hosting.show(on_problem, timing)
        hosting.cohosting = together.begin(hosting, lambda: state.nick or nick)
        undo.pop_all()
    return HostedRoom(member, connected, state, standby=keeper)
