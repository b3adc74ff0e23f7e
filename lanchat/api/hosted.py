"""Hosting a room from a program: `host` opens a room, and `HostedRoom` is that room as an object."""

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from lanchat.api.doors import Doors, Wishes, door_options, note_ports, wants_web
from lanchat.api.hosting import Hosting
from lanchat.api.joining import default_nick
from lanchat.api.naming import begin_naming
from lanchat.api.numbering import numbering_of
from lanchat.api.opening import LocalUser, OwnMember, blobs_for, owners_term
from lanchat.api.room import JoinedRoom
from lanchat.api.web import WebAccess
from lanchat.network.addresses import OwnAddresses, where
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import DEFAULT_FILE_LIMITS, DEFAULT_LIMITS, FileLimits, Limits
from lanchat.protocol.messages import Card
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.places import Rules
from lanchat.protocol.text import clean_title
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.server.doors.irc.door import IrcTlsDoor
from lanchat.server.host import Host
from lanchat.storage.home import home_folder
from lanchat.storage.identity import load_identity
from lanchat.storage.member_store import EngineStore, MemberStore, NoStore, PrivateStore
from lanchat.storage.retention import parse_retention
from lanchat.storage.rooms import RoomFolder, open_room
from lanchat.threads import now_ms

if TYPE_CHECKING:
    from lanchat.server.engine.address import EngineChoice


def host(
    title: str,
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
    new: bool = False,
    ephemeral: bool = False,
    keep: str | None = None,
    password: str | None = None,
    files: FileLimits | None = None,
    standby: bool = True,
    least_term: int = 0,
    engine: "EngineChoice | None" = None,
    limits: Limits = DEFAULT_LIMITS,
    interfaces: tuple[str, ...] | None = None,
    on_problem: Callable[[str], None] = lambda problem: None,
    drop_oldest: bool = True,
    timing: Timing = DEFAULT_TIMING,
) -> "HostedRoom":
    """Open a room on this network.

    Args:
        title: at most 60 characters in one line.
        nick: by default LANCHAT_NICK, or the one stored in LANCHAT_HOME, or the login name.
        port: by default 47474, or the next free one; 0 for any.
        plain_port: also serve netcat and other plain clients there, without encryption; only without a password.
        irc_port: also serve IRC clients there, without encryption; only without a password.
        irc_tls_port: also serve IRC clients there, with TLS; in a room with a password only with `irc_password`.
        irc_password: what IRC clients need to know; never the room's own password.
        web: also serve browsers; `HostedRoom.web` has the address, and can open and close this door later.
        web_port: the same, at this port instead of 47480 or the next free one; 0 for any.
        web_names: what this machine may be called in a web address, besides its addresses and its own name.
        announce: let others find the room.
        new: open another room, even if one with this title was hosted here before; otherwise that one continues.
        ephemeral: store nothing on the disk, and ask members to store nothing.
        keep: how much of the log to keep: "30d", or "10000" entries; None: as before, at first everything.
        password: what members need to know to enter.
        files: the limits of the files that members send, which are stored on this disk; with a `total` of 0 the room
            takes none. By default there are up to 10 GB; an ephemeral room takes none.
        standby: let other members' computers keep copies of the room, and host it when this one is gone. An ephemeral
            room has none.
        least_term: the term that begins has at least this number, as the standbys have told (`find_elsewhere`).
        engine: a Redis or Valkey server that keeps the room and numbers its messages; such a room has no standbys.
        limits: those of strangers and members.
        interfaces: names or addresses; by default LANCHAT_INTERFACE, or all.
        on_problem: called, from another thread, with a sentence when others cannot find or reach the room, and with
            another one when they can again; the room is open anyway. Also called when somebody gives a wrong password.
        drop_oldest: whether the oldest events are dropped when too many wait to be taken; else the reader waits.
        timing: the waiting times of the host and its own member.

    Raises:
        ValueError: the title, the nick or `keep` breaks its rules, or these arguments do not go together: a password
            and an unencrypted port, an IRC password that is the room's or has no port of its own, an engine and
            `ephemeral`.
        LanchatError: the port or the home folder cannot be used, ...
    """
    if irc_password is not None and (irc_password == password or irc_tls_port is None or irc_port is not None):
        raise ValueError("IRC clients give their password by TLS alone, and it is never the room's.")
    if ephemeral and engine is not None:
        raise ValueError("An ephemeral room stores nothing, so it has no engine.")
    on = where(interfaces)
    nick = clean_nick(nick or default_nick())
    parse_retention(keep or "")  # if it breaks the rules, nothing has been opened yet
    home = home_folder(needed=not ephemeral)
    identity = load_identity(home)

    doors = Doors(
        port=port,
        plain_port=plain_port,
        irc_port=irc_port,
        irc_tls_port=irc_tls_port,
        irc_password=irc_password,
        web=web,
        web_port=web_port,
        web_names=web_names,
    )
    user = LocalUser(home, identity, nick, password, on, on_problem, drop_oldest, timing, Wishes(doors))

    files = files or (FileLimits(total=0) if ephemeral else DEFAULT_FILE_LIMITS)
    with ExitStack() as undo:
        folder = term = None
        if not ephemeral:
            folder = undo.enter_context(open_room(home, clean_title(title), new=new, keep=keep, now=now_ms()))
        blobs = blobs_for(folder, files)
        if blobs is not None:
            undo.callback(blobs.close)
        if folder is not None and standby and engine is None:
            rules = _rules(folder, doors, announce=announce, files=files, limits=limits)
            term = owners_term(folder, identity, on_problem, rules, password=bool(password))
        numbering = numbering_of(folder, user, engine, undo, least_term=least_term, new_term=term is not None)
        access = WebAccess(on, has_password=password is not None, names=web_names)
        server = Host(
            title,
            identity,
            nick=nick,
            doors=door_options(doors, access, on_problem),
            on=on,
            password=password,
            log=numbering.log,
            ephemeral=ephemeral,
            blobs=blobs,
            term=term,
            beside=numbering.beside,
            yielded=lambda: own.keeper.yielded(),
            make_hub=numbering.make_hub,
            limits=limits,
            timing=timing,
            **_continued(folder),
        )
        undo.callback(server.close)
        note_ports(server, irc_password)
        access.belong_to(server)
        server.start(accept=False)
        disk = () if blobs is None else (blobs,)
        hosting = Hosting(server, identity.public, on, disk, announce=announce, web=access)
        undo.callback(hosting.close)
        open_store = partial(_store_for, user, engine is not None)
        own = OwnMember(user, hosting, open_store, moves=term is not None, folder=folder)
        connected = own.enter(undo, numbering.check)
        if numbering.together is not None:
            numbering.together.begin(hosting, lambda: user.nick_now, own.keeper.yielded)
        if folder is not None:
            folder.note_engine(hosting.engine)
            if term is not None:
                _look_after_standbys(hosting, own, user, folder)
        undo.pop_all()
    return HostedRoom(own.member, connected, user.state, standby=own.keeper)


