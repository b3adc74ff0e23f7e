"""Rooms for Python programs: what `import lanchat` gives.

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

from lanchat.api.joining import PATIENCE, default_nick, join_target, my_identity
from lanchat.api.room import HostedRoom, JoinedRoom
from lanchat.api.targets import FIND_WAIT, resolve
from lanchat.client.member import Member
from lanchat.client.queue import EventQueue
from lanchat.client.state import RoomState
from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Advertisement, Listing
from lanchat.discovery.sources import Advertiser
from lanchat.network.interfaces import reachable, where
from lanchat.protocol.address import Endpoint
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.invite import Invite
from lanchat.protocol.limits import DEFAULT_LIMITS, Limits
from lanchat.protocol.messages import Card
from lanchat.protocol.text import clean_title
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.server.doors.native import native_door
from lanchat.server.doors.plain import plain_door
from lanchat.server.host import Host
from lanchat.storage.home import home_folder
from lanchat.storage.log import Log
from lanchat.storage.member_store import MemberStore, NoStore, PrivateStore
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
    drop_oldest: bool = True,
    timing: Timing = DEFAULT_TIMING,
) -> HostedRoom:
    """Open a room on this network.

    Args:
        nick: by default the one stored in LANCHAT_HOME, or the login name.
        port: by default 47474, or the next free one; 0 for any.
        plain_port: also serve netcat and other plain clients there, without encryption.
        announce: let others find the room.
        new: begin another room, even where one of this title was hosted here before; else that one continues.
        ephemeral: store nothing on the disk, and ask members to store nothing.
        keep: how much of the log to keep: "30d", or "10000" entries; None: as it was, at first everything.
        password: lock the room with it.
        limits: what strangers and members may do.
        interfaces: names or addresses; by default LANCHAT_INTERFACE, or all.
        on_problem: called, from another thread, with a sentence when announcing fails; the room is open anyway.
        drop_oldest: whether events that nobody takes are dropped in the end; else the reader waits.
        timing: how long the host waits for what.

    Raises:
        ValueError: the title or the nick breaks its rules.
        LanchatError: no port, no home folder, ...
    """
    on = where(interfaces)
    nick = nick or default_nick()
    identity = my_identity()
    home = home_folder()

    def open_store(card: Card) -> MemberStore:
        return NoStore() if ephemeral else PrivateStore(home, card, on_problem)

    with ExitStack() as undo:
        folder = None if ephemeral else open_room(home, clean_title(title), new=new, keep=keep, now=_now())
        if folder is not None:
            undo.callback(folder.close)
        hosting = Host(
            title,
            identity,
            nick=nick,
            room_id=folder.about.id if folder else None,
            doors=[native_door(port), *([] if plain_port is None else [plain_door(plain_port)])],
            addresses=None if on is None else [address.text for address in on],
            password=password,
            log=_log(folder, on_problem, timing) if folder else None,
            bans=folder.about.bans if folder else None,
            locked=folder.about.locked if folder else False,
            save_access=folder.save_access if folder else lambda bans, locked: None,
            ephemeral=ephemeral,
            limits=limits,
            timing=timing,
        )
        undo.callback(hosting.close)
        key = fingerprint(identity.public)
        endpoints = tuple(Endpoint(address.text, hosting.port) for address in reachable(on))
        invite = Invite(endpoints, hosting.room_id, key) if endpoints else None
        hosting.start()
        state = RoomState()
        member = Member(
            hosting.connect,
            identity,
            nick,
            queue=EventQueue(drop_oldest=drop_oldest, follow=state.follow),
            password=password,
            patience=None,  # whatever becomes of our own link, the room stays open
            open_store=open_store,
            timing=timing,
        )
        connected = member.join()
        undo.callback(member.close)
        advertisement = Advertisement(hosting.room_id, hosting.title, hosting.nick, hosting.port, key)
        advertiser = Advertiser(advertisement, on, on_problem, lambda: hosting.people) if announce else None
        undo.pop_all()
    return HostedRoom(hosting, advertiser, folder, member, connected, state, invite)


def join(
    room: str,
    *,
    nick: str | None = None,
    password: str | None = None,
    wait: float = FIND_WAIT,
    patience: float | None = PATIENCE,
    interfaces: tuple[str, ...] | None = None,
    timing: Timing = DEFAULT_TIMING,
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
    return join_target(
        resolve(room, wait, on),
        nick or default_nick(),
        password=password,
        patience=patience,
        on=on,
        timing=timing,
    )


def rooms(*, wait: float = 2.0, interfaces: tuple[str, ...] | None = None) -> list[Listing]:
    """The rooms of this network that were seen within `wait` seconds."""
    with Finder(where(interfaces)) as finder:
        time.sleep(wait)
        return list(finder.listings())


def _log(folder: RoomFolder, on_damage: Callable[[str], None], timing: Timing) -> Log:
    return SqliteLog(folder.log_path, keep=parse_retention(folder.about.keep), on_damage=on_damage, timing=timing)


def _now() -> int:
    return time.time_ns() // 1_000_000
