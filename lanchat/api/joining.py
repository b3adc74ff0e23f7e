"""Joins a room at a target: checks the host's key, connects, and remembers the room."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from lanchat.api.dialer import Dialer
from lanchat.api.host_check import HostCheck, OtherHost
from lanchat.api.room import JoinedRoom
from lanchat.api.targets import FIND_WAIT, Target, resolve
from lanchat.client.events import Connected
from lanchat.client.member import Member
from lanchat.client.queue import EventQueue
from lanchat.client.state import RoomState
from lanchat.errors import NotLanchat
from lanchat.network.addresses import OwnAddresses, where
from lanchat.protocol.address import DEFAULT_PORT, Endpoint
from lanchat.protocol.invite import Invite
from lanchat.protocol.messages import Card
from lanchat.protocol.text import safe_text
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.storage.home import home_folder, login_nick, saved_nick
from lanchat.storage.identity import Identity, load_identity
from lanchat.storage.known_hosts import KnownHosts
from lanchat.storage.known_papers import KnownPapers
from lanchat.storage.member_store import DiskStore, HistoryStore, MemberStore, NoStore
from lanchat.storage.recent import RecentRoom, RecentRooms

if TYPE_CHECKING:
    from lanchat.api.doors import Wishes
    from lanchat.api.standby import StandbyKeeper

PATIENCE = 30.0  # s of trying to reconnect; a script that waits longer says so

Keeping = Literal["all", "history", "nothing"]  # what a member has on its disk; "all": unsent messages, too


def join(
    room: str | Invite,
    *,
    nick: str | None = None,
    password: str | None = None,
    wait: float = FIND_WAIT,
    patience: float | None = PATIENCE,
    new_host: bool = False,
    standby: bool = False,
    interfaces: tuple[str, ...] | None = None,
    bot: bool = True,
    timing: Timing = DEFAULT_TIMING,
) -> JoinedRoom:
    """Enter a room of this network.

    Args:
        room: its title, or HOST[:PORT], or an invite, as text or as `JoinedRoom.invite` is. A name without a port is
            looked for as a title first.
        nick: as for `host`.
        password: of the room; by default LANCHAT_PASSWORD.
        wait: s to look for a title.
        patience: s of trying to reconnect after a lost link; None: without end.
        new_host: accept a host that this person has not met, even if another room with this title is known.
        standby: the owner of the room may have this computer keep a copy of it, and host it when its host is gone.
        interfaces: names or addresses on which to look for the room, as for `host`.
        bot: others see that a program speaks, so that programs do not answer each other without end.

    Raises:
        ValueError: the nick breaks its rules, the invite is incomplete, or the port is invalid.
        NoSuchRoom: no room has that name, or only another one than the room that is known by it, or no host answers at
            that address.
        LanchatError: the host refuses, several rooms have that title, ...
    """
    on = where(interfaces)
    return join_target(
        resolve(str(room), wait, on, new_host=new_host),
        nick or default_nick(),
        password=password,
        patience=patience,
        on=on,
        standby=2 if standby else 0,
        bot=bot,
        timing=timing,
    )


def join_target(
    target: Target,
    nick: str,
    *,
    password: str | None = None,
    patience: float | None = PATIENCE,
    deadline: float | None = None,
    on: OwnAddresses | None = None,
    on_problem: Callable[[str], None] = lambda problem: None,
    looking: Callable[[], None] = lambda: None,
    drop_oldest: bool = True,
    reopening: bool = False,
    catch_up: bool = False,
    standby: int = 0,
    hold_after: float | None = None,
    discard: bool = False,
    keeping: Keeping = "all",
    bot: bool = False,
    identity: Identity | None = None,
    look_back: int = 0,
    wishes: "Wishes | None" = None,
    timing: Timing = DEFAULT_TIMING,
) -> JoinedRoom:
    """Join the room at one of a target's addresses, or where discovery sees this very room now.

    Args:
        password: of the room; by default LANCHAT_PASSWORD.
        deadline: when to give up, by `time.monotonic()`; None: only the usual limits count.
        on: our own addresses on which to look for the room if it has moved; None: all.
        on_problem: called with a sentence when the room has moved and, from another thread, when the history cannot be
            stored.
        looking: called before the room is looked for, which takes some seconds.
        drop_oldest: whether the oldest events are dropped when too many wait to be taken; else the reader waits.
        reopening: after the host has closed the room, wait in case it opens again.
        catch_up: fetch all that was said since an earlier run, and not the last messages alone.
        standby: 1: this computer may become a standby; 2: its person asks for it; 0: never.
        hold_after: hold back what an earlier run could not send longer ago than this, in s; None: send all of it.
        discard: drop what earlier runs could not send.
        keeping: what is stored of the room on this disk. Unless it is "all", nothing of earlier runs is sent now, and
            what cannot be sent now is not sent by later ones.
        bot: a program speaks, and no person.
        identity: who joins; None: this home's own.
        look_back: the number of events that are wanted before those that a newcomer gets.
        wishes: what counts when the room comes to this computer.

    Raises:
        LanchatError: no host answers, or it shows another key than before, or it refuses, ...
    """
    state, identity = RoomState(), identity or my_identity()
    reached: dict[int, int] = {}  # by the history of earlier runs
    check = HostCheck(target, KnownHosts(home_folder()), KnownPapers(home_folder()))
    on = on or OwnAddresses()
    dialer = Dialer(target.endpoints, check, on, timing, deadline, looking)
    password = password or os.environ.get("LANCHAT_PASSWORD") or None
    ours: StandbyKeeper | None = None
    if standby:
        from lanchat.api import standby as standbys  # loads the whole server

        ours = standbys.StandbyKeeper(
            home_folder(),
            identity,
            dialer,
            willing=standby,
            nick=lambda: state.nick,
            password=password,
            on=on,
            on_problem=on_problem,
            wishes=wishes,
            timing=timing,
        )

    def open_store(card: Card) -> MemberStore:
        if ours is not None:
            ours.met(card)
        check.remember(card)  # not before: only now has the host proven that it knows the password
        store = _store_for(card, keeping, hold_after, on_problem, discard=discard)
        if isinstance(store, DiskStore):
            state.seen = store.reached.event
            reached.update(store.reached.positions if catch_up else {})
        return store

    member = Member(
        dialer.dial,
        identity,
        nick,
        queue=EventQueue(drop_oldest=drop_oldest, follow=state.follow),
        trust=check,
        password=password,
        patience=patience,
        open_store=open_store,
        stop=dialer.stop,
        look_elsewhere=dialer.look_elsewhere,
        reopening=reopening,
        seen=lambda: reached,
        settled=ours.settled if ours is not None else lambda: None,
        prefer=dialer.prefer,
        places_changed=dialer.places_changed,
        keeper=ours,
        bot=bot,
        same_room=check.same_room,
        look_back=look_back,
        timing=timing,
    )
    with ExitStack() as undo:
        if ours is not None:
            undo.callback(ours.close)
        connected = _enter(member, check, dialer, undo)
        if ours is not None:
            ours.copy_files(member)
        if dialer.moved and dialer.last not in target.endpoints:
            on_problem(f"{safe_text(connected.card.title)} has moved to {_spoken(dialer.last)}.")
        undo.pop_all()
    return JoinedRoom(
        member,
        connected,
        state,
        key_status=check.key_status,
        invited=target.invited,
        make_invite=lambda: Invite(dialer.shared_endpoints(), connected.card.room, check.fingerprint),
        standby=ours,
    )


def _store_for(
    card: Card, keeping: Keeping, hold_after: float | None, on_problem: Callable[[str], None], *, discard: bool
) -> MemberStore:
    """What a member has on its disk of the room with this card. The arguments are those of `join_target`."""
    if card.ephemeral or keeping == "nothing":
        return NoStore()
    if keeping == "history":
        return HistoryStore(home_folder(), card, on_problem)
    store = DiskStore(home_folder(), card, on_problem, hold_after)
    if discard and store.unsent:
        on_problem(f"Dropped the messages that were not sent last time ({len(store.unsent)}).")
        store.remove_unsent([message.id for message in store.unsent])
    return store


def _enter(member: Member, check: HostCheck, dialer: Dialer, undo: ExitStack) -> Connected:
    """Connect for the first time, and remember where that was. `undo` gets what takes this back."""
    try:
        connected = member.join(dialer.deadline)
    except (OtherHost, NotLanchat):  # somebody else has the host's address now
        if not check.wanted_room:
            raise
        dialer.look_elsewhere()
        connected = member.join(dialer.deadline)
    undo.callback(member.close)
    dialer.deadline = None
    member.transfers.dial = dialer.dial_again
    card = connected.card
    RecentRooms(home_folder()).add(RecentRoom(dialer.last, card.room, int(time.time()), card.title))
    return connected


def _spoken(endpoint: Endpoint) -> str:
    """The endpoint as people say it: without a scope, and without the port that every room has."""
    return endpoint.shared.host if endpoint.port == DEFAULT_PORT else str(endpoint.shared)


def my_identity() -> Identity:
    return load_identity(home_folder())


def default_nick() -> str:
    """LANCHAT_NICK, or the nick chosen earlier, or the login name."""
    return os.environ.get("LANCHAT_NICK") or saved_nick(home_folder(needed=False)) or login_nick()
