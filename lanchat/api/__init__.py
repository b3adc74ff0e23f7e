"""Rooms for Python programs: the same as the command line, as objects.

import lanchat

with lanchat.join("Room A", nick="bob") as room:
    room.say("hello")
    answer = room.wait_for("pong", timeout=10)
    for event in room:
        ...
"""

import time
from collections.abc import Callable
from contextlib import ExitStack

from lanchat.api.joining import FIND_WAIT, PATIENCE, default_nick, join_target, my_identity, resolve
from lanchat.api.room import HostedRoom, JoinedRoom
from lanchat.client.member import Member
from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Advertisement, Listing
from lanchat.discovery.sources import Advertiser
from lanchat.network.interfaces import reachable, where
from lanchat.protocol.address import Endpoint
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.invite import Invite
from lanchat.protocol.limits import DEFAULT_LIMITS, Limits
from lanchat.protocol.text import clean_title
from lanchat.server.host import Host
from lanchat.storage.home import home_folder
from lanchat.storage.log import Log
from lanchat.storage.member_store import NoStore, PrivateStore
from lanchat.storage.retention import parse_retention
from lanchat.storage.rooms import RoomFolder, open_room
from lanchat.storage.sqlite_log import SqliteLog


def host(
    title: str,
    *,
    nick: str | None = None,
    port: int | None = None,
    plain_port: int | None = None,
    announce: bool = True,
    new: bool = False,
    ephemeral: bool = False,
    keep: str | None = None,
    password: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    interfaces: tuple[str, ...] | None = None,
    on_problem: Callable[[str], None] = lambda problem: None,
) -> HostedRoom:
    """Open a room on this network.

    Args:
        nick: by default the one kept in LANCHAT_HOME, or the login name.
        port: by default 47474, or the next free one; 0 for any.
        plain_port: also serve netcat and its kin there, without encryption.
        announce: let others find it.
        new: another room, even where one of this title was hosted here before; else that one goes on, log and all.
        ephemeral: keep nothing on the disk, and ask members to keep nothing.
        keep: how much of the log: "30d", or "10000" entries; None: as it was, at first everything.
        password: who does not know it stays out.
        limits: what strangers and members may do.
        interfaces: names or addresses; by default LANCHAT_INTERFACE, or all.
        on_problem: called, from a thread of our own, with a sentence when announcing fails; the room is open anyway.

    Raises:
        ValueError: the title or the nick breaks its rules.
        LanchatError: no port, no home folder, ...
    """
    on = where(interfaces)
    nick = nick or default_nick()
    identity = my_identity()
    folder = None if ephemeral else open_room(home_folder(), clean_title(title), new=new, keep=keep, now=_now())
    undo = ExitStack()
    if folder is not None:
        undo.callback(folder.close)
    with undo:
        opened = Host(
            title,
            identity,
            nick=nick,
            room_id=folder.about.id if folder else None,
            addresses=None if on is None else [address.text for address in on],
            port=port,
            plain_port=plain_port,
            password=password,
            log=_log(folder, on_problem) if folder else None,
            bans=folder.about.bans if folder else None,
            keep_bans=folder.keep_bans if folder else lambda bans: None,
            ephemeral=ephemeral,
            limits=limits,
        )
        undo.callback(opened.close)
        opened.start()
        member = Member(
            opened.connect,
            identity,
            nick,
            password=password,
            patience=None,  # whatever becomes of our own link, the room stays open
            remember=lambda card: NoStore() if ephemeral else PrivateStore(home_folder(), card, on_problem),
        )
        connected = member.join()
        undo.pop_all()
    key = fingerprint(identity.public)
    advertisement = Advertisement(opened.room_id, opened.title, opened.nick, opened.port, key)
    advertiser = Advertiser(advertisement, on, on_problem, lambda: opened.people) if announce else None
    ways = tuple(Endpoint(address.text, opened.port) for address in reachable(on))
    invite = Invite(ways, opened.room_id, key) if ways else None
    return HostedRoom(opened, advertiser, folder, member, connected, invite)


def join(
    room: str,
    *,
    nick: str | None = None,
    password: str | None = None,
    wait: float = FIND_WAIT,
    patience: float | None = PATIENCE,
    interfaces: tuple[str, ...] | None = None,
) -> JoinedRoom:
    """Enter a room of this network.

    Args:
        room: its title, or HOST[:PORT], or an invite. A name without a port is looked for as a title first.
        nick: as for `host`.
        password: for a locked room; by default LANCHAT_PASSWORD.
        wait: s to look for a title.
        patience: s of trying to come back after a lost link; None: for ever.
        interfaces: names or addresses, where to look for it, also when it has to be found again; as for `host`.

    Raises:
        ValueError: the nick breaks its rules, or the invite is not whole.
        NoSuchRoom: nothing by that name, or nobody at that address.
        LanchatError: refused, several rooms of that title, ...
    """
    on = where(interfaces)
    there = resolve(room, wait, on)
    return join_target(
        there.endpoints,
        nick or default_nick(),
        room_id=there.room_id,
        pin=there.pin,
        password=password,
        patience=patience,
        on=on,
    )


def rooms(*, wait: float = 2.0, interfaces: tuple[str, ...] | None = None) -> list[Listing]:
    """The rooms of this network that were seen within `wait` seconds."""
    with Finder(where(interfaces)) as finder:
        time.sleep(wait)
        return list(finder.listings())


def _log(folder: RoomFolder, on_damage: Callable[[str], None]) -> Log:
    return SqliteLog(folder.log_path, keep=parse_retention(folder.about.keep), on_damage=on_damage)


def _now() -> int:
    return time.time_ns() // 1_000_000
