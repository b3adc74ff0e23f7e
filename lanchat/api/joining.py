"""Joins a room at a target: checks the host's key, connects, and remembers the room."""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence

from lanchat.api.room import JoinedRoom
from lanchat.api.targets import FIND_WAIT, Target, resolve
from lanchat.client.member import Member
from lanchat.client.queue import EventQueue
from lanchat.client.state import RoomState
from lanchat.errors import HostKeyChanged, NoSuchRoom
from lanchat.network.connect import STOP_WITHIN, dial, peer_of
from lanchat.network.interfaces import where
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.invite import Invite
from lanchat.protocol.messages import Card
from lanchat.protocol.text import safe_text
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.storage.home import home_folder, login_nick, saved_nick
from lanchat.storage.identity import Identity, load_identity
from lanchat.storage.known_hosts import KeyStatus, KnownHosts
from lanchat.storage.member_store import DiskStore, MemberStore, NoStore
from lanchat.storage.recent import RecentRoom, RecentRooms

PATIENCE = 30.0  # s of trying to reconnect; a script that waits longer says so


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
        password: of the room; by default LANCHAT_PASSWORD.
        wait: s to look for a title.
        patience: s of trying to reconnect after a lost link; None: without end.
        interfaces: names or addresses on which to look for the room, as for `host`.

    Raises:
        ValueError: the nick breaks its rules, or the invite is incomplete.
        NoSuchRoom: no room has that name, or no host answers at that address.
        LanchatError: the host refuses, several rooms have that title, ...
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


def join_target(
    target: Target,
    nick: str,
    *,
    password: str | None = None,
    patience: float | None = PATIENCE,
    on: Sequence[Address] | None = None,
    on_problem: Callable[[str], None] = lambda problem: None,
    drop_oldest: bool = True,
    timing: Timing = DEFAULT_TIMING,
) -> JoinedRoom:
    """Join the room at one of a target's addresses.

    Args:
        password: of the room; by default LANCHAT_PASSWORD.
        on: the addresses on which to look for the room if it has moved.
        on_problem: called, from another thread, with a sentence when the history cannot be stored.
        drop_oldest: whether the oldest events are dropped when too many wait to be taken; else the reader waits.

    Raises:
        LanchatError: no host answers, or it shows another key than before, or it refuses, ...
    """
    check = HostCheck(target, KnownHosts(home_folder()))
    dialer = Dialer(target.endpoints, check, on, timing)

    def open_store(card: Card) -> MemberStore:
        check.remember(card)  # not earlier: only now the host has proven that it knows the password
        return NoStore() if card.ephemeral else DiskStore(home_folder(), card, on_problem)

    state = RoomState()
    member = Member(
        dialer.dial,
        my_identity(),
        nick,
        queue=EventQueue(drop_oldest=drop_oldest, follow=state.follow),
        trust=check,
        password=password or os.environ.get("LANCHAT_PASSWORD") or None,
        patience=patience,
        open_store=open_store,
        stop=dialer.stop,
        timing=timing,
    )
    connected = member.join()
    card = connected.card
    RecentRooms(home_folder()).add(RecentRoom(dialer.last, card.room, int(time.time()), card.title))
    others = tuple(endpoint for endpoint in target.endpoints if endpoint != dialer.last)
    invite = Invite((dialer.last, *others), card.room, check.fingerprint)
    return JoinedRoom(member, connected, state, key_status=check.key_status, invite=invite)


class HostCheck:
    """Decides whether a host is the right one, before our hello is sent."""

    def __init__(self, target: Target, known_hosts: KnownHosts) -> None:
        self.key_status: KeyStatus = "new"
        self.room_id = ""  # of the host that was checked last
        self.fingerprint = ""
        self._target = target
        self._known_hosts = known_hosts

    def __call__(self, card: Card, host_key: bytes) -> None:
        """Check the room and the key of a host.

        Raises:
            NoSuchRoom: another room answers there.
            HostKeyChanged: the key is not the one in the invite, or not the one that the room showed before.
        """
        if self._target.room_id is not None and card.room != self._target.room_id:
            raise NoSuchRoom(
                f'A different room answers there now ("{safe_text(card.title)}").', "Look again: lanchat rooms"
            )
        key = fingerprint(host_key)
        if not key.startswith(self._target.pin):
            raise HostKeyChanged(
                "The machine there does not have this invite's key. Somebody may be impersonating the host.",
                "Ask for a new invite over a channel you trust.",
            )
        self.key_status = self._known_hosts.check(card.room, key, card.title)
        self.room_id, self.fingerprint = card.room, key

    def remember(self, card: Card) -> None:
        """Store the key: from now on the room must show it."""
        self._known_hosts.remember(card.room, self.fingerprint, card.title)


class Dialer:
    """Connects to a host: at its known addresses, or where discovery sees the same room now.

    `dial` is called by one thread at a time, `stop` by any.
    """

    def __init__(
        self, endpoints: tuple[Endpoint, ...], check: HostCheck, on: Sequence[Address] | None, timing: Timing
    ) -> None:
        self.last = endpoints[0]  # the address of the last connection
        self._endpoints = endpoints
        self._check = check
        self._on = on
        self._timing = timing
        self._stopped = threading.Event()

    def dial(self) -> socket.socket:
        try:
            sock = dial(self._endpoints, self._stopped.is_set, self._timing)
        except NoSuchRoom:
            found = self._look() if self._check.room_id else ()
            if not found:
                raise
            sock = dial(found, self._stopped.is_set, self._timing)  # `HostCheck` refuses a host with another key
        self.last = peer_of(sock) or self.last
        return sock

    def stop(self) -> None:
        """Cancel a running dial."""
        self._stopped.set()

    def _look(self) -> tuple[Endpoint, ...]:
        from lanchat.discovery.finder import Finder

        with Finder(self._on) as finder:
            deadline = time.monotonic() + self._timing.look_again
            listings = finder.listings()
            while not self._stopped.is_set() and (left := deadline - time.monotonic()) > 0:
                for listing in listings:
                    if listing.room_id == self._check.room_id and listing.state == "answering":
                        return listing.endpoints
                listings = finder.wait_change(listings, min(left, STOP_WITHIN))
        return ()


def my_identity() -> Identity:
    return load_identity(home_folder())


def default_nick() -> str:
    """LANCHAT_NICK, or the nick chosen earlier, or the login name."""
    return os.environ.get("LANCHAT_NICK") or saved_nick(home_folder()) or login_nick()