class HostedRoom(JoinedRoom):
    """A room that this program opened and is in. It hosts the room until it hands it to a standby."""

    @property
    def host(self) -> Host:
        """The server. To be used only while this program hosts the room (`hosting`)."""
        return self._hosting.host

    @property
    def on(self) -> OwnAddresses:
        """Our own addresses."""
        return self._hosting.on

    @property
    def web(self) -> WebAccess:
        """The door for browsers."""
        assert self._hosting.web is not None
        return self._hosting.web

    @property
    def irc_certificate(self) -> str:
        """SHA-256 of the certificate that IRC clients see, in hex; "": they have no encrypted port."""
        door = self.host.doors.find("irc-tls")
        return door.certificate if isinstance(door, IrcTlsDoor) else ""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where others can join now, the address that most people can use first."""
        return self._hosting.endpoints

    @property
    def _hosting(self) -> Hosting:
        assert self._standby is not None and self._standby.hosting is not None, "another program hosts the room"
        return self._standby.hosting


class _Continued(TypedDict, total=False):
    """The arguments of a `Host` that come from the room's folder."""

    room_id: str
    bans: Mapping[str, str]
    locked: bool
    save_access: Callable[[dict[str, str], bool], None]


def _continued(folder: RoomFolder | None) -> _Continued:
    """What the host of a room goes on with. Without a folder the room begins and ends with this program."""
    if folder is None:
        return {}
    about = folder.about
    return {"room_id": about.id, "bans": about.bans, "locked": about.locked, "save_access": folder.save_access}


def _rules(folder: RoomFolder, doors: Doors, *, announce: bool, files: FileLimits, limits: Limits) -> Rules:
    """The rules of a room as the arguments of `host` give them. The ports for guests are noted once they are open."""
    return Rules(
        keep=folder.about.keep,
        hidden=not announce,
        files=files.total,
        web=wants_web(doors),
        people=limits.members if limits != DEFAULT_LIMITS else 0,
    )


def _look_after_standbys(hosting: Hosting, own: OwnMember, user: LocalUser, folder: RoomFolder) -> None:
    """Name standbys from now on, and copy the files of the room whenever this computer is a standby itself."""
    hosting.naming = begin_naming(hosting, user.identity, folder.path, user.on_problem, user.timing)
    own.keeper.copy_files(own.member)


def _store_for(user: LocalUser, on_engine: bool, card: Card) -> MemberStore:
    """The store of the host's own member."""
    if card.ephemeral:
        return NoStore()
    store = EngineStore if on_engine else PrivateStore
    return store(user.home, card, user.on_problem)
