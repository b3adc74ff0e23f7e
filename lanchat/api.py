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

from lanchat.discovery.mdns import Announcement
from lanchat.discovery.sighting import Advert, Listing
from lanchat.entrance import FIND_WAIT, PATIENCE, default_nick, enter, find, my_identity, several, where
from lanchat.hosting import Host
from lanchat.joined import HostedRoom, JoinedRoom
from lanchat.lookout import Lookout
from lanchat.member import Member
from lanchat.net.dial import parse_endpoint
from lanchat.net.identity import fingerprint
from lanchat.protocol.limits import DEFAULT_LIMITS, Limits


def host(
    title: str,
    *,
    nick: str | None = None,
    port: int | None = None,
    plain_port: int | None = None,
    announce: bool = True,
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
    opened = Host(
        title,
        identity,
        nick=nick,
        addresses=None if on is None else [address.text for address in on],
        port=port,
        plain_port=plain_port,
        password=password,
        limits=limits,
    )
    opened.start()
    try:
        member = Member(opened.connect, identity, nick, password=password)
        came = member.join()
    except BaseException:
        opened.close()
        raise
    advert = Advert(opened.room_id, opened.title, opened.nick, opened.port, fingerprint(identity.public))
    return HostedRoom(opened, Announcement(advert, on, on_problem) if announce else None, member, came)


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
        room: its title, or HOST[:PORT].
        nick: as for `host`.
        password: for a locked room; by default LANCHAT_PASSWORD.
        wait: s to look for a title.
        patience: s of trying to come back after a lost link; None: for ever.

    Raises:
        NoSuchRoom: nothing by that name, or nobody at that address.
        LanchatError: refused, several rooms of that title, ...
    """
    nick = nick or default_nick()
    endpoint = parse_endpoint(room)
    if endpoint is not None:
        return enter((endpoint,), nick, password=password, patience=patience)
    listings = find(room, wait, where(interfaces))
    if len(listings) > 1:
        raise several(listings)
    return enter(listings[0].endpoints, nick, room_id=listings[0].room_id, password=password, patience=patience)


def rooms(*, wait: float = 2.0, interfaces: tuple[str, ...] | None = None) -> list[Listing]:
    """The rooms of this network that were seen within `wait` seconds."""
    with Lookout(where(interfaces)) as lookout:
        time.sleep(wait)
        return list(lookout.listings())
