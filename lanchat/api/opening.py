"""The parts of which the hosting of a room is opened, on the owner's computer and on one beside it."""

import time
from collections.abc import Callable
from pathlib import Path

from lanchat.api.dialer import Dialer
from lanchat.api.guesses import GuessNotices
from lanchat.api.host_check import HostCheck
from lanchat.api.standby import Standby
from lanchat.api.targets import Target
from lanchat.client.member import Member
from lanchat.client.queue import EventQueue
from lanchat.client.state import RoomState
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.limits import FileLimits
from lanchat.protocol.messages import Card
from lanchat.protocol.places import Rules, read_places
from lanchat.protocol.text import safe_text
from lanchat.protocol.timing import Timing
from lanchat.server.doors.base import DoorOption
from lanchat.server.doors.native import native_door
from lanchat.server.doors.plain import plain_door
from lanchat.server.host import Host
from lanchat.server.term import Term
from lanchat.storage.blobs import Blobs
from lanchat.storage.delegations import Signing
from lanchat.storage.identity import Identity
from lanchat.storage.known_hosts import KnownHosts
from lanchat.storage.log import Log
from lanchat.storage.member_store import MemberStore
from lanchat.storage.retention import parse_retention
from lanchat.storage.rooms import RoomFolder
from lanchat.storage.sqlite_log import SqliteLog


def owners_term(
    folder: RoomFolder, identity: Identity, say: Callable[[str], None], rules: Rules, *, password: bool
) -> Term:
    """By what right the owner of a room begins to host it again.

    Raises:
        LanchatError: what it has signed before cannot be read.
    """
    signing = Signing(folder.path, folder.about.id, identity, password=password)
    places = read_places(signing.known.places or "[]")
    if last := safe_text(signing.known.handed):
        say(f"{last} hosted this room last, and cannot be found now. What was said there is missing here.")
    return Term(
        identity.public,
        signing.sign(tuple(one for one in signing.standbys if one.role == "s")),
        rules=rules,
        places=places,
    )


def own_check(host: Host, home: Path) -> HostCheck:
    """Knows our own room and key, in case another computer hosts it later."""
    check = HostCheck(Target((), host.room_id), KnownHosts(home))
    check.room_id, check.fingerprint = host.room_id, fingerprint(host.identity.public)
    return check


def member_doors(port: int | None, plain_port: int | None, say: Callable[[str], None]) -> list[DoorOption]:
    return [native_door(port, GuessNotices(say)), *([plain_door(plain_port)] if plain_port is not None else [])]


def own_member(
    dialer: Dialer,
    keeper: Standby,
    identity: Identity,
    nick: str,
    state: RoomState,
    open_store: Callable[[Card], MemberStore],
    *,
    password: str | None,
    drop_oldest: bool,
    moves: bool,
    timing: Timing,
) -> Member:
    """The member of the person who hosts the room here, not joined yet. Even if its link is lost, the room stays open.

    Args:
        moves: whether other computers can host the room, so that this one may keep a copy later.
    """
    return Member(
        dialer.dial,
        identity,
        nick,
        queue=EventQueue(drop_oldest=drop_oldest, follow=state.follow),
        password=password,
        patience=None,
        open_store=open_store,
        stop=dialer.stop,
        look_elsewhere=dialer.look_elsewhere,
        settled=keeper.settled,
        prefer=dialer.prefer,
        places_changed=dialer.places_changed,
        keeper=keeper if moves else None,
        timing=timing,
    )


def own_log(folder: RoomFolder, on_damage: Callable[[str], None], timing: Timing, term: int, *, new_term: bool) -> Log:
    keep = parse_retention(folder.about.keep)
    return SqliteLog(folder.log_path, term=term, new_term=new_term, keep=keep, on_damage=on_damage, timing=timing)


def blobs_for(folder: RoomFolder | None, limits: FileLimits) -> Blobs | None:
    if not limits.total:
        return None
    return Blobs(folder.files_path if folder else None, limits)


def now() -> int:
    return time.time_ns() // 1_000_000
